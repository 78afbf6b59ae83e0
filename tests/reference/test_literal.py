# SPDX-License-Identifier: Apache-2.0
"""The reference equals a literal reading of docs/arithmetic.md, sections 5 to 7 and 9: value by value, frame by
frame, with rings and states, on every stage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from bundles import random_bundle
from literal_frontend import Literal, rmul
from networks import BANDS
from numpy.typing import NDArray
from signals import speech_like

from dyncp.base.config.network import NetworkConfig
from dyncp.base.tasks import Period
from dyncp.codegen.plan.stages import stages
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers.caps import Caps
from dyncp.export.integers.reference import run
from dyncp.export.integers.run import Run


def clamp(v: int, low: int, high: int) -> int:
    return max(low, min(high, v))


def dot(weights: list[int], x: list[int], bias: int = 0) -> int:
    total = bias + sum(w * v for w, v in zip(weights, x, strict=True))
    assert -(2**31) <= total < 2**31
    return total


class Device:
    """The state that a device keeps, and one frame after the other."""

    def __init__(self, bundle: Bundle) -> None:
        self.config, self.bundle = bundle.config, bundle
        self.t: dict[str, Any] = {name: tensor.tolist() for name, tensor in bundle.tensors.items()}
        self.frontend = Literal()
        blocks, c = range(self.config.blocks), self.config.channels
        self.ring = [[[0] * c for _ in range(self.config.pooled_frames)] for _ in blocks]
        self.pooled = [[0] * self.config.pooled_channels for _ in blocks]
        self.history = [[[0] * self.config.hidden] * past for past in self.config.block_pasts]
        self.average = [256 * bias for bias in bundle.probes.bias.tolist()] if bundle.probes else []
        self.signals: list[int] = []
        self.frame = self.left = 0
        self.slots = [0 for _ in blocks]
        self.bits = [[0] * self.config.gated for _ in blocks]
        self.seen: dict[str, list[list[int]]] = defaultdict(list)

    def rows(self, layer: str, x: list[int], low: int, high: int) -> list[int]:
        weight, bias, m = (self.t[f"{layer}.{part}"] for part in ("weight", "bias", "multiplier"))
        return [clamp(rmul(dot(w, x, b), k), low, high) for w, b, k in zip(weight, bias, m, strict=True)]

    def process(self, hop: list[int]) -> None:
        spectrum = self.frontend.analyse(hop)
        thresholds = self.t["features.thresholds"]
        powers = self.powers([re * re + im * im for re, im in spectrum])
        features = [sum(power >= t for t in thresholds) for power in powers]
        x16 = self.rows("front", features, 0, 32767)
        self.show("spectrum", [part for value in spectrum for part in value])
        self.show("features", features)
        self.show("front", x16)
        self.left = self.config.frame_limit
        word = [0] * (32 * self.config.mask_words)
        macs = 2 * len(features) * self.config.channels
        for i in range(self.config.blocks):
            x16, bits, cost = self.block(i, x16)
            first = 32 * self.config.mask_words_per_block * i
            word[first : first + len(bits)] = bits
            macs += cost
        self.frame += 1
        x8 = [clamp(rmul(v, self.t["back.input.multiplier"][0]), -128, 127) for v in x16]
        logits = self.rows("back", x8, -32768, 32767)
        mask = [self.sigmoid(logit) for logit in logits]
        self.show("back_input", x8)
        self.show("logits", logits)
        self.show("suppression", mask)
        self.show("synthesis", self.frontend.synthesise(spectrum, self.spread(mask)))
        self.show("macs", [macs])
        if self.bundle.probes is not None:
            probes = self.bundle.probes
            on = [word[int(channel)] for channel in probes.channel]
            columns = probes.weight.T.tolist()
            words = [dot(w, on, b) for w, b in zip(columns, probes.bias.tolist(), strict=True)]
            self.show("probes", words)
            self.show("signals", self.smooth(words))

    def block(self, i: int, x16: list[int]) -> tuple[list[int], list[int], int]:
        name, hidden = f"blocks.{i}", self.config.gate_site == "hidden"
        x8 = [clamp(rmul(v, self.t[f"{name}.input.multiplier"][0]), -128, 127) for v in x16]
        gate, cost = self.gate(i, x16 if self.config.pooling == "gate" else x8)
        bits = self.bits[i]
        h = self.rows(f"{name}.expand", x8, 0, 127)
        if hidden:
            h = [value if bit else 0 for value, bit in zip(h, bits, strict=True)]
        dilation = self.config.block_dilations[i]
        past = self.history[i]
        d = []
        for r in range(self.config.hidden):
            taps = [*(past[k * dilation][r] for k in range(self.config.kernel - 1)), h[r]]
            total = dot(self.t[f"{name}.depthwise.weight"][r], taps, self.t[f"{name}.depthwise.bias"][r])
            d.append(clamp(rmul(total, self.t[f"{name}.depthwise.multiplier"][r]), 0, 127))
            if hidden and not bits[r]:
                d[r] = 0
        self.history[i] = [*past[1:], h]
        after = list(x16)
        for c, (w, m) in enumerate(
            zip(self.t[f"{name}.project.weight"], self.t[f"{name}.project.multiplier"], strict=True)
        ):
            if hidden or bits[c]:
                after[c] = clamp(x16[c] + rmul(dot(w, d), m), -32768, 32767)
        # A trace shows no input that is not made: where nothing runs and nothing is decided.
        made = not hidden or any(bits) or (cost > 0 and self.config.pooling != "gate")
        values = {"input": x8 if made else [0] * len(x8), **gate, "expand": h, "depthwise": d, "project": after}
        for stage, shown in values.items():
            self.show(f"block{i}_{stage}", shown)
        c_, h_, k_ = self.config.channels, self.config.hidden, self.config.kernel
        dense = (2 * c_ + k_) * sum(bits) if hidden else c_ * h_ + k_ * h_ + h_ * sum(bits)
        return after, bits, cost + dense

    def gate(self, i: int, x: list[int]) -> tuple[dict[str, list[int]], int]:
        """Steps 2 and 3, where block i has a gate: what a trace shows, and the multiply–accumulates of a decision."""
        group, first = divmod(i, self.config.blocks_per_gate)
        if first != 0:
            return {}, 0
        name, blocks, n = f"blocks.{i}", range(i, i + self.config.blocks_per_gate), self.config.gated
        g, score, cost = [0] * self.config.gate, [0] * (n * len(blocks)), 0
        if (self.frame - group) % self.config.gate_period == 0:
            after = self.config.pooling == "gate"
            g = self.rows(f"{name}.gate.reduce", x if after else self.pool(i, x), 0, 32767)
            values = self.averages(i, g) if after else g
            score_weight, score_bias = self.t[f"{name}.gate.score.weight"], self.t[f"{name}.gate.score.bias"]
            score = [dot(w, values, b) for w, b in zip(score_weight, score_bias, strict=True)]
            cost = self.config.channels * len(g) + len(g) * len(score)
            for k, j in enumerate(blocks):
                best = sorted((-s, m) for m, s in enumerate(score[k * n : (k + 1) * n]) if s > 0)
                chosen = {m for _, m in best[: min(self.config.block_limit, self.left)]}
                self.bits[j] = [int(m in chosen) for m in range(n)]
            if len(blocks) == self.config.gate_period == 1:
                self.left -= sum(self.bits[i])
        words = []
        for j in blocks:
            padded = self.bits[j] + [0] * (-n % 32)
            words += [sum(bit << k for k, bit in enumerate(padded[m : m + 32])) for m in range(0, len(padded), 32)]
        return {"pool": list(self.pooled[i]), "gate": g, "score": score, "mask": words}, cost

    def powers(self, bins: list[int]) -> list[int]:
        """Of the bins themselves, or their means over the bands."""
        edges = self.config.bands
        if edges is None:
            return bins
        means = []
        for first, end in pairwise(edges):
            total, width = sum(bins[first:end]), end - first
            reciprocal = (2**32 + width // 2) // width
            assert total < 2**61
            high, low = divmod(total, 2**32)
            means.append(total if width == 1 else high * reciprocal + (low * reciprocal >> 32))
        return means

    def spread(self, mask: list[int]) -> list[int]:
        edges = self.config.bands
        if edges is None:
            return mask
        return [value for value, (first, end) in zip(mask, pairwise(edges), strict=True) for _ in range(first, end)]

    def pool(self, i: int, x8: list[int]) -> list[int]:
        if self.config.pooling == "window":
            oldest = self.ring[i][self.slots[i]]
            self.pooled[i] = [s + x - o for s, x, o in zip(self.pooled[i], x8, oldest, strict=True)]
            self.ring[i][self.slots[i]] = x8
            self.slots[i] = (self.slots[i] + 1) % self.config.pooled_frames
        else:
            a = self.t[f"blocks.{i}.pool.coefficient"][0]
            self.pooled[i] = [s + rmul(256 * x - s, a) for s, x in zip(self.pooled[i], x8, strict=True)]
        return list(self.pooled[i])

    def averages(self, i: int, values: list[int]) -> list[int]:
        each = zip(self.pooled[i], values, self.t[f"blocks.{i}.pool.coefficient"], strict=True)
        self.pooled[i] = [e + rmul(g - e, a) for e, g, a in each]
        return list(self.pooled[i])

    def smooth(self, words: list[int]) -> list[int]:
        assert self.bundle.probes is not None
        tasks = [task for task in self.bundle.probes.tasks for _ in range(task.outputs)]
        signals = []
        for o, (task, word) in enumerate(zip(tasks, words, strict=True)):
            if (self.frame - 1) % task.period != 0:
                signals.append(self.signals[o])
                continue
            if task.smoothing == 0:
                signals.append(word)
                continue
            self.average[o] += (256 * word - self.average[o]) >> task.smoothing
            assert -(2**31) <= 256 * word - self.average[o] < 2**31
            signals.append((self.average[o] + 128) >> 8)
        self.signals = signals
        return signals

    def sigmoid(self, logit: int) -> int:
        i, f = (logit + 32768) >> 8, (logit + 32768) & 255
        table = self.t["sigmoid"]
        return int((table[i] * (256 - f) + table[i + 1] * f + 128) >> 8)

    def show(self, stage: str, values: list[int]) -> None:
        self.seen[stage].append(values)


@pytest.mark.parametrize("gate_site", ["output", "hidden"])
@pytest.mark.parametrize(("pooling", "frames"), [("window", 6), ("ema", 6), ("gate", (3, 6, 24))])
@pytest.mark.parametrize("caps", [(None, None), (2, None), (None, 4), (2, 3)], ids=str)
def test_every_stage_equals_the_literal_specification(pooling: Any, frames: Any, gate_site: Any, caps: Any) -> None:
    config = NetworkConfig(
        channels=7,
        hidden=37,
        gate=5,
        stacks=2,
        dilations=(1, 3),
        pooling=pooling,
        pooling_frames=frames,
        gate_site=gate_site,
        block_cap=caps[0],
        frame_cap=caps[1],
    )
    bundle = random_bundle(config, seed=3, probes="int16" if pooling == "ema" else "int8")
    # The comparison means something only where gates switch, and caps hold some back.
    assert_literal(bundle)


@pytest.mark.parametrize("gate_site", ["output", "hidden"])
@pytest.mark.parametrize("averages", [False, True])
@pytest.mark.parametrize(("period", "shared", "cap"), [(4, "block", None), (1, "stack", 2), (3, "network", None)])
def test_bands_and_gates_that_hold(gate_site: Any, averages: bool, period: int, shared: Any, cap: int | None) -> None:
    config = NetworkConfig(
        channels=7,
        hidden=37,
        gate=5,
        stacks=2,
        dilations=(1, 3),
        pooling="gate" if averages else "ema" if period > 1 else "window",
        pooling_frames=(3, 5) if averages else 3,
        gate_site=gate_site,
        gate_period=period,
        gate_shared=shared,
        block_cap=cap,
        bands=BANDS,
    )
    assert_literal(random_bundle(config, seed=5))


@pytest.mark.parametrize("periods", [(1, 4, 2), (2, 1, 16), (8, 8, 8)])
def test_tasks_that_not_every_frame_tells(periods: Sequence[Period]) -> None:
    config = NetworkConfig(channels=7, hidden=37, gate=5, stacks=2, dilations=(1, 3), pooling_frames=6)
    assert_literal(random_bundle(config, seed=3, periods=periods))


@pytest.mark.parametrize("gate_site", ["output", "hidden"])
@pytest.mark.parametrize("kernel", [2, 4, 5])
def test_other_than_three_taps(gate_site: Any, kernel: int) -> None:
    config = NetworkConfig(
        channels=7,
        hidden=37,
        gate=5,
        stacks=2,
        dilations=(1, 3),
        kernel=kernel,
        pooling_frames=6,
        gate_site=gate_site,
    )
    assert_literal(random_bundle(config, seed=3))


@pytest.mark.parametrize("gate_site", ["output", "hidden"])
@pytest.mark.parametrize("sign", [1, -1])
def test_every_saturation_is_where_it_should_be(gate_site: Any, sign: int) -> None:
    """Of a network whose values leave their ranges everywhere, on either side."""
    config = NetworkConfig(
        channels=7, hidden=37, gate=5, stacks=1, dilations=(1, 3), pooling_frames=6, gate_site=gate_site
    )
    bundle = random_bundle(config, seed=4)
    for name, tensor in bundle.tensors.items():
        if name.endswith(".multiplier"):
            raised = tensor.astype(np.int64) * (1000 if ".gate." in name or ".project." in name else 30)
            bundle.tensors[name] = np.minimum(raised, 2**30 - 1).astype(tensor.dtype)
    bundle.tensors["back.weight"] = np.abs(bundle.tensors["back.weight"])
    for block in range(config.blocks):
        weight = bundle.tensors[f"blocks.{block}.project.weight"]
        bundle.tensors[f"blocks.{block}.project.weight"] = (sign * np.abs(weight)).astype(np.int8)
    result = assert_equal_stages(bundle, speech_like(40)[24 * 256 :])
    limits = {"front": 32767, "block0_input": 127, "block0_expand": 127, "block0_depthwise": 127, "block1_gate": 32767}
    limits |= {"block0_project": 32767, "block1_input": 127, "back_input": 127, "logits": 32767}
    if sign < 0:
        limits |= {"block0_project": -32768, "block1_input": -128, "back_input": -128, "logits": -32768}
    for stage, limit in limits.items():
        assert (result.trace[stage] == limit).any(), stage


def assert_literal(bundle: Bundle) -> None:
    """On a stretch of speech on which gates switch, and caps hold some back."""
    config = bundle.config
    pcm = speech_like(70)[56 * 256 :]
    result = assert_equal_stages(bundle, pcm)
    free = run(bundle, pcm, caps=Caps(config.gated, config.blocks * config.gated))
    assert 0 < free.active.mean() < config.blocks * config.gated
    assert len(set(free.active.tolist())) > 1
    assert not np.array_equal(free.signals, free.words)
    assert config.capped != np.array_equal(result.masks, free.masks)


def assert_equal_stages(bundle: Bundle, pcm: NDArray[np.int16]) -> Run:
    """Every stage, word and count; returns what the reference made."""
    config = bundle.config
    result = run(bundle, pcm, trace=True)
    device = Device(bundle)
    for hop in pcm.reshape(-1, 256).tolist():
        device.process(hop)
    assert bundle.probes is not None
    for stage in stages(config, len(bundle.probes.bias)):
        traced = result.trace[stage.name]
        assert traced.dtype == np.dtype(stage.dtype)
        assert traced.tolist() == device.seen[stage.name], stage.name
    assert result.output.tolist() == np.concatenate(device.seen["synthesis"]).tolist()
    assert result.macs.tolist() == np.ravel(device.seen["macs"]).tolist()
    assert result.words.tolist() == device.seen["probes"]
    assert result.signals.tolist() == device.seen["signals"]
    first = range(0, config.blocks, config.blocks_per_gate)
    masks = [[w for i in first for w in device.seen[f"block{i}_mask"][n]] for n in range(result.frames)]
    assert result.masks.tolist() == masks
    return result
