# SPDX-License-Identifier: Apache-2.0
"""Speaker verification on fixed-length embeddings: WCCN, LDA, length normalisation, cosine and equal error rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dyncp.base.errors import ProbeError

Embeddings = NDArray[np.float64]

LDA_DIMENSIONS = 16


@dataclass(frozen=True)
class Backend:
    """x ↦ (x − mean) · projection, scaled to length one; projection [F, D]."""

    mean: NDArray[np.float64]
    projection: NDArray[np.float64]

    def embed(self, raw: Embeddings) -> Embeddings:
        """raw [n, F] → [n, D], rows of length one."""
        return unit_length((raw - self.mean) @ self.projection)


def unit_length(vectors: Embeddings) -> Embeddings:
    """Rows scaled to Euclidean length one; a zero row stays zero."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(norms > 0, norms, 1.0))


def wccn(raw: Embeddings, speakers: NDArray[np.integer], shrinkage: float | None = None) -> NDArray[np.float64]:
    """Within-class covariance normalisation: B [F, F] with B·Bᵀ = W⁻¹, so that x·B has unit within-class covariance.

    raw [n, F], speakers [n]. W has as many dimensions as there are features, and often more than there are
    utterances: it is shrunk towards a multiple of the identity, by `shrinkage` in [0, 1] or as much as Ledoit and
    Wolf advise.
    """
    from sklearn.covariance import ledoit_wolf, shrunk_covariance

    within = raw - class_means(raw, speakers)[np.unique(speakers, return_inverse=True)[1]]
    if shrinkage is None:
        covariance, _ = ledoit_wolf(within, assume_centered=True)
    else:
        covariance = shrunk_covariance(within.T @ within / len(within), shrinkage)
    return np.linalg.cholesky(np.linalg.inv(covariance))


def class_means(raw: Embeddings, speakers: NDArray[np.integer]) -> Embeddings:
    """Mean of each speaker's rows, in ascending order of speakers."""
    return np.stack([raw[speakers == speaker].mean(axis=0) for speaker in np.unique(speakers)])


def fit_backend(raw: Embeddings, speakers: NDArray[np.integer], dimensions: int = LDA_DIMENSIONS) -> Backend:
    """WCCN, then LDA to `dimensions`, or to one less than there are speakers. Length norm and cosine come after.

    raw [n, F], speakers [n]. Raises ProbeError where fewer than two speakers have two utterances.
    """
    _, counts = np.unique(speakers, return_counts=True)
    if (counts >= 2).sum() < 2:
        raise ProbeError("speaker verification: fewer than two training speakers have two utterances; add speakers")
    varying = raw.std(axis=0) > 0
    if not varying.any():
        raise ProbeError("speaker verification: the embeddings of the training speakers never differ")
    mean = raw.mean(axis=0)
    whitening = wccn(raw[:, varying], speakers)
    whitened = (raw[:, varying] - mean[varying]) @ whitening
    projection = np.zeros((raw.shape[1], min(dimensions, len(counts) - 1, int(varying.sum()))))
    projection[varying] = whitening @ discriminants(whitened, speakers, projection.shape[1])
    return Backend(mean, projection)


def discriminants(whitened: Embeddings, speakers: NDArray[np.integer], dimensions: int) -> NDArray[np.float64]:
    """LDA of data whose within-class covariance is the identity: the main directions of the speakers' means, [F, D]."""
    _, index, counts = np.unique(speakers, return_inverse=True, return_counts=True)
    centred = (class_means(whitened, speakers) - whitened.mean(axis=0)) * np.sqrt(counts[:, None] / len(index))
    return np.asarray(np.linalg.svd(centred, full_matrices=False)[2][:dimensions].T)


def equal_error_rate(scores: NDArray[np.floating], targets: NDArray[np.bool_]) -> float:
    """Where the false acceptances are as frequent as the false rejections, on the ROC joined by straight lines.

    scores [n], higher for the same speaker; targets [n], true for trials of the same speaker; both kinds must occur.
    """
    from sklearn.metrics import roc_curve

    accepted, found, _ = roc_curve(targets, scores, drop_intermediate=False)
    # false acceptance − false rejection rises from −1 to 1; at its zero both are equal.
    return float(np.interp(0.0, accepted - (1 - found), accepted))
