# SPDX-License-Identifier: Apache-2.0
"""Cost and quality over a day (docs/day.md): the document that `dyncp evaluate --day` writes and a report shows."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, FiniteFloat

from dyncp.base.config.reading import StrictModel
from dyncp.base.quality import Score
from dyncp.firmware.cost.events import CycleEstimate
from dyncp.firmware.proof.records import Spread

WHOLE = "day"
"""The row of all frames."""

TITLES = {
    "speech": "speech",
    "pause": "pause in conversation",
    "noise": "noise alone",
    "quiet": "quiet room",
    "silence": "digital silence",
    "day": "the day",
}
"""How people name the rows."""


class MacsSpread(StrictModel):
    """Multiply–accumulates per frame, over the frames of a condition."""

    mean: FiniteFloat
    p5: FiniteFloat
    p95: FiniteFloat


class ConditionRow(StrictModel):
    """One condition's frames, or all of them (`day`)."""

    condition: Literal["speech", "pause", "noise", "quiet", "silence", "day"]
    frames: int = Field(ge=1)
    share: FiniteFloat = Field(gt=0, le=1, description="of the day's frames")
    macs: MacsSpread
    active: FiniteFloat = Field(ge=0, description="active channels per frame, mean over frames")
    instructions: dict[str, Spread] = Field({}, description="per frame, by core; empty where none was emulated")
    cycles: FiniteFloat | None = Field(
        None, description="of a Cortex-M4 per mean frame: the day's estimate per instruction × these instructions"
    )
    microjoules: FiniteFloat | None = Field(None, description="of a Cortex-M4 per mean frame, as `cycles`")
    noise_left_db: FiniteFloat | None = Field(
        None, description="output over input where there is no speech, mean of the stretches' dB; null in speech"
    )


class GateBalance(StrictModel):
    """What the gates of a mean frame cost and save on one core, in instructions.

    The network is all of a frame but transforms, features, suppression mask and probes.
    """

    network: FiniteFloat = Field(gt=0, description="the network as it runs, deciding included")
    ungated: FiniteFloat = Field(gt=0, description="the network with every channel active and no gate that decides")
    deciding: FiniteFloat = Field(ge=0, description="pooling, bottleneck, scores and masks of the gates")
    probes: FiniteFloat | None = Field(None, description="sums, smoothing and the struct; null without probes")
    frame: FiniteFloat = Field(gt=0, description="all of a frame as it runs")

    @property
    def saved(self) -> float:
        """By what is skipped."""
        return self.ungated - (self.network - self.deciding)

    @property
    def net_share(self) -> float:
        """What is saved less what deciding costs, of the network without gates."""
        return 1 - self.network / self.ungated

    @property
    def probe_share(self) -> float | None:
        return None if self.probes is None else self.probes / self.frame


class SnrRow(StrictModel):
    """The conversations whose SNR lies in [low, high)."""

    low_db: FiniteFloat
    high_db: FiniteFloat
    stretches: int = Field(ge=1)
    noisy: Score
    int8: Score


class SpurtQuality(StrictModel):
    """The talk spurts of each conversation, joined and scored against clean speech; means over conversations."""

    stretches: int = Field(ge=1, description="conversations that were scored")
    left_out: int = Field(ge=0, description="those with too little speech to score")
    seconds: FiniteFloat = Field(gt=0, description="speech that was scored")
    noisy: Score
    int8: Score
    gain: Score = Field(description="int8 − noisy")
    by_snr: list[SnrRow]


class DayRecord(StrictModel):
    """`day.json`."""

    schema_name: Literal["dyncp-day"] = "dyncp-day"
    schema_version: Literal[1] = 1
    bundle_hash: str
    recipe_hash: str = Field(description="sha256 of the recipe: days of one recipe can be compared")
    audio_hash: str = Field(description="sha256 of the noisy samples: the same for the same corpus, recipe and seed")
    split: str
    seed: int
    minutes: FiniteFloat
    channels: int = Field(description="gated channels of the network")
    macs_all_active: int = Field(description="of a frame with every channel active")
    rows: list[ConditionRow] = Field(min_length=1, description="one for each condition that occurs, last the day's")
    cycles: CycleEstimate | None = Field(None, description="of a Cortex-M4, over all frames; an estimate")
    balance: dict[str, GateBalance] = Field({}, description="of the gates, by core; empty where none was emulated")
    quality: SpurtQuality

    @property
    def day(self) -> ConditionRow:
        """The row of all frames."""
        return self.rows[-1]

    def row(self, condition: str) -> ConditionRow | None:
        return next((row for row in self.rows if row.condition == condition), None)
