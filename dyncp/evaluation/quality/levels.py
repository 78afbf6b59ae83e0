# SPDX-License-Identifier: Apache-2.0
"""Quality against input level: one set of mixtures, compared at several levels of the speech in them."""

from __future__ import annotations

from pydantic import Field, FiniteFloat

from dyncp.base.config.reading import StrictModel
from dyncp.base.quality import Comparison


class LevelRow(StrictModel):
    """The same speech, noise and SNR as in every other row; what exceeds int16 saturates."""

    level_dbfs: FiniteFloat = Field(description="active speech level of the noisy input")
    saturated: FiniteFloat = Field(ge=0, le=1, description="share of the noisy samples at the ends of int16")
    comparison: Comparison


class LevelTable(StrictModel):
    rows: list[LevelRow] = Field(min_length=1)
