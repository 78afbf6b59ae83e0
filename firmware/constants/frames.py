# SPDX-License-Identifier: Apache-2.0
"""Constructed frames: what every stage is given, and the bytes in which an engine reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dyncp.codegen.plan.stages import Stage

LAST = "suppression"
"""The last stage that is given; those behind it, `synthesis` and the probes', are only compared."""


@dataclass(frozen=True)
class Frames:
    """n frames from the initial state of a stream, whose stages do not depend on each other.

    An engine shows what a stage has computed, and then goes on with what is given.
    """

    pcm: NDArray[np.int16]
    """[n · hop]."""
    active: NDArray[np.bool_]
    """The gates that are forced, [n, blocks, N]: in the state before each frame, and where a gate decides in it."""
    given: dict[str, NDArray[np.generic]]
    """By stage, [n, count]: all up to LAST, but for those that go on with what they have computed."""

    @property
    def count(self) -> int:
        return len(self.active)


def given_stages(listed: Sequence[Stage]) -> list[Stage]:
    """Those of a network's stages that are given."""
    names = [stage.name for stage in listed]
    return list(listed[: names.index(LAST) + 1])


def given_bytes(listed: Sequence[Stage]) -> int:
    """Of a frame's stages."""
    return sum(stage.bytes for stage in given_stages(listed))


def records(
    frames: Frames, masks: NDArray[np.uint32], computed: dict[str, NDArray[np.generic]], listed: Sequence[Stage]
) -> NDArray[np.uint8]:
    """Frame by frame the packed masks [n, words] and what each stage is given, little-endian: uint8 [n, bytes].

    `computed` has the stages that are not given.
    """
    fields = [("masks", "<u4", (masks.shape[1],))]
    fields += [(s.name, np.dtype(s.dtype).newbyteorder("<").str, (s.count,)) for s in given_stages(listed)]
    table = np.zeros(frames.count, np.dtype(fields))
    table["masks"] = masks
    for stage in given_stages(listed):
        table[stage.name] = frames.given.get(stage.name, computed[stage.name])
    return table.view(np.uint8).reshape(frames.count, -1)
