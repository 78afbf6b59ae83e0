# SPDX-License-Identifier: Apache-2.0
"""What a validation asks of every engine."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dyncp.codegen.plan.stages import Stage
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers.run import Run
from dyncp.firmware.emulators.names import Emulator


@dataclass(frozen=True)
class Task:
    """One network, one generated library, one piece of audio."""

    bundle: Bundle
    library: Path
    pcm: NDArray[np.int16]
    """[n · 256]."""
    expected: Run
    """The NumPy reference's, traced if `trace`."""
    listed: Sequence[Stage]
    """The network's trace points."""
    work: Path
    trace: bool
    cycles: bool
    """Whether to count what an estimate of the Cortex-M4's cycles needs."""
    timeout_s: float
    emulators: Collection[Emulator]
    """Those besides QEMU."""
