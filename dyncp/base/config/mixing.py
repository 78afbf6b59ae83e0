# SPDX-License-Identifier: Apache-2.0
"""How noisy clips are made on the fly."""

from __future__ import annotations

from pydantic import ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from dyncp.base.config.reading import StrictModel, without

# Of what came after the first checkpoints, whose files know nothing of it.
LATER_MIXING_DEFAULTS = {"rooms": 0.0}


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
    rooms: float = Field(0.0, ge=0, le=1, description="share of clips with speech that are heard in a room")
    # What people meet beside noisy speech (train/mixing/everyday.py); shares of all clips.
    clean: float = Field(0.0, ge=0, le=1, description="share of clips of clean speech")
    clean_snr_db: tuple[float, float] = Field((20.0, 40.0), description="of clean speech, uniform range")
    quiet: float = Field(0.0, ge=0, le=1, description="share of clips of a quiet room: some steps of int16, no speech")
    silence: float = Field(0.0, ge=0, le=1, description="share of clips of digital silence")
    pauses: float = Field(0.0, ge=0, le=1, description="share of clips with a pause of 0.5 to 3 s put into the speech")
    steps: float = Field(0.0, ge=0, le=1, description="share of clips whose gain changes once")
    step_db: float = Field(12.0, ge=0, le=40, description="largest change of gain, either way")
    clipping: float = Field(0.0, ge=0, le=1, description="share of clips driven 1 to 9 dB over full scale")

    @model_serializer(mode="wrap")
    def _without_later_options(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Options that came later are left out at their defaults: `config.toml` of earlier trainings stays the same."""
        return without(LATER_MIXING_DEFAULTS, handler(self))

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
