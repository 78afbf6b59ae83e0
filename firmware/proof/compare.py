# SPDX-License-Identifier: Apache-2.0
"""Compares what two engines made of the same audio, word by word."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.network import NetworkConfig
from dyncp.codegen.plan.stages import Stage
from dyncp.export.formats.masks import unpack_masks
from dyncp.export.integers.run import Run
from dyncp.firmware.proof.records import Divergence, Mismatches


def compare(reference: Run, actual: Run, stages: Sequence[Stage]) -> Mismatches:
    """Count the words of `actual` that differ from `reference`; layers only where `actual` was traced."""
    return Mismatches(
        output=_differing(reference.output, actual.output),
        masks=_differing(reference.masks, actual.masks),
        probes=_differing(reference.words, actual.words),
        signals=_differing(reference.signals, actual.signals),
        macs=_differing(reference.macs, actual.macs) + _differing(reference.active, actual.active),
        layers=sum(_differing(reference.trace[s.name], actual.trace[s.name]) for s in _traced(actual, stages)),
    )


def locate(reference: Run, actual: Run, stages: Sequence[Stage]) -> Divergence | None:
    """The first word that differs, in the order of frames, then stages, then channels; None if none does.

    Where `actual` was traced, the stages are those of docs/emitted-c.md; what the API returns follows them, as
    `masks`, `probe_words`, `signal_words`, `output`, `macs` and `active`.
    """
    views = [(s.name, reference.trace[s.name], actual.trace[s.name]) for s in _traced(actual, stages)]
    views += [
        ("masks", reference.masks, actual.masks),
        ("probe_words", reference.words, actual.words),
        ("signal_words", reference.signals, actual.signals),
        ("output", reference.output.reshape(reference.frames, -1), actual.output.reshape(actual.frames, -1)),
        ("macs", reference.macs[:, None], actual.macs[:, None]),
        ("active", reference.active[:, None], actual.active[:, None]),
    ]
    first: tuple[int, int, int] | None = None
    for order, (_, expected, got) in enumerate(views):
        differing = np.argwhere(expected != got)
        if len(differing):
            frame, channel = differing[0].tolist()
            first = min(first or (frame, order, channel), (frame, order, channel))
    if first is None:
        return None
    frame, order, channel = first
    name, expected, got = views[order]
    values = int(expected[frame, channel]), int(got[frame, channel])
    return Divergence(frame=frame, stage=name, channel=channel, expected=values[0], actual=values[1])


def wrong_macs(config: NetworkConfig, run: Run) -> NDArray[np.int64]:
    """The frames whose own MAC count is not docs/arithmetic.md section 10 applied to their masks."""
    active = unpack_masks(run.masks, config).sum(axis=(1, 2))
    predicted = config.macs_by_frame(active)
    return np.flatnonzero((predicted != run.macs) | (active != run.active))


def _traced(run: Run, stages: Sequence[Stage]) -> Sequence[Stage]:
    return stages if run.trace else ()


def _differing(expected: NDArray[np.generic], actual: NDArray[np.generic]) -> int:
    return int(np.count_nonzero(expected != actual))
