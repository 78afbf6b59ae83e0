# SPDX-License-Identifier: Apache-2.0
"""Which cores have an estimate of cycles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from dyncp.firmware.building.disassembly import Instruction
from dyncp.firmware.cost import armv6m, cycles
from dyncp.firmware.cost.events import CycleEvents
from dyncp.firmware.emulators.histogram import Executions

Model = Callable[[Iterable[Instruction], Mapping[int, Executions], int], CycleEvents]

MODELS: dict[str, Model] = {cycles.CORE: cycles.events, armv6m.CORE: armv6m.events}
"""By the core's name."""
