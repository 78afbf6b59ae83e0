# SPDX-License-Identifier: Apache-2.0
"""Probe tasks: what the signals beside the audio are called and mean. Imports no torch."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from dyncp.base.config.reading import StrictModel, without

# A mask bit is informative where its standard deviation over the frames exceeds this (arXiv 2602.10666).
TAU = 0.005


# Of what came after the first probe sets, whose files know nothing of it.
LATER_TASK_DEFAULTS = {"period": 1}

Period = Literal[1, 2, 4, 8, 16]


class Task(StrictModel):
    """What one task's outputs mean."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)
    kind: Literal["binary", "multiclass", "regression"]
    outputs: int = Field(ge=1, le=64)
    unit: str
    classes: list[str] = Field(default_factory=list, description="names of a multiclass task's outputs, in order")
    frames: Literal["all", "speech"] = Field(
        "all", description="frames that the task is fitted and scored on, and where its signal is valid"
    )
    smoothing: int = Field(0, ge=0, le=7, description="one-pole over the outputs, coefficient 2^-smoothing; 0: none")
    period: Period = Field(
        1, description="its signal and decision are made in one frame of so many, from the first on, and hold"
    )

    @model_serializer(mode="wrap")
    def _without_later_fields(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Fields that came later are left out at their defaults: earlier sets keep their files and hashes."""
        return without(LATER_TASK_DEFAULTS, handler(self))

    @model_validator(mode="after")
    def _outputs_suit_kind(self) -> Task:
        if self.kind == "multiclass":
            if self.outputs < 2 or len(self.classes) != self.outputs:
                raise ValueError("a multiclass task names each of its two or more outputs in `classes`")
        elif self.outputs != 1 or self.classes:
            raise ValueError(f"a {self.kind} task has one output and no classes")
        return self


VOICE_ACTIVITY = Task(name="vad", kind="binary", outputs=1, unit="log-odds")
SNR_IN = Task(name="snr_in", kind="regression", outputs=1, unit="dB", frames="speech")
SNR_OUT = Task(name="snr_out", kind="regression", outputs=1, unit="dB", frames="speech")
SI_SDR = Task(name="si_sdr", kind="regression", outputs=1, unit="dB", frames="speech")
PESQ = Task(name="pesq", kind="regression", outputs=1, unit="MOS")
PITCH = Task(name="f0", kind="regression", outputs=1, unit="Hz", frames="speech")


def classes_task(name: str, classes: list[str], frames: Literal["all", "speech"]) -> Task:
    """Gender and accent (`speech`), noise category (`all`): the classes are those of the corpus, sorted."""
    return Task(name=name, kind="multiclass", outputs=len(classes), unit="log-odds", classes=classes, frames=frames)
