# SPDX-License-Identifier: Apache-2.0
"""What the reference makes of constructed frames: each stage from what the stages before it are given."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dyncp.export.formats.bundle import Bundle
from dyncp.export.formats.masks import pack_block, pack_masks
from dyncp.export.integers import reference
from dyncp.export.integers.caps import Caps, highest
from dyncp.export.integers.holding import decisions
from dyncp.export.integers.readout import probe_signals, probe_words
from dyncp.export.integers.run import Run, hops
from dyncp.export.transforms import frontend
from dyncp.export.transforms.frontend import Integers
from dyncp.firmware.constants.frames import Frames


def expect(bundle: Bundle, frames: Frames) -> Run:
    """The run of an engine that is right, with its trace (docs/arithmetic.md, stage by stage).

    `active` counts what the gates would open where each decides for one block in every frame, and what is forced
    elsewhere; that is what the C adds up.
    """
    stages = _Stages(bundle, frames)
    stages.front_end()
    opened = sum((stages.block(i) for i in range(bundle.config.blocks)), np.zeros(frames.count, np.int64))
    stages.back_end()
    gains = frontend.over_bins(stages.given("suppression"), bundle.config.bands)
    output = frontend.synthesis(stages.spectrum, gains, bundle.config.framing)
    stages.keep("synthesis", output, "int16")
    words = probe_words(bundle.probes, bundle.config, frames.active)
    signals = words
    if bundle.probes is not None:
        signals = probe_signals(bundle.probes, words)
        stages.keep("probes", words, "int32")
        stages.keep("signals", signals, "int32")
    forced = frames.active.sum(axis=(1, 2), dtype=np.int64)
    return Run(
        output=output.reshape(-1),
        masks=pack_masks(frames.active, bundle.config),
        words=words,
        signals=signals,
        macs=bundle.config.macs_by_frame(forced),
        active=opened if bundle.config.decides_every_block_and_frame else forced,
        trace=stages.trace,
    )


class _Stages:
    """Fills a trace, in the order of the device."""

    def __init__(self, bundle: Bundle, frames: Frames) -> None:
        self.config, self.tensors, self._frames = bundle.config, bundle.tensors, frames
        self.trace: dict[str, NDArray[np.generic]] = {}
        bins = self.given("spectrum")
        self.spectrum = bins[:, 0::2], bins[:, 1::2]
        self._residual = self.given("front")
        self._opened = np.zeros(frames.count, np.int64)

    def given(self, stage: str) -> Integers:
        return self._frames.given[stage].astype(np.int64)

    def keep(self, stage: str, values: NDArray[np.generic], dtype: str) -> None:
        self.trace[stage] = values.astype(dtype)

    def front_end(self) -> None:
        framing = self.config.framing
        spectrum = np.stack(frontend.analysis(hops(self._frames.pcm, framing.hop), framing), axis=2)
        self.keep("spectrum", spectrum.reshape(self._frames.count, -1), "int32")
        thresholds = self.tensors["features.thresholds"]
        self.keep("features", frontend.features(self.spectrum, thresholds, self.config.bands), "int8")
        self.keep("front", reference.front(self.tensors, self.given("features")), "int16")

    def block(self, i: int) -> Integers:
        """The number of gates that the block's own gate opens, [n]; 0 where it has none."""
        config, tensors, name = self.config, self.tensors, f"block{i}"
        active, residual = self._frames.active[:, i], self._residual
        x8 = reference.narrow(tensors, f"blocks.{i}", residual) * reference.reads_input(config, i, active)[:, None]
        if not config.pools_values:
            self.keep(f"{name}_input", x8, "int8")
        opened = self._gate(i) if config.has_gate(i) else np.zeros(self._frames.count, np.int64)
        if config.pools_values:
            self.keep(f"{name}_input", x8, "int8")
        h = reference.expand(tensors, config, i, self.given(f"{name}_input"), active)
        self.keep(f"{name}_expand", h, "int8")
        d = reference.depthwise(tensors, config, i, self.given(f"{name}_expand"), active)
        self.keep(f"{name}_depthwise", d, "int8")
        after = reference.project(tensors, config, i, self.given(f"{name}_depthwise"), residual, active)
        self.keep(f"{name}_project", after, "int16")
        self._residual = self.given(f"{name}_project")
        return opened

    def _gate(self, i: int) -> Integers:
        config, frames, name = self.config, self._frames.count, f"block{i}"
        when = decisions(config, config.group(i), frames)
        after = config.pools_values
        if not after:
            self.keep(f"{name}_pool", self._pool(i, when), "int16")
        read = self._residual if after else self.given(f"{name}_pool")
        self._keep_then(f"{name}_gate", reference.bottleneck(self.tensors, i, read[when]), when, "int16")
        if after:
            self.keep(f"{name}_pool", self._pool(i, when), "int16")
        score = reference.scores(self.tensors, i, self.given(f"{name}_{'pool' if after else 'gate'}")[when])
        self._keep_then(f"{name}_score", score, when, "int32")
        # A mask that is not decided stays as it was forced.
        active = self._frames.active[:, i : i + config.blocks_per_gate].copy()
        limits = Caps.of(config).limit(self._opened if config.decides_every_block_and_frame else 0)
        limits = np.broadcast_to(limits, frames)[when]
        by_block = score.reshape(len(score), config.blocks_per_gate, config.gated)
        active[when] = np.stack([highest(by_block[:, m], limits) for m in range(config.blocks_per_gate)], axis=1)
        self.keep(f"{name}_mask", pack_block(active).reshape(frames, -1), "uint32")
        opened: Integers = active.sum(axis=(1, 2), dtype=np.int64)
        self._opened = self._opened + opened
        return opened

    def _keep_then(self, stage: str, values: Integers, when: slice, dtype: str) -> None:
        """Of the frames of decisions; 0 in the others."""
        everywhere = np.zeros((self._frames.count, values.shape[1]), np.int64)
        everywhere[when] = values
        self.keep(stage, everywhere, dtype)

    def _pool(self, i: int, when: slice) -> Integers:
        """From the pooling that the frame before was given; in a frame without a decision, that one."""
        config, given = self.config, self.given(f"block{i}_pool")
        before = np.vstack([np.zeros_like(given[:1]), given[:-1]])
        x, pooled = self.given(f"block{i}_{'gate' if config.pools_values else 'input'}")[when], before.copy()
        if config.pooling == "window":
            pooled[when] += x - reference.delayed(x, config.pooled_frames)
        else:
            pooled[when] = reference.follow(self.tensors, config, i, before[when], x)
        return pooled

    def back_end(self) -> None:
        self.keep("back_input", reference.narrow(self.tensors, "back", self._residual), "int8")
        self.keep("logits", reference.back(self.tensors, self.given("back_input")), "int16")
        self.keep("suppression", frontend.suppression(self.given("logits")), "uint16")
