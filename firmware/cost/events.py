# SPDX-License-Identifier: Apache-2.0
"""What an estimate of cycles is made of, and what it says: parts of validation.json and of report.json."""

from __future__ import annotations

from pydantic import Field

from dyncp.base.config.reading import StrictModel


class CycleEvents(StrictModel):
    """What an estimate of the cycles of a frame is made of (firmware/cost/cycles.py), means per frame."""

    instructions: float
    cycles: float = Field(description="by the manual's timings, refills and wait states left out")
    refills: float = Field(description="times that the pipeline was refilled: branches taken, returns")
    flash_lines: float = Field(description="lines of 16 bytes that reads of constants had to fetch from flash")


class CycleEstimate(CycleEvents):
    """An estimate of the cycles of a mean frame; nothing measured them (docs/cycles.md)."""

    wait_states: int = Field(description="of the flash")
    estimate: float = Field(description="cycles per frame")
    low: float = Field(description="with the shortest refills")
    high: float = Field(description="with the longest refills, each of which waits for the flash")
    mhz: float = Field(description="clock that keeps up with the audio, of `estimate`")
    microwatts_per_mhz: float | None = Field(description="the user's")
    microjoules_per_frame: float | None = Field(description="of `estimate`; null without `microwatts_per_mhz`")
