# SPDX-License-Identifier: Apache-2.0
"""Peers and our own network on the same clips, each advanced by its own delay and scored by the same metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, FiniteFloat

from dyncp.base.audio import Pcm
from dyncp.base.config.framing import SAMPLE_RATE
from dyncp.base.config.reading import StrictModel
from dyncp.base.quality import Score
from dyncp.evaluation.peers import graphs, native
from dyncp.evaluation.peers.native import Enhance
from dyncp.evaluation.peers.packages import MissingPeerError
from dyncp.evaluation.quality.clip_scores import score

if TYPE_CHECKING:
    from dyncp.train.mixing.pairs import Pair

PEERS: dict[str, Callable[[], Enhance]] = {
    "RNNoise": native.rnnoise,
    "Speex": native.speex,
    "WebRTC NS, moderate": partial(native.webrtc, 2),
    "WebRTC NS, very high": partial(native.webrtc, 4),
    "DTLN": graphs.dtln,
    "GTCRN": graphs.gtcrn,
    "UL-UNAS": graphs.ul_unas,
    "DeepFilterNet3": native.deepfilternet,
}
# No peer is later than this, or earlier than it is given.
LATEST = SAMPLE_RATE // 8


class PeerRow(StrictModel):
    """One enhancer; means over the clips."""

    name: str
    delay_ms: FiniteFloat = Field(description="of its output, by cross-correlation; collecting a frame comes on top")
    score: Score


class MissingPeer(StrictModel):
    """A peer that was not run."""

    name: str
    remedy: str


class PeerTable(StrictModel):
    """What `dyncp evaluate --peers` tells."""

    clips: int = Field(ge=1)
    rows: list[PeerRow] = Field(description="noisy, our own network, then the peers")
    missing: list[MissingPeer]


@dataclass(frozen=True)
class Found:
    """Names of the peers that can be run here, and the others."""

    names: list[str]
    missing: list[MissingPeer]


def find_peers() -> Found:
    """Load each peer once."""
    names, missing = [], []
    for name in PEERS:
        try:
            _peer(name)
        except MissingPeerError as error:
            missing.append(MissingPeer(name=name, remedy=str(error)))
        else:
            names.append(name)
    return Found(names, missing)


def compare_peers(
    pairs: Sequence[Pair], own: dict[str, Sequence[Pcm]], progress: Callable[[str, int], object] | None = None
) -> PeerTable:
    """Score the noisy clips, `own` outputs by name, one for each of `pairs`, and every peer that is installed.

    `progress` is told a name and how many of its clips are done. Raises AudioError for clips without speech.
    """
    from joblib import Parallel, delayed, parallel_config

    found = find_peers()
    rows = []
    with parallel_config("loky", n_jobs=-1, inner_max_num_threads=1):
        for name in ("noisy", *own, *found.names):
            if name == "noisy":
                outputs = [pair.noisy for pair in pairs]
            elif name in own:
                outputs = list(own[name])
            else:
                outputs = Parallel()(delayed(enhance)(name, pair.noisy) for pair in pairs)
            lag = common_delay([pair.clean for pair in pairs], outputs)
            calls = (delayed(_score)(p.clean, out, lag) for p, out in zip(pairs, outputs, strict=True))
            scores = []
            for value in Parallel(return_as="generator")(calls):
                scores.append(value)
                if progress is not None:
                    progress(name, len(scores))
            rows.append(PeerRow(name=name, delay_ms=1000 * lag / SAMPLE_RATE, score=Score.mean(scores)))
    return PeerTable(clips=len(pairs), rows=rows, missing=found.missing)


def enhance(name: str, noisy: Pcm) -> Pcm:
    """A clip through a peer of PEERS: int16 of the same length, late. Raises MissingPeerError."""
    return _peer(name)(noisy)


def common_delay(clean: Sequence[Pcm], outputs: Sequence[Pcm]) -> int:
    """Samples by which the outputs lag: where their cross-correlation with the clean clips, all added, is largest."""
    total: NDArray[np.float64] = np.zeros(LATEST + 1)
    for target, heard in zip(clean, outputs, strict=True):
        size = 2 * max(len(target), len(heard))
        spectrum = np.fft.rfft(heard.astype(np.float64), size) * np.conj(np.fft.rfft(target.astype(np.float64), size))
        power = np.sqrt(np.square(target, dtype=np.float64).sum() * np.square(heard, dtype=np.float64).sum())
        total += np.fft.irfft(spectrum, size)[: LATEST + 1] / max(power, 1.0)
    return int(total.argmax())


def _score(clean: Pcm, heard: Pcm, lag: int) -> Score:
    return score(clean[: len(clean) - lag], heard[lag:])


@cache
def _peer(name: str) -> Enhance:
    return PEERS[name]()
