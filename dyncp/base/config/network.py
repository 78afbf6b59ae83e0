# SPDX-License-Identifier: Apache-2.0
"""The shape of a network, and its MACs."""

from __future__ import annotations

from itertools import pairwise
from math import ceil
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from dyncp.base.config.framing import STANDARD, Framing
from dyncp.base.config.reading import StrictModel, without

# Of the options of a network that came after the first bundles, whose hashes know nothing of them.
LATER_DEFAULTS = {
    "bands": None,
    "gate_period": 1,
    "gate_shared": "block",
    "hop": STANDARD.hop,
    "fft": STANDARD.fft,
    "analysis_window": STANDARD.analysis,
    "synthesis_window": STANDARD.synthesis,
    "kernel": 3,
    "sample_rate": STANDARD.rate,
}


MOST_BANDS = 256

# Frames of a one-pole average: its coefficient 2 / (F + 1) is a factor of the device, 1/2 at most.
LEAST_POLE = 3
Frames = Annotated[int, Field(ge=1, le=256)]


class NetworkConfig(StrictModel):
    """Shape of a Conv-FSENet with Dynamic Channel Pruning (arXiv 2602.10666, section 2)."""

    channels: int = Field(128, ge=4, le=1024, description="residual channels, C_res")
    hidden: int = Field(256, ge=4, le=2048, description="conv channels inside a block")
    stacks: int = Field(3, ge=1, le=8)
    dilations: tuple[int, ...] = Field((1, 2, 4), min_length=1, max_length=8)
    kernel: int = Field(3, ge=2, le=5, description="taps of the depthwise convolutions, K")
    gate: int = Field(16, ge=1, le=256, description="gate bottleneck channels")
    gate_site: Literal["output", "hidden", "none"] = Field("output", description="none: a static network, no gates")
    pooling: Literal["window", "ema", "gate"] = Field("window", description="gate: of its values, not of its input")
    pooling_frames: Frames | Annotated[tuple[Frames, ...], Field(min_length=1)] = Field(
        43, description="frames of the moving average; ema: 2/(F+1); gate: a list, of its values in turn"
    )
    block_cap: int | None = Field(None, ge=1, description="most channels that a block computes in one frame")
    frame_cap: int | None = Field(None, ge=1, description="most channels that all blocks compute in one frame")
    bands: tuple[int, ...] | None = Field(None, description="edges: band b has bins e[b] to e[b+1] − 1")
    gate_period: int = Field(1, ge=1, le=16, description="frames from one decision of a gate to its next, K")
    gate_shared: Literal["block", "stack", "network"] = Field("block", description="whose blocks one gate decides for")

    sample_rate: int = Field(STANDARD.rate, description="Hz, 8000 or 16000; sizes of frames are in its samples")
    hop: int = Field(STANDARD.hop, description="samples from one frame to the next, 32 to 512")
    fft: int = Field(STANDARD.fft, description="points of the transform: 128, 256, 512 or 1024")
    analysis_window: int = Field(STANDARD.analysis, description="samples that a transform sees, at most fft")
    synthesis_window: int = Field(STANDARD.synthesis, description="samples that it gives back: delay and hop")

    @model_serializer(mode="wrap")
    def _without_later_options(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Options that came later are left out at their defaults: hashes of earlier networks stay what they were."""
        return without(LATER_DEFAULTS, handler(self))

    @model_validator(mode="after")
    def _frames_reconstruct(self) -> NetworkConfig:
        if fault := self.framing.fault():
            raise ValueError(fault)
        return self

    @model_validator(mode="after")
    def _bands_cover_the_bins(self) -> NetworkConfig:
        edges, bins = self.bands, self.framing.bins
        if edges is None:
            return self
        if len(edges) < 2 or edges[0] != 0 or edges[-1] != bins or any(a >= b for a, b in pairwise(edges)):
            raise ValueError(f"bands: edges must rise from 0 to {bins}")
        if MOST_BANDS < len(edges) - 1 < bins:
            raise ValueError(f"bands: at most {MOST_BANDS}, whose numbers fit 8 bits, or all {bins} bins")
        return self

    @model_validator(mode="after")
    def _gates_that_hold(self) -> NetworkConfig:
        if self.decides_every_block_and_frame:
            return self
        if not self.gated:
            raise ValueError("gate_period, gate_shared: a static network (gate_site none) has no gates")
        if self.frame_cap is not None:
            raise ValueError(
                "frame_cap: needs gates that decide in every frame, each for one block (gate_period 1, gate_shared "
                "block); block_cap bounds the others"
            )
        return self

    @model_validator(mode="after")
    def _poles_fit_the_device(self) -> NetworkConfig:
        listed = isinstance(self.pooling_frames, tuple)
        if listed != self.pools_values:
            raise ValueError(f"pooling_frames: pooling {self.pooling!r} takes {'one number' if listed else 'a list'}")
        if isinstance(self.pooling_frames, tuple) and len(self.pooling_frames) > self.gate:
            raise ValueError(f"pooling_frames: more than the gate's {self.gate} values, which take them in turn")
        if self.gated and self.pooling != "window" and min(self._pooled) < LEAST_POLE:
            raise ValueError(f"pooling_frames: an average of one pole takes {LEAST_POLE} frames or more")
        return self

    @model_validator(mode="after")
    def _dilations_in_range(self) -> NetworkConfig:
        if any(not 1 <= d <= 64 for d in self.dilations):
            raise ValueError("dilations: each must be between 1 and 64")
        return self

    @model_validator(mode="after")
    def _caps_have_gates(self) -> NetworkConfig:
        if self.capped and not self.gated:
            raise ValueError("block_cap, frame_cap: a static network (gate_site none) has no channels to choose from")
        return self

    @property
    def framing(self) -> Framing:
        return Framing(self.hop, self.fft, self.analysis_window, self.synthesis_window, self.sample_rate)

    @property
    def block_dilations(self) -> tuple[int, ...]:
        """Dilation of every block in order; restarts with each stack."""
        return self.dilations * self.stacks

    @property
    def block_pasts(self) -> tuple[int, ...]:
        """Past frames that the depthwise convolution of every block reaches back over, in order."""
        return tuple((self.kernel - 1) * dilation for dilation in self.block_dilations)

    @property
    def blocks(self) -> int:
        return len(self.block_dilations)

    @property
    def gated(self) -> int:
        """Gated channels per block, N; 0 in a static network."""
        return {"output": self.channels, "hidden": self.hidden, "none": 0}[self.gate_site]

    @property
    def spectrum(self) -> int:
        """Values per frame at both ends: bands, or all bins."""
        return self.framing.bins if self.bands is None else len(self.bands) - 1

    @property
    def banded(self) -> bool:
        """Whether the ends have fewer values than bins; bands of one bin each are bins."""
        return self.spectrum < self.framing.bins

    @property
    def blocks_per_gate(self) -> int:
        """Blocks that one gate decides for: a group."""
        return {"block": 1, "stack": len(self.dilations), "network": self.blocks}[self.gate_shared]

    @property
    def groups(self) -> int:
        """Gates of the network; group g holds blocks g · `blocks_per_gate` and on. 0 in a static network."""
        return self.blocks // self.blocks_per_gate if self.gated else 0

    @property
    def decides_every_block_and_frame(self) -> bool:
        """Whether gates are the paper's: one per block, deciding in every frame."""
        return self.gate_period == 1 and self.gate_shared == "block"

    @property
    def capped(self) -> bool:
        return self.block_cap is not None or self.frame_cap is not None

    @property
    def block_limit(self) -> int:
        """Most active channels in a block of one frame: `block_cap`, or all."""
        return self.gated if self.block_cap is None else min(self.block_cap, self.gated)

    @property
    def frame_limit(self) -> int:
        """Most active channels in all blocks of one frame together."""
        most = self.blocks * self.block_limit
        return most if self.frame_cap is None else min(self.frame_cap, most)

    @property
    def mask_words_per_block(self) -> int:
        return (self.gated + 31) // 32

    @property
    def mask_words(self) -> int:
        return self.mask_words_per_block * self.blocks

    @property
    def receptive_field(self) -> int:
        """Frames that one output frame depends on through the convolutions (43 for `paper`)."""
        return 1 + sum(self.block_pasts)

    @property
    def macs_per_channel(self) -> int:
        """MACs that one active gated channel costs in one frame; 0 in a static network."""
        return {"output": self.hidden, "hidden": 2 * self.channels + self.kernel, "none": 0}[self.gate_site]

    @property
    def gate_macs(self) -> int:
        """MACs of one decision of one gate, for all blocks of its group."""
        return self.gate * (self.channels + self.blocks_per_gate * self.gated) if self.gated else 0

    def decides(self, group: int, frame: int) -> bool:
        """Whether a group's gate decides in a frame, counted from the start of the stream; groups take turns."""
        return (frame - group) % self.gate_period == 0

    def macs(self, active: int, *, gates: bool = True) -> int:
        """MACs of one frame with `active` gated channels in total (docs/arithmetic.md, section 10).

        Where gates decide every K frames, their share is the mean over K frames, rounded up.
        """
        return self._macs(active, self.groups if gates else 0, self.gate_period)

    def frame_macs(self, frame: int, active: int) -> int:
        """MACs of one frame of a stream, exactly: with the gates that decide in it and no other."""
        return self._macs(active, sum(self.decides(group, frame) for group in range(self.groups)), 1)

    def macs_by_frame(self, active: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """`frame_macs` of a stream's first frames, given the active channels of each, [n]."""
        turn = np.array([self.frame_macs(frame, 0) for frame in range(self.gate_period)], dtype=np.int64)
        return np.resize(turn, len(active)) + self.macs_per_channel * active.astype(np.int64)

    @property
    def least_macs(self) -> int:
        """MACs that every frame takes."""
        return self._macs(0, self.groups // self.gate_period, 1)

    @property
    def _pooled(self) -> tuple[int, ...]:
        return self.pooling_frames if isinstance(self.pooling_frames, tuple) else (self.pooling_frames,)

    @property
    def pools_values(self) -> bool:
        """Whether gates average their own values, after the bottleneck, instead of what they hear, before it."""
        return self.pooling == "gate"

    @property
    def pooled_frames(self) -> int:
        """Frames of the moving average, or of the longest where each value of a gate has its own."""
        return max(self._pooled)

    @property
    def pooled_channels(self) -> int:
        """What a gate pools: residual channels, or its own values."""
        return self.gate if self.pools_values else self.channels

    @property
    def pole_frames(self) -> tuple[int, ...]:
        """Frames of one-pole averages: one number for all channels, or one for each value of a gate, [G]."""
        values = self.gate if self.pools_values else 1
        return tuple(self._pooled[value % len(self._pooled)] for value in range(values))

    @property
    def warm_up(self) -> int:
        """Frames until the pooling before the gates holds no more of the silence before the start."""
        return self.pooled_frames * self.gate_period

    def group(self, block: int) -> int:
        """The group of a block: whose gate decides for it."""
        return block // self.blocks_per_gate

    def has_gate(self, block: int) -> bool:
        """Whether the gate of a block's group belongs to this block, the group's first."""
        return bool(self.gated) and block % self.blocks_per_gate == 0

    def macs_with(self, active: int) -> int:
        """MACs that no frame with so many active channels exceeds: that of the most decisions."""
        return self._macs(active, ceil(self.groups / self.gate_period), 1)

    @property
    def most_macs(self) -> int:
        """MACs that no frame exceeds."""
        return self.macs_with(self.frame_limit)

    def _macs(self, active: int, decisions: int, frames: int) -> int:
        """With so many decisions of gates in so many frames."""
        ends = 2 * self.spectrum * self.channels
        taps = self.kernel
        always = {"output": self.channels + taps, "hidden": 0, "none": 2 * self.channels + taps}
        dense = self.blocks * always[self.gate_site] * self.hidden
        return ends + ceil(decisions * self.gate_macs / frames) + dense + self.macs_per_channel * active
