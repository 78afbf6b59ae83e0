# SPDX-License-Identifier: Apache-2.0
"""By table: how many constants audio made a device read, and in how many an error would show in constructed frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from dyncp.export.formats.bundle import Bundle, Probes
from dyncp.export.formats.masks import unpack_masks
from dyncp.export.integers import reference
from dyncp.export.integers.holding import decisions
from dyncp.export.integers.run import Run
from dyncp.export.transforms import frontend
from dyncp.export.transforms.frontend import Integers, rmul
from dyncp.firmware.constants.ends_shown import sigmoid_shown, thresholds_shown
from dyncp.firmware.constants.plan import Plan
from dyncp.firmware.constants.sensitivity import Flags, wrong_multipliers

SQUARES = 1024
"""Thresholds below this have an error of one unit; where no sum of two squares is concerned, it cannot show."""


@dataclass(frozen=True)
class Share:
    """Of one tensor of the bundle or of its probes."""

    name: str
    values: int
    read: int
    """By the audio."""
    shown: int
    """Constants an error in which would show."""
    inert: int
    """Others, in which none can show: whatever the input, no output depends on them."""


def shares(bundle: Bundle, run: Run, plan: Plan) -> list[Share]:
    """Of all tensors, in the order of the device; `run` is the reference's of the audio, with its trace."""
    return list(_Shares(bundle, run, plan).listed())


class _Shares:
    def __init__(self, bundle: Bundle, run: Run, plan: Plan) -> None:
        self.bundle, self.config, self.tensors = bundle, bundle.config, bundle.tensors
        self.run, self.plan = run, plan
        self.active = unpack_masks(run.masks, bundle.config)

    def listed(self) -> Iterator[Share]:
        config = self.config
        features, channels = _every(config.spectrum), _every(config.channels)
        yield from self._front_end()
        yield from self._layer("front", channels, features)
        for i in range(config.blocks):
            yield from self._block(i)
        yield self._narrowing("back.input.multiplier", True, config.blocks)
        yield from self._layer("back", features, channels)
        yield from self._sigmoid()
        if self.bundle.probes is not None:
            yield from self._probes(self.bundle.probes)

    def _front_end(self) -> Iterator[Share]:
        """Twiddle factors 1 to N / 4 and the even ones are read; an error of a thousandth of 0 is none."""
        # Constructed frames are full-scale noise, transformed to the last bit (tests/constants).
        for name in ("window", "synthesis_window"):
            if name in self.tensors:
                entries = len(self.tensors[name])
                yield Share(name, entries, entries, entries, 0)
        used = np.zeros(self.tensors["twiddle"].shape, np.bool_)
        used[1 : len(used) // 2 + 1] = used[2::2] = True
        shown = used & (self.tensors["twiddle"] != 0)
        yield Share("twiddle", used.size, int(used.sum()), int(shown.sum()), int((~shown).sum()))
        features = np.unique(self.run.trace["features"]).astype(np.int64)
        threshold = np.arange(1, frontend.THRESHOLDS + 1)
        read = np.isin(threshold, features) | np.isin(threshold - 1, features)
        shown = thresholds_shown(self.bundle, self.plan.frames)
        inert = self.tensors["features.thresholds"] < SQUARES
        dead = int((inert & ~shown).sum())
        yield Share("features.thresholds", len(shown), int(read.sum()), int(shown.sum()), dead)

    def _sigmoid(self) -> Iterator[Share]:
        index = (self.run.trace["logits"].astype(np.int64) + 32768) >> 8
        read, shown = np.union1d(index, index + 1), sigmoid_shown(self.plan.frames)
        yield Share("sigmoid", len(shown), len(read), int(shown.sum()), 0)

    def _block(self, i: int) -> Iterator[Share]:
        config, name = self.config, f"blocks.{i}"
        channels, conv = _every(config.channels), _every(config.hidden)
        opened: Flags = np.asarray(self.active[:, i].any(axis=0))
        reads = reference.reads_input(config, i, self.active[:, i]).any()
        yield self._narrowing(f"{name}.input.multiplier", bool(reads), i)
        if config.has_gate(i):
            yield from self._gate(i)
        hidden = config.gate_site == "hidden"
        rows = opened if hidden else conv
        yield from self._layer(f"{name}.expand", rows, channels)
        yield from self._layer(f"{name}.depthwise", rows, _every(config.kernel))
        rows, columns = (_every(config.channels, bool(opened.any())), opened) if hidden else (opened, conv)
        yield from self._layer(f"{name}.project", rows, columns)

    def _gate(self, i: int) -> Iterator[Share]:
        name = f"blocks.{i}"
        decided = _at(decisions(self.config, self.config.group(i), self.run.frames), self.run.frames).any()
        if self.config.pooling != "window":
            shown = self._coefficients_shown(i)
            yield Share(f"{name}.pool.coefficient", len(shown), len(shown) * int(decided), sum(shown), 0)
        for layer in (f"{name}.gate.reduce", f"{name}.gate.score"):
            rows, columns = self.tensors[f"{layer}.weight"].shape
            yield from self._layer(layer, _every(rows, bool(decided)), _every(columns))

    def _layer(self, name: str, rows: Flags, columns: Flags) -> Iterator[Share]:
        shown, read = self.plan.shown[name], int(rows.sum())
        yield _share(f"{name}.weight", read * int(columns.sum()), shown.weight_shown, shown.weight_inert)
        parts = {"bias": (shown.bias_shown, shown.bias_inert), "multiplier": (shown.scale_shown, shown.scale_inert)}
        for part, flags in parts.items():
            if f"{name}.{part}" in self.tensors:
                yield _share(f"{name}.{part}", read, *flags)

    def _narrowing(self, name: str, read: bool, block: int) -> Share:
        """Of the input of a block or, behind the last, of the back-end."""
        before = self._given("front" if block == 0 else f"block{block - 1}_project")
        shown = _differ(lambda other: np.clip(rmul(before, other), -128, 127), self.tensors[name].astype(np.int64))
        return _scalar(name, read, shown)

    def _coefficients_shown(self, i: int) -> list[bool]:
        """Of the one of all channels, or of each value's own."""
        frames = self.plan.frames.count
        then = _at(decisions(self.config, self.config.group(i), frames), frames)[1:]
        after = self.config.pools_values
        averaged = self._given(f"block{i}_gate") if after else 256 * self._given(f"block{i}_input")
        difference = (averaged[1:] - self._given(f"block{i}_pool")[:-1])[then]
        coefficients = self.tensors[f"blocks.{i}.pool.coefficient"].astype(np.int64)
        each = np.split(difference, len(coefficients), axis=1)
        return [
            _differ(partial(rmul, moved), coefficient)
            for moved, coefficient in zip(each, coefficients[:, None], strict=True)
        ]

    def _probes(self, probes: Probes) -> Iterator[Share]:
        """The C adds and subtracts the rows of bits that flip, from those of a first frame of silence on."""
        silence = unpack_masks(reference.run(self.bundle, np.zeros(self.config.hop, np.int16)).masks, self.config)
        features, outputs = probes.weight.shape
        counts = []
        for active in (self.active, self.plan.frames.active):
            flipped = (np.concatenate([silence, active[:-1]]) != active).any(axis=0)
            word, bit = np.divmod(probes.channel, 32)
            block, within = np.divmod(word, self.config.mask_words_per_block)
            counts.append(int(flipped[block, 32 * within + bit].sum()))
        yield Share("probes.weight", features * outputs, counts[0] * outputs, counts[1] * outputs, 0)
        # All words begin with them.
        yield Share("probes.bias", outputs, outputs, outputs, 0)

    def _given(self, stage: str) -> Integers:
        return self.plan.frames.given[stage].astype(np.int64)


def _every(count: int, read: bool = True) -> Flags:
    """All of so many rows or columns, or none."""
    return np.full(count, read)


def _at(when: slice, frames: int) -> Flags:
    flags = np.zeros(frames, np.bool_)
    flags[when] = True
    return flags


def _share(name: str, read: int, shown: Flags, inert: Flags) -> Share:
    """From flags [2, …] of errors upwards and downwards."""
    dead = inert.all(axis=0)
    return Share(name, dead.size, read, int((shown.all(axis=0) & ~dead).sum()), int(dead.sum()))


def _scalar(name: str, read: bool, shown: bool) -> Share:
    return Share(name, 1, int(read), int(shown), 0)


def _differ(values: Callable[[Integers], Integers], constant: Integers) -> bool:
    """Whether a thousandth more, and a thousandth less, changes any of the values."""
    right = values(constant)
    return all(bool(np.any(values(other) != right)) for other in wrong_multipliers(constant))
