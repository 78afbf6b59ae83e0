# SPDX-License-Identifier: Apache-2.0
"""From counted events to the cycles, the clock and the energy of a user's board (docs/cycles.md)."""

from __future__ import annotations

from dataclasses import dataclass

from dyncp.base.config.framing import STANDARD, Framing
from dyncp.firmware.cost import armv6m
from dyncp.firmware.cost.cycles import CORE
from dyncp.firmware.cost.events import CycleEstimate, CycleEvents

REFILL = (1, 2, 3)
"""Cycles of a refill of the pipeline: at least, as estimated, at most (Arm 100166, section 3.3.1)."""
REFILLS = {armv6m.CORE: (1, 1, 2)}
"""Of other cores: a Cortex-M0+, and at most a Cortex-M0 (DDI 0484 and DDI 0432, table 3-1)."""


@dataclass(frozen=True)
class UserBoard:
    """What the instruction set does not tell."""

    wait_states: int = 0
    microwatts_per_mhz: float | None = None


NO_WAIT = UserBoard()


def estimate(events: CycleEvents, board: UserBoard, core: str = CORE, framing: Framing = STANDARD) -> CycleEstimate:
    """A line of constants waits for the flash once. Code is taken to come from a prefetch buffer or cache that never
    waits, except in the worst case, in which every branch taken does."""
    fetched = events.cycles + board.wait_states * events.flash_lines
    low, middle, high = (fetched + refill * events.refills for refill in REFILLS.get(core, REFILL))
    energy = None if board.microwatts_per_mhz is None else board.microwatts_per_mhz * middle * 1e-6
    return CycleEstimate(
        **events.model_dump(),
        wait_states=board.wait_states,
        estimate=middle,
        low=low,
        high=high + board.wait_states * events.refills,
        mhz=middle * framing.frames_per_second * 1e-6,
        microwatts_per_mhz=board.microwatts_per_mhz,
        microjoules_per_frame=energy,
    )
