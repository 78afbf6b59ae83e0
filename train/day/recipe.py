# SPDX-License-Identifier: Apache-2.0
"""The recipe of the day, data of dyncp/presets/day.toml: which situations, in which shares, at which levels."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from pydantic import Field, model_validator

from dyncp.base.config.experiment import DAY
from dyncp.base.config.reading import StrictModel, parse, read_toml
from dyncp.base.paths import PRESETS
from dyncp.train.day.talk import Turns
from dyncp.train.streams.streams import Range

Kind = Literal["conversation", "noise", "quiet", "silence"]
"""What a stretch of the day is."""

Condition = Literal["speech", "pause", "noise", "quiet", "silence"]
"""What a frame of it is: a conversation is speech and the pauses between."""

KINDS: tuple[Kind, ...] = get_args(Kind)
CONDITIONS: tuple[Condition, ...] = get_args(Condition)
SPEECH, PAUSE = CONDITIONS.index("speech"), CONDITIONS.index("pause")


class Shares(StrictModel):
    """Of the time."""

    conversation: float = Field(0.6, gt=0, le=1)
    noise: float = Field(0.2, ge=0, le=1, description="noise alone")
    quiet: float = Field(0.15, ge=0, le=1, description="a quiet room: noise of some steps of int16")
    silence: float = Field(0.05, ge=0, le=1, description="digital silence")

    @model_validator(mode="after")
    def _whole(self) -> Shares:
        total = self.conversation + self.noise + self.quiet + self.silence
        if abs(total - 1) > 1e-6:
            raise ValueError(f"conversation, noise, quiet, silence: must add up to 1, not to {total:g}")
        return self


class Levels(StrictModel):
    """Ranges, spread evenly over the stretches that they are for."""

    snr_db: Range = Field((-5.0, 40.0), description="active speech over the noise of its stretch")
    speech_dbfs: Range = Field((-40.0, -15.0), description="active speech level")
    noise_dbfs: Range = Field((-65.0, -25.0), description="RMS of noise alone")
    quiet_lsb: Range = Field((0.5, 8.0), description="RMS of a quiet room in steps of int16; spread evenly in dB")

    @model_validator(mode="after")
    def _ranges(self) -> Levels:
        bounds = {"snr_db": (-60, 100), "speech_dbfs": (-80, 0), "noise_dbfs": (-90, 0), "quiet_lsb": (0.1, 100)}
        for name, (least, most) in bounds.items():
            low, high = getattr(self, name)
            if not least <= low <= high <= most:
                raise ValueError(f"{name}: must rise within {least:g} to {most:g}, not from {low:g} to {high:g}")
        return self


class DayConfig(StrictModel):
    """The recipe, as in dyncp/presets/day.toml."""

    stretch_s: float = Field(20.0, ge=4, le=600, description="how long one situation lasts")
    shares: Shares = Shares()
    turns: Turns = Turns()
    levels: Levels = Levels()


def load_day(path: Path | None = None) -> DayConfig:
    """The recipe of a TOML file, or the one that comes with dyncp. Raises ConfigError."""
    path = path or PRESETS / f"{DAY}.toml"
    return parse(DayConfig, read_toml(path), str(path))
