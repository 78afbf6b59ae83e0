# SPDX-License-Identifier: Apache-2.0
"""The reference equals a literal reading of docs/arithmetic.md, sections 5 to 7 and 9: value by value, frame by
frame, with rings and states, on every stage."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from bundles import random_bundle
from literal_frontend import Literal, rmul
from signals import speech_like

from dyncp.base.config import NetworkConfig
from dyncp.codegen.plan.stages import stages
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers.caps import Caps
from dyncp.export.integers.reference import run


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
        self.ring = [[[0] * c for _ in range(self.config.pooling_frames)] for _ in blocks]
        self.pooled = [[0] * c for _ in blocks]
        self.history = [[[0] * self.config.hidden] * (2 * d) for d in self.config.block_dilations]
        self.average = [256 * bias for bias in bundle.probes.bias.tolist()] if bundle.probes else []
        self.slot = self.left = 0
        self.seen: dict[str, list[list[int]]] = defaultdict(list)

    def rows(self, layer: str, x: list[int], low: int, high: int) -> list[int]:
        weight, bias, m = (self.t[f"{layer}.{part}"] for part in ("weight", "bias", "multiplier"))
        return [clamp(rmul(dot(w, x, b), k), low, high) for w, b, k in zip(weight, bias, m, strict=True)]

    def process(self, hop: list[int]) -> None:
        spectrum = self.frontend.analyse(hop)
        thresholds = self.t["features.thresholds"]
        features = [sum(re * re + im * im >= t for t in thresholds) for re, im in spectrum]
        x16 = self.rows("front", features, 0, 32767)
        self.show("spectrum", [part for value in spectrum for part in value])
        self.show("features", features)
        self.show("front", x16)
        self.left = self.config.frame_limit
        word = [0] * (32 * self.config.mask_words)
        macs = 2 * 257 * self.config.channels
        for i in range(self.config.blocks):
            x16, bits, cost = self.block(i, x16)
            first = 32 * self.config.mask_words_per_block * i
            word[first : first + len(bits)] = bits
            macs += cost
        self.slot = (self.slot + 1) % self.config.pooling_frames
        x8 = [clamp(rmul(v, self.t["back.input.multiplier"][0]), -128, 127) for v in x16]
        logits = self.rows("back", x8, -32768, 32767)
        mask = [self.sigmoid(logit) for logit in logits]
        self.show("back_input", x8)
        self.show("logits", logits)
        self.show("suppression", mask)
        self.show("synthesis", self.frontend.synthesise(spectrum, mask))
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
        v = self.pool(i, x8)
        g = self.rows(f"{name}.gate.reduce", v, 0, 32767)
        score_weight, score_bias = self.t[f"{name}.gate.score.weight"], self.t[f"{name}.gate.score.bias"]
        score = [dot(w, g, b) for w, b in zip(score_weight, score_bias, strict=True)]
        bits = [0] * len(score)
        best = sorted((-s, n) for n, s in enumerate(score) if s > 0)
        for _, n in best[: min(self.config.block_limit, self.left)]:
            bits[n] = 1
        self.left -= sum(bits)
        h = self.rows(f"{name}.expand", x8, 0, 127)
        if hidden:
            h = [value if bit else 0 for value, bit in zip(h, bits, strict=True)]
        dilation = self.config.block_dilations[i]
        past = self.history[i]
        d = []
        for r in range(self.config.hidden):
            taps = [past[0][r], past[dilation][r], h[r]]
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
        padded = bits + [0] * (-len(bits) % 32)
        words = [sum(bit << k for k, bit in enumerate(padded[j : j + 32])) for j in range(0, len(padded), 32)]
        values = {
            "input": x8,
            "pool": v,
            "gate": g,
            "score": score,
            "mask": words,
            "expand": h,
            "depthwise": d,
            "project": after,
        }
        for stage, shown in values.items():
            self.show(f"block{i}_{stage}", shown)
        c_, h_, g_ = self.config.channels, self.config.hidden, self.config.gate
        dense = (2 * c_ + 3) * sum(bits) if hidden else c_ * h_ + 3 * h_ + h_ * sum(bits)
        return after, bits, c_ * g_ + g_ * self.config.gated + dense

    def pool(self, i: int, x8: list[int]) -> list[int]:
        if self.config.pooling == "window":
            oldest = self.ring[i][self.slot]
            self.pooled[i] = [s + x - o for s, x, o in zip(self.pooled[i], x8, oldest, strict=True)]
            self.ring[i][self.slot] = x8
        else:
            a = self.t[f"blocks.{i}.pool.coefficient"][0]
            self.pooled[i] = [s + rmul(256 * x - s, a) for s, x in zip(self.pooled[i], x8, strict=True)]
        return list(self.pooled[i])

    def smooth(self, words: list[int]) -> list[int]:
        assert self.bundle.probes is not None
        tasks = [task for task in self.bundle.probes.tasks for _ in range(task.outputs)]
        signals = []
        for o, (task, word) in enumerate(zip(tasks, words, strict=True)):
            if task.smoothing == 0:
                signals.append(word)
                continue
            self.average[o] += (256 * word - self.average[o]) >> task.smoothing
            assert -(2**31) <= 256 * word - self.average[o] < 2**31
            signals.append((self.average[o] + 128) >> 8)
        return signals

    def sigmoid(self, logit: int) -> int:
        i, f = (logit + 32768) >> 8, (logit + 32768) & 255
        table = self.t["sigmoid"]
        return int((table[i] * (256 - f) + table[i + 1] * f + 128) >> 8)

    def show(self, stage: str, values: list[int]) -> None:
        self.seen[stage].append(values)


@pytest.mark.parametrize("gate_site", ["output", "hidden"])
@pytest.mark.parametrize("pooling", ["window", "ema"])
@pytest.mark.parametrize("caps", [(None, None), (2, None), (None, 4), (2, 3)], ids=str)
def test_every_stage_equals_the_literal_specification(pooling: Any, gate_site: Any, caps: Any) -> None:
    config = NetworkConfig(
        channels=7,
        hidden=37,
        gate=5,
        stacks=2,
        dilations=(1, 3),
        pooling=pooling,
        pooling_frames=6,
        gate_site=gate_site,
        block_cap=caps[0],
        frame_cap=caps[1],
    )
    bundle = random_bundle(config, seed=3, probes="int16" if pooling == "ema" else "int8")
    pcm = speech_like(70)[56 * 256 :]
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
    masks = [[w for i in range(4) for w in device.seen[f"block{i}_mask"][n]] for n in range(result.frames)]
    assert result.masks.tolist() == masks
    # The comparison means something only where gates switch, and caps hold some back.
    free = run(bundle, pcm, caps=Caps(config.gated, config.blocks * config.gated))
    assert 0 < free.active.mean() < config.blocks * config.gated
    assert len(set(free.active.tolist())) > 1
    assert not np.array_equal(free.signals, free.words)
    assert config.capped != np.array_equal(result.masks, free.masks)
