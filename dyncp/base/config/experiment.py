# SPDX-License-Identifier: Apache-2.0
"""A whole experiment: network, mixing and training, from a preset or a file."""

from __future__ import annotations

from pathlib import Path

from pydantic import model_validator

from dyncp.base.config.framing import HOP
from dyncp.base.config.mixing import MixingConfig
from dyncp.base.config.network import NetworkConfig
from dyncp.base.config.reading import StrictModel, parse, read_toml
from dyncp.base.config.training import TrainingConfig
from dyncp.base.errors import ConfigError
from dyncp.base.paths import PRESETS

DAY = "day"
"""The preset that is a recipe of audio (train/day/recipe.py), and no network."""


class Config(StrictModel):
    """A whole experiment, as in `dyncp/presets/*.toml`."""

    network: NetworkConfig = NetworkConfig()
    mixing: MixingConfig = MixingConfig()
    training: TrainingConfig = TrainingConfig()

    @model_validator(mode="after")
    def _clips_hold_a_segment(self) -> Config:
        # A segment of ESTOI is 24 standard frames, of what is left without the delay.
        framing = self.network.framing
        left, segment = framing.frames(self.mixing.clip_s) * framing.hop - framing.delay, 24 * framing.samples(HOP)
        if self.training.intelligibility_weight and left < segment:
            least = (segment + framing.delay) / framing.rate
            raise ValueError(f"mixing.clip_s: training.intelligibility_weight needs clips of at least {least:g} s")
        return self

    @model_validator(mode="after")
    def _gates_close_something(self) -> Config:
        kept, network = self.open_channels, self.network
        if not any(kept):
            return self
        if not network.gated:
            raise ValueError("training.open_channels: a static network (gate_site none) has no gates")
        if len(kept) != network.blocks:
            raise ValueError(f"training.open_channels: one number for all {network.blocks} blocks, or one for each")
        if max(kept) >= network.gated:
            raise ValueError(
                f"training.open_channels: of {network.gated} gated channels per block, at least one has to close"
            )
        return self

    @model_validator(mode="after")
    def _gates_have_widths(self) -> Config:
        if self.training.nested_widths and self.network.gated < 2:
            raise ValueError("training.nested_widths: a block has no gates (gate_site none), or a single channel")
        return self

    @model_validator(mode="after")
    def _gates_can_lean(self) -> Config:
        if self.training.lean and self.network.groups < 2:
            raise ValueError("training.lean: there is no gate but the first")
        return self

    @property
    def open_channels(self) -> tuple[int, ...]:
        """Of each block, how many of its gated channels training never closes."""
        given = self.training.open_channels
        return (given,) * self.network.blocks if isinstance(given, int) else given


def find_config(name: str | Path) -> Path:
    """A preset's name or a path to a TOML file."""
    preset = PRESETS / f"{name}.toml"
    if preset.is_file():
        return preset
    if Path(name).is_file():
        return Path(name)
    known = ", ".join(sorted(p.stem for p in PRESETS.glob("*.toml") if p.stem != DAY))
    raise ConfigError(f"{name}: neither a TOML file nor a preset; presets are {known}")


def load_config(name: str | Path) -> Config:
    path = find_config(name)
    return parse(Config, read_toml(path), str(path))


def with_epochs(config: Config, epochs: int | None) -> Config:
    """The same experiment for so many epochs; None: as many as it says."""
    if epochs is None:
        return config
    return config.model_copy(update={"training": config.training.model_copy(update={"epochs": epochs})})
