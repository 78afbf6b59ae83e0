# SPDX-License-Identifier: Apache-2.0
"""A long stream without a reset: the C library against the reference all along, and its end against its beginning."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import AudioError
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers import reference
from dyncp.export.integers.readout import probe_signals
from dyncp.export.integers.run import Run
from dyncp.firmware.host.library import HostLibrary
from dyncp.firmware.proof.compare import compare

Pcm = NDArray[np.int16]


@dataclass(frozen=True)
class Figures:
    """Of one segment, once the past is forgotten: output level, share of active channels, mean probe word.

    And of all of it: words unlike the reference's.
    """

    level_dbfs: float
    utilization: float
    mean_word: float
    mismatches: int


@dataclass(frozen=True)
class Soak:
    """`compared`: frames of the last segment beside the same of the first; `drifted`: words of them that differ.

    `forgets`: whether the network's past ends, so that none may differ. A one-pole average keeps a remainder that
    rounds to no step.
    """

    segments: list[Figures]
    compared: int
    drifted: int
    forgets: bool

    @property
    def steady(self) -> bool:
        exact = not any(segment.mismatches for segment in self.segments)
        return exact and (self.drifted == 0 or not self.forgets)


def memory(config: NetworkConfig) -> int:
    """Hops after which window pooling has forgotten a stream's past: of gates, convolutions, analysis and overlap."""
    framing = config.framing
    transforms = -(-framing.analysis // framing.hop) - 1 + framing.overlaps - 1
    return sum(max(past, config.warm_up - config.gate_period) for past in config.block_pasts) + transforms


def soak(
    bundle: Bundle, library: HostLibrary, segments: Sequence[Pcm], progress: Callable[[int], object] | None = None
) -> Soak:
    """Run segments of int16 PCM, equally long, through one stream of `library`; the last is the first once more.

    Window pooling forgets, so the reference begins anew with each segment and hears no more than the `memory` before
    it: that it equals the library, which never begins anew, says that nothing older is left in the library's state.
    A one-pole average has no such end; there the reference runs in one piece, and the second half of the last segment
    is compared with the first. `progress` is told the segments that each step has added. Raises AudioError where the
    last segment is not the first, or too short for the network to settle in.
    """
    hop = bundle.config.hop
    frames = len(segments[0]) // hop
    forgets = bundle.config.pooling == "window"
    settled = memory(bundle.config) if forgets else frames // 2
    if len(segments) < 2 or frames <= settled or not np.array_equal(segments[0], segments[-1]):
        raise AudioError(f"a soak ends with the audio that it began with, more than {settled} hops of {hop} samples")
    stream, runs, expected = library.stream(), [], []
    for segment, reference_run in zip(segments, _reference(bundle, segments), strict=True):
        runs.append(stream.run(segment))
        expected.append(reference_run)
        if progress is not None:
            progress(1)
    _smooth(bundle, expected)
    figures = [_figures(bundle.config, run, wanted, settled) for run, wanted in zip(runs, expected, strict=True)]
    repeated = compare(runs[0].part(settled), runs[-1].part(settled), [])
    # Smoothed words fade into each other without ever having to meet; `mismatches` has proved them.
    return Soak(figures, frames - settled, repeated.total - repeated.signals, forgets)


def _reference(bundle: Bundle, segments: Sequence[Pcm]) -> Iterator[Run]:
    """The reference's words of each segment, smoothing aside."""
    hop = bundle.config.hop
    hops = len(segments[0]) // hop
    if bundle.config.pooling != "window":
        whole = reference.run(bundle, np.concatenate(segments))
        yield from (whole.part(start, start + hops) for start in range(0, whole.frames, hops))
        return
    past = segments[0][:0]
    for segment in segments:
        yield reference.run(bundle, np.concatenate([past, segment])).part(len(past) // hop)
        past = segment[-memory(bundle.config) * hop :]


def _smooth(bundle: Bundle, runs: Sequence[Run]) -> None:
    """Replace the signals of consecutive runs by those of one stream: smoothing has no end."""
    if bundle.probes is not None:
        words = np.concatenate([run.words for run in runs])
        signals = probe_signals(bundle.probes, words)
        for run, part in zip(runs, np.split(signals, len(runs)), strict=True):
            run.signals = part


def _figures(config: NetworkConfig, run: Run, expected: Run, settled: int) -> Figures:
    late = run.part(settled)
    power = np.mean(np.square(late.output / 32768))
    return Figures(
        level_dbfs=float(10 * np.log10(power + 1e-12)),
        utilization=float(late.active.mean() / (config.blocks * config.gated)),
        mean_word=float(late.words.mean()) if late.words.size else 0.0,
        mismatches=compare(expected, run, []).total,
    )
