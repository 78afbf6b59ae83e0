# SPDX-License-Identifier: Apache-2.0
"""Chooses the inputs of constructed frames, until an error in any constant of the network would show in some stage.

First come frames in which every channel is open. Layers with fine outputs show every error in a few random inputs;
where an output is coarse, each row gets inputs at which its output is about to change (`solve`). Then come frames of
other masks, for the kernels that skip and for the probes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.network import NetworkConfig
from dyncp.export.formats.bundle import Bundle, Tensors
from dyncp.export.formats.masks import pack_block
from dyncp.export.integers.reference import delayed
from dyncp.export.transforms.frontend import Integers
from dyncp.firmware.constants.ends import logits, spectra
from dyncp.firmware.constants.frames import Frames
from dyncp.firmware.constants.sensitivity import LESS, MORE, Flags, Inputs, Range, Shown
from dyncp.firmware.constants.solve import solve, solve_taps

MOST_FRAMES = 1024
GIVE_UP = 4
"""Inputs that are tried for a row and a direction before it is left."""

CONV, INT8 = Inputs(0, 127), Inputs(-128, 127)
"""What conv channels and features, and narrowed inputs, may be."""
RESIDUAL, VALUES = Inputs(-16384, 16383), Inputs(0, 32767)
"""What the residual stream is given, half its range, so that additions show; and what a gate's values may be."""
RELU8 = Range(0, 127)

Given = dict[str, list[Integers]]


@dataclass
class Dense:
    """A layer all of whose rows read one input, and the search for its inputs."""

    tensor: str
    stage: str
    """What holds its input."""
    inputs: Inputs
    low: int
    high: int
    """Of the output."""
    shown: Shown
    residual: str | None = None
    """The stage to which the output is added, before it saturates at `low` and `high`."""
    group: int | None = None
    """Whose gate it is part of: it runs in the frames in which that one decides."""
    shares: bool = False
    """Whether others read its input too, or add to it, so that the stage holds something already."""
    tried: dict[tuple[int, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # What is added to something else never stays at a limit.
        if self.residual is None:
            self.shown.leave_inert(self.inputs, Range(self.low, self.high))

    def bounds(self, values: Given) -> Range:
        if self.residual is None:
            return Range(self.low, self.high)
        held = values[self.residual][-1]
        return Range(self.low - held, self.high - held)

    def next_input(self, bounds: Range, random: np.random.Generator) -> Integers:
        """For the first row in which some error would not show, or a random one."""
        for way in (MORE, LESS):
            for row in np.flatnonzero(self.shown.wanted(way)).tolist():
                tried = self.tried.get((row, way), 0)
                if tried < GIVE_UP:
                    self.tried[row, way] = tried + 1
                    found = solve(self.shown, row, way, self.inputs, bounds, random)
                    if found is not None:
                        return found
        return self.inputs.random(random, self.shown.weight.shape[1])

    def give(self, values: Given, x: Integers) -> None:
        given = values.setdefault(self.stage, [])
        if self.shares:
            given.pop()
        given.append(x)

    @property
    def done(self) -> bool:
        """Whether all shows, or all that does not has been tried."""
        left = [(row, way) for way in (MORE, LESS) for row in np.flatnonzero(self.shown.wanted(way)).tolist()]
        return all(self.tried.get(key, 0) >= GIVE_UP for key in left)


@dataclass
class Plan:
    """Frames, and by layer which errors they show."""

    frames: Frames
    shown: dict[str, Shown]


def plan(bundle: Bundle, seed: int = 0) -> Plan:
    """Frames for a network, the same for the same bundle."""
    random, config = np.random.default_rng(seed), bundle.config
    dense = list(_dense_layers(bundle.tensors, config))
    taps = {f"blocks.{i}.depthwise": _shown(bundle.tensors, f"blocks.{i}.depthwise") for i in range(config.blocks)}
    for shown in taps.values():
        shown.leave_inert(CONV, RELU8)
    scheduled = _schedule(config, taps, random)
    least = max(max(times) for times in scheduled.values()) + 1
    least = max(least, len(spectra(bundle, 0, random)), 2 * config.gate_period)
    values: Given = {}
    frame = 0
    while frame < least or (frame < MOST_FRAMES and not all(layer.done for layer in dense)):
        _residuals(config, values, random)
        for layer in dense:
            bounds = layer.bounds(values)
            runs = layer.group is None or config.decides(layer.group, frame)
            x = layer.next_input(bounds, random) if runs else layer.inputs.random(random, layer.shown.weight.shape[1])
            layer.give(values, x)
            if runs:
                layer.shown.see(x, bounds)
        frame += 1
    masks = _masks(config, random)
    for _ in masks:
        _residuals(config, values, random)
        for layer in dense:
            layer.give(values, layer.inputs.random(random, layer.shown.weight.shape[1]))
    active = np.concatenate([np.ones((frame, config.blocks, config.gated), np.bool_), masks])
    frames = _frames(bundle, values, scheduled, active, random)
    _see_taps(config, taps, frames, frame)
    return Plan(frames, {layer.tensor: layer.shown for layer in dense} | taps)


def _shown(tensors: Tensors, layer: str) -> Shown:
    weight = tensors[f"{layer}.weight"].astype(np.int64)
    bias = tensors.get(f"{layer}.bias", np.zeros(len(weight))).astype(np.int64)
    multiplier = tensors.get(f"{layer}.multiplier")
    return Shown(weight, bias, None if multiplier is None else multiplier.astype(np.int64))


def _dense_layers(tensors: Tensors, config: NetworkConfig) -> Iterator[Dense]:
    """In the order of the device, a projection behind what its output is added to."""
    yield Dense("front", "features", CONV, 0, 32767, _shown(tensors, "front"))
    for i in range(config.blocks):
        block, name = f"blocks.{i}", f"block{i}"
        before = "front" if i == 0 else f"block{i - 1}_project"
        if config.has_gate(i):
            yield from _gate_layers(tensors, config, i, before)
        yield Dense(f"{block}.expand", f"{name}_input", INT8, 0, 127, _shown(tensors, f"{block}.expand"))
        layer = _shown(tensors, f"{block}.project")
        # A layer without biases has none to show.
        layer.bias_shown[:] = True
        yield Dense(f"{block}.project", f"{name}_depthwise", CONV, -32768, 32767, layer, residual=before)
    yield Dense("back", "back_input", INT8, -32768, 32767, _shown(tensors, "back"))


def _gate_layers(tensors: Tensors, config: NetworkConfig, i: int, before: str) -> Iterator[Dense]:
    """Of the gate of block i; `before` is what its block reads."""
    reduce, score = (f"blocks.{i}.gate.{part}" for part in ("reduce", "score"))
    layers, group, after = (
        [_shown(tensors, layer) for layer in (reduce, score)],
        config.group(i),
        config.pools_values,
    )
    if after:
        yield Dense(reduce, before, RESIDUAL, 0, 32767, layers[0], group=group, shares=True)
    else:
        # A frame moves a sum by 255 at most: so it stays within 16 bits, as that of real frames does.
        most = max(min(128 * config.pooled_frames, 32767) - 255 if config.pooling == "window" else 32512, 1)
        yield Dense(reduce, f"block{i}_pool", Inputs(-most, most), 0, 32767, layers[0], group=group)
    yield Dense(score, f"block{i}_{'pool' if after else 'gate'}", VALUES, 0, 0, layers[1], group=group)


def _residuals(config: NetworkConfig, values: Given, random: np.random.Generator) -> None:
    """What the residual stream is given in a frame."""
    for stage in ["front", *(f"block{i}_project" for i in range(config.blocks))]:
        values.setdefault(stage, []).append(RESIDUAL.random(random, config.channels))


def _schedule(
    config: NetworkConfig, taps: dict[str, Shown], random: np.random.Generator
) -> dict[str, dict[int, Integers]]:
    """By depthwise layer: frames whose conv channels [H] are chosen, as those that a row reads must fit together."""
    schedule: dict[str, dict[int, Integers]] = {}
    for i, (layer, shown) in enumerate(taps.items()):
        dilation, chosen, span = config.block_dilations[i], {}, config.kernel
        for slot, inputs in enumerate(solve_taps(shown, CONV, RELU8, random)):
            first = slot // dilation * span * dilation + slot % dilation
            for tap in range(span):
                chosen[first + tap * dilation] = inputs[:, tap]
        schedule[layer] = chosen
    return schedule


def _see_taps(config: NetworkConfig, taps: dict[str, Shown], frames: Frames, count: int) -> None:
    for i, shown in enumerate(taps.values()):
        h, dilation = frames.given[f"block{i}_expand"].astype(np.int64), config.block_dilations[i]
        read = np.stack([delayed(h, ago * dilation) for ago in reversed(range(config.kernel))], axis=2)
        for inputs in read[:count]:
            shown.see(inputs, RELU8)


def _masks(config: NetworkConfig, random: np.random.Generator) -> Flags:
    """None open, each half of the channels, a few, most: bool [n, blocks, N]."""
    shape = (config.blocks, config.gated)
    half = random.random(shape) < 0.5
    few, most, single = random.random(shape) < 0.1, random.random(shape) < 0.9, np.zeros(shape, np.bool_)
    single[:, random.integers(config.gated)] = True
    closed = np.zeros(shape, np.bool_)
    return np.stack([closed, half, ~half, few, ~few, closed, most, single, closed, ~single])


def _frames(
    bundle: Bundle,
    values: Given,
    scheduled: dict[str, dict[int, Integers]],
    active: Flags,
    random: np.random.Generator,
) -> Frames:
    config, count = bundle.config, len(active)
    given: dict[str, NDArray[np.generic]] = {stage: np.stack(inputs) for stage, inputs in values.items()}
    given["spectrum"] = spectra(bundle, count, random)
    given["logits"] = logits(config.spectrum, count, random)
    given["suppression"] = random.integers(0, 32768, (count, config.spectrum))
    for i in range(config.blocks):
        h = CONV.random(random, (count, config.hidden))
        for frame, chosen in scheduled[f"blocks.{i}.depthwise"].items():
            h[frame] = chosen
        given[f"block{i}_expand"] = h
        if config.has_gate(i) and config.pools_values:
            given[f"block{i}_gate"] = VALUES.random(random, (count, config.gate))
        if config.has_gate(i):
            given[f"block{i}_mask"] = pack_block(active[:, i : i + config.blocks_per_gate]).reshape(count, -1)
        if config.gate_site == "hidden":
            # As on the device, where a closed channel holds 0.
            for stage in ("expand", "depthwise"):
                given[f"block{i}_{stage}"] = given[f"block{i}_{stage}"] * active[:, i]
    pcm = random.integers(-32768, 32768, count * config.hop).astype(np.int16)
    return Frames(pcm, active, given)
