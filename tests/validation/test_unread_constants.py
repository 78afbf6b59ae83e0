# SPDX-License-Identifier: Apache-2.0
"""An error in a constant that the audio never makes a device read is found, on the host and on cores."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dyncp.base.config.network import NetworkConfig
from dyncp.export.formats.bundle import Bundle
from dyncp.export.formats.masks import unpack_masks
from dyncp.export.integers import reference
from dyncp.firmware.proof.validate import validate

Make = Callable[[NetworkConfig], tuple[Bundle, Path]]

SMALL = NetworkConfig(channels=12, hidden=40, stacks=1, dilations=(1, 3), gate=5, pooling_frames=4)
HIDDEN = SMALL.model_copy(update={"gate_site": "hidden"})


def alter(library: Path, table: str, place: int) -> None:
    """One number of a table of the network, by 1: less than 2 % of most weights."""
    path = library / "dyncp_tables.h"
    head, rest = re.split(rf"(?<= dyncp_{table})(?=\[)", path.read_text(), maxsplit=1)
    body, tail = rest.split("\n};", maxsplit=1)
    start = body.index("{")
    numbers = list(re.finditer(r"-?\d+", body[start:]))
    found = numbers[place]
    value = int(found[0])
    changed = value - 1 if value > 0 else value + 1
    body = body[: start + found.start()] + str(changed) + body[start + found.end() :]
    path.write_text(f"{head}{body}\n}};{tail}")


@pytest.mark.slow
@pytest.mark.parametrize(("site", "core"), [("output", "cortex-m4"), ("hidden", "cortex-m55")])
def test_an_error_in_a_row_that_no_frame_opens(
    site: str, core: str, make: Make, pcm: NDArray[np.int16], tmp_path: Path
) -> None:
    config = HIDDEN if site == "hidden" else SMALL
    bundle, library = make(config)
    opened = unpack_masks(reference.run(bundle, pcm).masks, config)[:, 1].any(axis=0)
    row = int(np.flatnonzero(~opened)[0])
    layer, columns = ("expand", config.channels) if site == "hidden" else ("project", config.hidden)
    alter(library, f"block1_{layer}_weight", row * columns + 3)
    record = validate(bundle, library, pcm, tmp_path / "out", boards=[core])
    assert record.constants is not None
    assert record.constants.read < record.constants.proved == 1
    for engine in (record.host, *record.targets):
        assert engine.mismatches.total == 0, "the audio does not show it"
        assert engine.constructed is not None
        assert engine.constructed.mismatches.layers > 0
        first = engine.constructed.first_divergence
        assert first is not None
        assert (first.stage, first.channel) == (f"block1_{layer}", row)
    assert not record.exact
