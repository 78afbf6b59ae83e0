# SPDX-License-Identifier: Apache-2.0
"""The network's configuration: data (TOML), validated, shared by every room. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise
from math import ceil
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic_core import ErrorDetails

from dyncp.base.errors import ConfigError
from dyncp.base.files.reading import LARGEST_TOML, parse_toml, read_limited
from dyncp.base.paths import PRESETS

SAMPLE_RATE = 16_000
HOP = 256
FFT = 512
BINS = FFT // 2 + 1

DAY = "day"
"""The preset that is a recipe of audio (train/day/recipe.py), and no network."""

# Of the options of a network that came after the first bundles, whose hashes know nothing of them.
LATER_DEFAULTS = {"bands": None, "gate_period": 1, "gate_shared": "block"}

# Of those of a training that came after the first checkpoints, whose files know nothing of them.
LATER_TRAINING_DEFAULTS = {"patience": None, "keep_best": False}


# Beyond any use; steps of more than float32 holds would end the optimizer with an error of its own.
LARGEST_RATE = 1e30


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
    bands: tuple[int, ...] | None = Field(None, description="edges: band b has bins e[b] to e[b+1] − 1")
    gate_period: int = Field(1, ge=1, le=16, description="frames from one decision of a gate to its next, K")
    gate_shared: Literal["block", "stack", "network"] = Field("block", description="whose blocks one gate decides for")

    @model_serializer(mode="wrap")
    def _without_later_options(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Options that came later are left out at their defaults: hashes of earlier networks stay what they were."""
        return _without(LATER_DEFAULTS, handler(self))

    @model_validator(mode="after")
    def _bands_cover_the_bins(self) -> NetworkConfig:
        edges = self.bands
        if edges is None:
            return self
        if len(edges) < 2 or edges[0] != 0 or edges[-1] != BINS or any(a >= b for a, b in pairwise(edges)):
            raise ValueError(f"bands: edges must rise from 0 to {BINS}")
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
    def spectrum(self) -> int:
        """Values per frame at both ends: bands, or all bins."""
        return BINS if self.bands is None else len(self.bands) - 1

    @property
    def banded(self) -> bool:
        """Whether the ends have fewer values than bins; bands of one bin each are bins."""
        return self.spectrum < BINS

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
        return 1 + sum(2 * d for d in self.block_dilations)

    @property
    def macs_per_channel(self) -> int:
        """MACs that one active gated channel costs in one frame; 0 in a static network."""
        return {"output": self.hidden, "hidden": 2 * self.channels + 3, "none": 0}[self.gate_site]

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
    def warm_up(self) -> int:
        """Frames until the pooling before the gates holds no more of the silence before the start."""
        return self.pooling_frames * self.gate_period

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
        always = {"output": self.channels + 3, "hidden": 0, "none": 2 * self.channels + 3}
        dense = self.blocks * always[self.gate_site] * self.hidden
        return ends + ceil(decisions * self.gate_macs / frames) + dense + self.macs_per_channel * active


def _without(defaults: dict[str, Any], dumped: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in dumped.items() if name not in defaults or value != defaults[name]}


Model = TypeVar("Model", bound=StrictModel)


def parse(model: type[Model], data: object, source: str) -> Model:
    """Validate `data`, turning every complaint into one ConfigError that names file and field."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        details = "; ".join(
            f"{'.'.join(str(part) for part in e['loc']) or 'document'}: {e['msg']}{_known_fields(model, e)}"
            for e in error.errors()
        )
        raise ConfigError(f"{source}: {details}") from None


def _known_fields(model: type[BaseModel], error: ErrorDetails) -> str:
    """For an unknown field, the names that are known where it stands, the likeliest first."""
    if error["type"] != "extra_forbidden":
        return ""
    inner = model
    for part in error["loc"][:-1]:
        field = inner.model_fields.get(str(part))
        found = [] if field is None else _models(field.annotation)
        # In lists and unions, the place names an index or a class; the model stays that of the field.
        inner = found[0] if found else inner
    wanted, names = str(error["loc"][-1]), [f.alias or name for name, f in inner.model_fields.items()]
    close = get_close_matches(wanted, names, 1)
    guess = f"did you mean {close[0]}? " if close else ""
    return f" ({guess}known are {', '.join(names)})"


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The models that a field's type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


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
    known = ", ".join(sorted(p.stem for p in PRESETS.glob("*.toml") if p.stem != DAY))
    raise ConfigError(f"{name}: neither a TOML file nor a preset; presets are {known}")


class MixingConfig(StrictModel):
    """How noisy clips are made on the fly."""

    model_config = ConfigDict(allow_inf_nan=False)

    clip_s: float = Field(2.0, gt=0.25, le=30, description="seconds per clip")
    snr_db: tuple[float, float] = Field((-5.0, 20.0), description="uniform range")
    level_dbfs: tuple[float, float] = Field((-42.0, -12.0), description="active speech level, uniform range")
    noise_only: float = Field(0.05, ge=0, le=1, description="share of clips without speech")
    second_noise: float = Field(0.3, ge=0, le=1, description="share of clips with two noises")
    eq_db: float = Field(6.0, ge=0, le=24, description="depth of the random smooth equalization of both parts")
    speed: float = Field(0.1, ge=0, le=0.5, description="largest relative change of speed and pitch")
    # What people meet beside noisy speech (train/mixing/everyday.py); shares of all clips.
    clean: float = Field(0.0, ge=0, le=1, description="share of clips of clean speech")
    clean_snr_db: tuple[float, float] = Field((20.0, 40.0), description="of clean speech, uniform range")
    quiet: float = Field(0.0, ge=0, le=1, description="share of clips of a quiet room: some steps of int16, no speech")
    silence: float = Field(0.0, ge=0, le=1, description="share of clips of digital silence")
    pauses: float = Field(0.0, ge=0, le=1, description="share of clips with a pause of 0.5 to 3 s put into the speech")
    steps: float = Field(0.0, ge=0, le=1, description="share of clips whose gain changes once")
    step_db: float = Field(12.0, ge=0, le=40, description="largest change of gain, either way")
    clipping: float = Field(0.0, ge=0, le=1, description="share of clips driven 1 to 9 dB over full scale")

    @model_validator(mode="after")
    def _ranges(self) -> MixingConfig:
        for name in ("snr_db", "level_dbfs", "clean_snr_db"):
            low, high = getattr(self, name)
            if not low <= high:
                raise ValueError(f"{name}: the lower end {low} lies above the upper end {high}")
        return self

    @model_validator(mode="after")
    def _kinds_exclude_each_other(self) -> MixingConfig:
        if self.clean + self.quiet + self.silence > 1:
            raise ValueError("clean, quiet, silence: a clip is one of them, so the shares sum to at most 1")
        return self


@dataclass(frozen=True)
class ByKind:
    """A figure for frames near speech and one for all others (train/losses/kinds.py)."""

    speech: float
    rest: float


class TrainingConfig(StrictModel):
    """Optimization: AdamW, linear warm-up, cosine decay; utilization falls linearly to its target."""

    model_config = ConfigDict(allow_inf_nan=False)

    seed: int = Field(1, ge=0)
    batch: int = Field(16, ge=1)
    epochs: int = Field(60, ge=1)
    steps_per_epoch: int = Field(250, ge=1)
    learning_rate: float = Field(1.5e-3, gt=0, le=LARGEST_RATE)
    final_learning_rate: float = Field(1e-5, ge=0, le=LARGEST_RATE)
    warmup: float = Field(0.05, ge=0, lt=1, description="share of all steps")
    weight_decay: float = Field(0.01, ge=0, le=1e6)
    target_utilization: float = Field(0.25, gt=0, le=1)
    speech_utilization: float | None = Field(None, gt=0, le=1, description="target in frames near speech; see kinds.py")
    rest_utilization: float | None = Field(None, gt=0, le=1, description="target in all other frames")
    utilization_weight: float = Field(5.0, ge=0)
    utilization_ramp: float = Field(0.3, ge=0, le=1, description="share of all steps until the target is reached")
    perceptual_weight: float = Field(0.0, ge=0, description="of the loss modelled on PESQ (train/losses/perceptual.py)")
    perceptual_compensation: float = Field(1.0, ge=0, le=1, description="how far it forgives slow gains and filters")
    intelligibility_weight: float = Field(0.0, ge=0, description="of 1 − ESTOI (train/losses/intelligibility.py)")
    waveform_weight: float = Field(0.0, ge=0, description="of the waveform's error in dB (train/losses/spectral.py)")
    precision: Literal["float32", "bfloat16"] = Field("float32", description="of the network's matrix products")
    auxiliary_weight: float = Field(0.0, ge=0, description="of the loss of voice activity and SNR read from the masks")
    auxiliary_period: int = Field(1, ge=1, description="batches from one with labels for that loss to the next")
    gate_gradient: float = Field(1.0, ge=0, le=1, description="share that gates pass on to the residual")
    average_decay: float = Field(0.0, ge=0, lt=1, description="of the averaged weights; 0: the last weights")
    patience: int | None = Field(None, ge=1, description="epochs without a better validation until training ends")
    keep_best: bool = Field(False, description="the checkpoint is the epoch's of the best validation, not the last's")

    @model_serializer(mode="wrap")
    def _without_later_options(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Options that came later are left out at their defaults: `config.toml` of earlier trainings stays the same."""
        return _without(LATER_TRAINING_DEFAULTS, handler(self))

    @model_validator(mode="after")
    def _both_kinds_or_none(self) -> TrainingConfig:
        if (self.speech_utilization is None) != (self.rest_utilization is None):
            raise ValueError(
                "speech_utilization, rest_utilization: give both, or neither for one target for all frames"
            )
        return self

    @property
    def by_kind(self) -> ByKind | None:
        """Targets by kind of frame, where they differ."""
        if self.speech_utilization is None or self.rest_utilization is None:
            return None
        return ByKind(self.speech_utilization, self.rest_utilization)


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


def with_epochs(config: Config, epochs: int | None) -> Config:
    """The same experiment for so many epochs; None: as many as it says."""
    if epochs is None:
        return config
    return config.model_copy(update={"training": config.training.model_copy(update={"epochs": epochs})})
