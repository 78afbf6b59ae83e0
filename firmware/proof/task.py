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
from dyncp.firmware.building.image import Image
from dyncp.firmware.emulators.counting import Marks
from dyncp.firmware.emulators.emulate import Figures, stream
from dyncp.firmware.emulators.histogram import Histogram
from dyncp.firmware.emulators.names import Emulator
from dyncp.firmware.proof.constructed import Constructed
from dyncp.firmware.proof.product.controls import Controlled


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
    constructed: Constructed | None = None
    """What traced engines run after the audio; None if not `trace`."""
    controlled: Controlled | None = None
    """A pass with changing settings, for engines that are to run one."""

    def stream(
        self,
        image: Image,
        marks: Marks | Histogram | None,
        *,
        trace: bool = False,
        frames: int | None = None,
        emulator: Emulator = Emulator.QEMU,
    ) -> tuple[Run, Figures]:
        """The task's audio, or its first `frames`, through an image of the library, as `emulate.stream` does it.

        With `trace` the constructed frames follow.
        """
        return stream(
            image,
            self.pcm if frames is None else self.pcm[: frames * self.bundle.config.hop],
            self.bundle.config,
            self.listed,
            outputs=self.bundle.probe_outputs,
            trace=trace,
            timeout_s=self.timeout_s,
            marks=marks,
            emulator=emulator,
            given=self.constructed.given if trace and self.constructed is not None else None,
        )
