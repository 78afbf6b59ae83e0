# SPDX-License-Identifier: Apache-2.0
"""The frames with which a validation proves the constants that its audio left unread (firmware/constants)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from dyncp.codegen.plan.stages import Stage
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers.run import Run
from dyncp.firmware.constants.expect import expect
from dyncp.firmware.constants.frames import given_bytes, records
from dyncp.firmware.constants.plan import plan
from dyncp.firmware.constants.shares import shares
from dyncp.firmware.host.library import HostLibrary
from dyncp.firmware.proof.compare import compare, locate
from dyncp.firmware.proof.records import Constants, ConstructedRecord, Table


@dataclass(frozen=True)
class Constructed:
    """Constructed frames as engines take them, and what they must make of them."""

    pcm: NDArray[np.int16]
    """[n · 256]."""
    stages: NDArray[np.uint8]
    """Masks, and what stages go on with, [n, bytes]."""
    given_bytes: int
    """Of a frame's stages."""
    expected: Run
    listed: Sequence[Stage]

    @property
    def frames(self) -> int:
        return self.expected.frames

    @property
    def given(self) -> NDArray[np.uint8]:
        """As an image takes them, the PCM in front: uint8 [n, bytes]."""
        hops = self.pcm.astype("<i2").reshape(self.frames, -1).view(np.uint8)
        return np.hstack([hops, self.stages])

    def run_on_host(self, library: HostLibrary) -> Run:
        return library.stream().run(self.pcm, True, (self.stages, self.given_bytes))

    def check(self, run: Run) -> ConstructedRecord:
        return ConstructedRecord(
            frames=run.frames,
            mismatches=compare(self.expected, run, self.listed),
            first_divergence=locate(self.expected, run, self.listed),
        )


def construct(bundle: Bundle, audio: Run, listed: Sequence[Stage]) -> tuple[Constructed, Constants]:
    """Frames for a bundle, and which of its constants they and the reference's traced run of the audio concern."""
    made = plan(bundle)
    expected = expect(bundle, made.frames)
    stages = records(made.frames, expected.masks, expected.trace, listed)
    tables = [Table(**asdict(share)) for share in shares(bundle, audio, made)]
    constants = Constants(frames=expected.frames, tables=tables)
    return Constructed(made.frames.pcm, stages, given_bytes(listed), expected, listed), constants
