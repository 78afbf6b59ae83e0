# SPDX-License-Identifier: Apache-2.0
"""The network's configuration: data (TOML), validated, shared by every room. Imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dyncp.base.errors import ConfigError
from dyncp.base.files.reading import LARGEST_TOML, parse_toml, read_limited
from dyncp.base.paths import PRESETS

SAMPLE_RATE = 16_000
HOP = 256
FFT = 512
BINS = FFT // 2 + 1


class StrictModel(BaseModel):
    """Immutable; an unknown field is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NetworkConfig(StrictModel):
    """Shape of a Conv-FSENet with Dynamic Channel Pruning (arXiv 2602.10666, section 2)."""

    channels: int = Field(128, ge=4, le=1024, description="residual channels, C_res")
    hidden: int = Field(256, ge=4, le=2048, description="conv channels inside a block")
    stacks: int = Field(3, ge=1, le=8)
    dilations: tuple[int, ...] = Field((1, 2, 4), min_length=1, max_length=8)
    gate: int = Field(16, ge=1, le=256, description="gate bottleneck channels")
    gate_site: Literal["output", "hidden", "none"] = Field("output", description="none: a static network, no gates")
    pooling: Literal["window", "ema"] = "window"
    pooling_frames: int = Field(43, ge=1, le=256, description="frames of the moving average; ema: 2/(F+1)")
    block_cap: int | None = Field(None, ge=1, description="most channels that a block computes in one frame")
    frame_cap: int | None = Field(None, ge=1, description="most channels that all blocks compute in one frame")

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
    def block_dilations(self) -> tuple[int, ...]:
        """Dilation of every block in order; restarts with each stack."""
        return self.dilations * self.stacks

    @property
    def blocks(self) -> int:
        return len(self.block_dilations)

    @property
    def gated(self) -> int:
        """Gated channels per block, N; 0 in a static network."""
        return {"output": self.channels, "hidden": self.hidden, "none": 0}[self.gate_site]

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
        return 1 + sum(2 * d for d in self.block_dilations)

    @property
    def macs_per_channel(self) -> int:
        """MACs that one active gated channel costs in one frame; 0 in a static network."""
        return {"output": self.hidden, "hidden": 2 * self.channels + 3, "none": 0}[self.gate_site]

    def macs(self, active: int, *, gates: bool = True) -> int:
        """MACs of one frame with `active` gated channels in total (docs/arithmetic.md, section 10)."""
        ends = 2 * BINS * self.channels
        gate = self.gate * (self.channels + self.gated) if gates and self.gated else 0
        always = {"output": self.channels + 3, "hidden": 0, "none": 2 * self.channels + 3}
        dense = always[self.gate_site] * self.hidden
        return ends + self.blocks * (gate + dense) + self.macs_per_channel * active


Model = TypeVar("Model", bound=StrictModel)


def parse(model: type[Model], data: object, source: str) -> Model:
    """Validate `data`, turning every complaint into one ConfigError that names file and field."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        details = "; ".join(
            f"{'.'.join(str(part) for part in e['loc']) or 'document'}: {e['msg']}" for e in error.errors()
        )
        raise ConfigError(f"{source}: {details}") from None


def read_toml(path: Path) -> dict[str, object]:
    """Raises ConfigError, naming the file, for what is no TOML, or more of it than any configuration needs."""
    return parse_toml(read_limited(path, LARGEST_TOML, ConfigError), path, ConfigError)


def find_config(name: str | Path) -> Path:
    """A preset's name or a path to a TOML file."""
    preset = PRESETS / f"{name}.toml"
    if preset.is_file():
        return preset
    if Path(name).is_file():
        return Path(name)
    known = ", ".join(sorted(p.stem for p in PRESETS.glob("*.toml")))
    raise ConfigError(f"{name}: neither a TOML file nor a preset; presets are {known}")


class MixingConfig(StrictModel):
    """How noisy clips are made on the fly."""

    clip_s: float = Field(2.0, gt=0.25, le=30, description="seconds per clip")
    snr_db: tuple[float, float] = Field((-5.0, 20.0), description="uniform range")
    level_dbfs: tuple[float, float] = Field((-42.0, -12.0), description="active speech level, uniform range")
    noise_only: float = Field(0.05, ge=0, le=1, description="share of clips without speech")
    second_noise: float = Field(0.3, ge=0, le=1, description="share of clips with two noises")
    eq_db: float = Field(6.0, ge=0, le=24, description="depth of the random smooth equalization of both parts")
    speed: float = Field(0.1, ge=0, le=0.5, description="largest relative change of speed and pitch")

    @model_validator(mode="after")
    def _ranges(self) -> MixingConfig:
        for name in ("snr_db", "level_dbfs"):
            low, high = getattr(self, name)
            if not low <= high:
                raise ValueError(f"{name}: the lower end {low} lies above the upper end {high}")
        return self


class TrainingConfig(StrictModel):
    """Optimization: AdamW, linear warm-up, cosine decay; utilization falls linearly to its target."""

    seed: int = Field(1, ge=0)
    batch: int = Field(16, ge=1)
    epochs: int = Field(60, ge=1)
    steps_per_epoch: int = Field(250, ge=1)
    learning_rate: float = Field(1.5e-3, gt=0)
    final_learning_rate: float = Field(1e-5, ge=0)
    warmup: float = Field(0.05, ge=0, lt=1, description="share of all steps")
    weight_decay: float = Field(0.01, ge=0)
    target_utilization: float = Field(0.25, gt=0, le=1)
    utilization_weight: float = Field(5.0, ge=0)
    utilization_ramp: float = Field(0.3, ge=0, le=1, description="share of all steps until the target is reached")
    perceptual_weight: float = Field(0.0, ge=0, description="of the loss modelled on PESQ (train/losses/perceptual.py)")
    intelligibility_weight: float = Field(0.0, ge=0, description="of 1 − ESTOI (train/losses/intelligibility.py)")
    precision: Literal["float32", "bfloat16"] = Field("float32", description="of the network's matrix products")
    auxiliary_weight: float = Field(0.0, ge=0, description="of the loss of voice activity and SNR read from the masks")


class Config(StrictModel):
    """A whole experiment, as in `dyncp/presets/*.toml`."""

    network: NetworkConfig = NetworkConfig()
    mixing: MixingConfig = MixingConfig()
    training: TrainingConfig = TrainingConfig()

    @model_validator(mode="after")
    def _clips_hold_a_segment(self) -> Config:
        # A segment of ESTOI is 24 frames, and one hop goes to the delay.
        if self.training.intelligibility_weight and round(self.mixing.clip_s * SAMPLE_RATE / HOP) < 25:
            raise ValueError("mixing.clip_s: training.intelligibility_weight needs clips of at least 0.4 s")
        return self


def load_config(name: str | Path) -> Config:
    path = find_config(name)
    return parse(Config, read_toml(path), str(path))
