# SPDX-License-Identifier: Apache-2.0
"""How well a network enhances, as a document: what `dyncp export` and `dyncp evaluate` write and a report shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from pydantic import ConfigDict, Field, FiniteFloat

from dyncp.base.config.framing import SAMPLE_RATE
from dyncp.base.config.reading import StrictModel


def pesq_label(rate: int) -> str:
    """How tables call PESQ at a network's sample rate: two scales, which none of them mixes."""
    return "PESQ-WB" if rate == SAMPLE_RATE else "PESQ-NB"


class Score(StrictModel):
    """Against the clean speech, or the difference of two such scores."""

    pesq: FiniteFloat = Field(description="PESQ-WB (ITU-T P.862.2), at 8 kHz PESQ-NB (P.862.1), MOS-LQO")
    stoi: FiniteFloat = Field(description="STOI, 0 to 1")
    estoi: FiniteFloat = Field(description="extended STOI, 0 to 1")
    si_sdr: FiniteFloat = Field(description="dB")
    sig: FiniteFloat | None = Field(None, description="DNSMOS P.835 of the speech, MOS; null where it is not installed")
    bak: FiniteFloat | None = Field(None, description="DNSMOS P.835 of the background")
    ovrl: FiniteFloat | None = Field(None, description="DNSMOS P.835 overall")

    @classmethod
    def mean(cls, scores: Sequence[Score]) -> Score:
        """Metric by metric."""
        return cls.combine(scores, lambda values: float(np.mean(values)))

    @classmethod
    def combine(cls, scores: Sequence[Score], how: Callable[[list[float]], float]) -> Score:
        """`how` of each metric's values; a metric that one of the scores lacks is lacking."""
        columns = {name: [getattr(score, name) for score in scores] for name in cls.model_fields}
        return cls(**{name: None if None in values else how(values) for name, values in columns.items()})

    def __sub__(self, other: Score) -> Score:
        return Score.combine([self, other], lambda pair: pair[0] - pair[1])


Share = Field(ge=0, le=1)


class Scores(StrictModel):
    """Means over clips, against the clean speech; `int8` is null where no bundle was given."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    clips: int = Field(ge=1)
    noisy: Score
    float_: Score = Field(alias="float")
    int8: Score | None
    float_gain: Score = Field(description="float − noisy; of si_sdr, the SI-SDR improvement")
    int8_gain: Score | None = Field(description="int8 − noisy")


class SnrBin(Scores):
    """The clips whose SNR lies in [low, high)."""

    low_db: int
    high_db: int


class Comparison(Scores):
    """Shares are of mask bits, 0 to 1, null without gates; what compares with int8 is null without a bundle."""

    frames: int = Field(ge=1)
    by_snr: list[SnrBin] = Field(description="bins of 5 dB, ascending, those with clips")
    agreement_db: FiniteFloat | None = Field(description="SI-SDR of the int8 output against the float output, dB")
    differing_mask_bits: FiniteFloat | None = Share
    differing_informative_bits: FiniteFloat | None = Share
    informative_masks: int = Field(ge=0, description="gates whose standard deviation exceeds 0.005, float network")
    always_on: int = Field(ge=0, description="gates that never closed, float network")
    always_off: int = Field(ge=0, description="gates that never opened, float network")
    utilization: list[FiniteFloat] = Field(description="per block, int8 network, else float; empty without gates")
    utilization_float: FiniteFloat | None = Share
    utilization_int8: FiniteFloat | None = Share
    macs_per_frame: FiniteFloat = Field(description="mean, int8 network, else float")
    macs_p95: FiniteFloat = Field(description="95th percentile over frames, int8 network, else float")
    macs_all_active: int = Field(ge=1, description="of a frame with every channel active")
    macs_bound: int = Field(ge=1, description="no frame takes more: macs_all_active, or less by the network's own cap")
