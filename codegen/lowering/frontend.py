# SPDX-License-Identifier: Apache-2.0
"""The front end's tables as the C takes them (firmware/runtime/dyncp_fft.h)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.framing import STANDARD
from dyncp.codegen.c.tables import Table, table
from dyncp.export.formats.bundle import Bundle
from dyncp.export.transforms.frontend import reciprocals


def front_end_tables(bundle: Bundle) -> list[Table]:
    tensors, thresholds = bundle.tensors, bundle.tensors["features.thresholds"].astype(np.uint64)
    framing, turned = bundle.config.framing, twice_twiddle(tensors["twiddle"].astype(np.int32))
    windows = [table("window", tensors["window"], "square-root Hann, Q15")]
    if framing.sizes != STANDARD.sizes:
        windows = [
            table("window", tensors["window"], "of analysis, Q15"),
            table("fading", tensors["synthesis_window"], "of synthesis, Q15"),
        ]
    listed = [
        *windows,
        table("twiddle", turned, f"cos and -sin of 2 pi k / {framing.fft}, twice Q30"),
        table("sigmoid", tensors["sigmoid"], "Q15, one entry every 256 of a Q10 logit"),
        table("thresholds", closed_thresholds(thresholds), "of |X|^2, for the features 1 to 127, and a last one"),
        table("starts", search_starts(thresholds), "thresholds up to the even part of 2^e (1 + f / 4), at 4 e + f"),
    ]
    if bundle.config.bands is not None and bundle.config.banded:
        listed += [
            table("edges", np.array(bundle.config.bands, np.uint16), f"first bin of each band, and {framing.bins}"),
            table("bands", band_of_bins(bundle.config.bands), "of each bin, to whole words"),
            table("reciprocals", reciprocals(bundle.config.bands), "of the bands' numbers of bins, Q32; 0 for 1"),
        ]
    return listed


def band_of_bins(edges: Sequence[int]) -> NDArray[np.uint8]:
    """The number of each bin's band, and zeros to whole words, which the self-test reads: uint8 [260].

    Fewer bands than bins have numbers of 8 bits.
    """
    bands = np.repeat(np.arange(len(edges) - 1), np.diff(edges)).astype(np.uint8)
    return np.pad(bands, (0, -len(bands) % 4))


def twice_twiddle(twiddle: NDArray[np.int32]) -> NDArray[np.int32]:
    """What dcp_rmul2 takes for the twiddle factors, which are below 2³⁰ in magnitude: int32 [256, 2]."""
    return 2 * twiddle


def closed_thresholds(thresholds: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The thresholds and one that no power reaches, where every search ends: uint64 [128]."""
    return np.append(thresholds, np.uint64(2**63 - 1))


def search_starts(thresholds: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """How many thresholds the least power reaches that looks here, at 4e + f: uint8 [256].

    A power with the exponent e and the two bits f below its leading one counts on from there. The search sets the
    lowest bit, so that 0 has a leading one too: an even power looks where the odd one above it does.
    """
    edges = [(2**e * (4 + f) // 4) & ~1 for e in range(64) for f in range(4)]
    return np.searchsorted(thresholds, np.array(edges, np.uint64), side="right").astype(np.uint8)
