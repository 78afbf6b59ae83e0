# SPDX-License-Identifier: Apache-2.0
"""Quality against input level: one set of mixtures, compared at several levels of the speech in them."""

from __future__ import annotations

from pydantic import Field, FiniteFloat

from dyncp.export.compare import Comparison
from dyncp.train.config import StrictModel


class LevelRow(StrictModel):
    """The same speech, noise and SNR as in every other row."""

    level_dbfs: FiniteFloat = Field(description="active speech level that was asked for")
    reached_dbfs: FiniteFloat = Field(description="mean over the clips, after those that would clip were turned down")
    turned_down: int = Field(ge=0, description="how many those are")
    comparison: Comparison


class LevelTable(StrictModel):
    rows: list[LevelRow] = Field(min_length=1)
