# SPDX-License-Identifier: Apache-2.0
"""How a network is optimized."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from dyncp.base.config.reading import StrictModel, without

# Of those of a training that came after the first checkpoints, whose files know nothing of them.
LATER_TRAINING_DEFAULTS = {
    "patience": None,
    "keep_best": False,
    "open_channels": 0,
    "utilization_by": "kind",
    "speech_weight": 1.0,
    "easy_snr_db": None,
    "block_price": 0.0,
    "nested_widths": False,
    "lean": 0.0,
    "teacher_weight": 0.0,
    "detection_weight": 0.0,
    "gate_rate": 1.0,
}

# Beyond any use; steps of more than float32 holds would end the optimizer with an error of its own.
LARGEST_RATE = 1e30

Channels = Annotated[int, Field(ge=0)]


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
    easy_snr_db: float | None = Field(None, description="speech from this SNR of its clip on counts as rest")
    utilization_by: Literal["kind", "frame", "block"] = Field(
        "kind", description="what the two are asked of: means, each frame, or each block in each frame"
    )
    speech_weight: float = Field(
        1.0, gt=0, le=1e6, description="of frames near speech against those at rest, by frame or block"
    )
    block_price: float = Field(
        0.0, ge=0, le=1e6, description="channels that a block which is not empty counts for beside its own"
    )
    utilization_weight: float = Field(5.0, ge=0)
    utilization_ramp: float = Field(0.3, ge=0, le=1, description="share of all steps until the target is reached")
    perceptual_weight: float = Field(0.0, ge=0, description="of the loss modelled on PESQ (train/losses/perceptual.py)")
    perceptual_compensation: float = Field(1.0, ge=0, le=1, description="how far it forgives slow gains and filters")
    intelligibility_weight: float = Field(0.0, ge=0, description="of 1 − ESTOI (train/losses/intelligibility.py)")
    waveform_weight: float = Field(0.0, ge=0, description="of the waveform's error in dB (train/losses/spectral.py)")
    teacher_weight: float = Field(
        0.0, ge=0, le=1, description="share of a teacher's estimate in the target (train/fitting/teacher.py)"
    )
    precision: Literal["float32", "bfloat16"] = Field("float32", description="of the network's matrix products")
    auxiliary_weight: float = Field(0.0, ge=0, description="of the loss of voice activity and SNR read from the masks")
    auxiliary_period: int = Field(1, ge=1, description="batches from one with labels for that loss to the next")
    gate_gradient: float = Field(
        1.0,
        ge=0,
        le=1,
        description="share of a mask's gradient that gates pass on, but for read-outs'",
    )
    gate_rate: float = Field(1.0, gt=0, le=1e6, description="the gates' learning rate over that of all else")
    detection_weight: float = Field(
        0.0, ge=0, le=1e6, description="of the loss of speech read from the gates' values (train/losses/detection.py)"
    )
    open_channels: Channels | tuple[Channels, ...] = Field(
        0, description="of every block, or of each, the first channels, which no gate closes"
    )
    nested_widths: bool = Field(
        False, description="scores of a gate's channels differ by constants alone, so that it picks a width"
    )
    lean: float = Field(
        0.0, ge=-1e6, le=1e6, description="added to the scores of all gates but the first where an epoch is written"
    )
    average_decay: float = Field(0.0, ge=0, lt=1, description="of the averaged weights; 0: the last weights")
    patience: int | None = Field(None, ge=1, description="epochs without a better validation until training ends")
    keep_best: bool = Field(False, description="the checkpoint is the epoch's of the best validation, not the last's")

    @model_serializer(mode="wrap")
    def _without_later_options(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Options that came later are left out at their defaults: `config.toml` of earlier trainings stays the same."""
        return without(LATER_TRAINING_DEFAULTS, handler(self))

    @model_validator(mode="after")
    def _both_kinds_or_none(self) -> TrainingConfig:
        if (self.speech_utilization is None) != (self.rest_utilization is None):
            raise ValueError(
                "speech_utilization, rest_utilization: give both, or neither for one target for all frames"
            )
        given = {
            f"utilization_by: {self.utilization_by}": self.utilization_by != "kind",
            "easy_snr_db": self.easy_snr_db is not None,
            "block_price": self.block_price > 0,
            "detection_weight": self.detection_weight > 0,
        }
        for field in (field for field, used in given.items() if used and self.speech_utilization is None):
            raise ValueError(f"{field}: needs speech_utilization and rest_utilization")
        if self.speech_weight != 1 and self.utilization_by == "kind":
            raise ValueError("speech_weight: needs utilization_by frame or block")
        return self

    @property
    def by_kind(self) -> ByKind | None:
        """Targets by kind of frame, where they differ."""
        if self.speech_utilization is None or self.rest_utilization is None:
            return None
        return ByKind(self.speech_utilization, self.rest_utilization)

    @property
    def speech_below(self) -> float | None:
        """SNR of a clip, dB, below which its speech is worth work; None where no target goes by kind of frame."""
        if self.by_kind is None:
            return None
        return inf if self.easy_snr_db is None else self.easy_snr_db
