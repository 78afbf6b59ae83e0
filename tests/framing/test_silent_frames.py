# SPDX-License-Identifier: Apache-2.0
"""Silence that comes and goes, of every length about a window's: the words of the reference, which knows no silence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from framings import EARS, framed, name_of
from libraries import assert_same, library

from dyncp.base.config.framing import STANDARD, Framing
from dyncp.base.config.network import NetworkConfig
from dyncp.export.integers import reference
from dyncp.firmware.host.library import HostLibrary

pytestmark = pytest.mark.slow

TINY = NetworkConfig(channels=8, hidden=8, gate=4, stacks=1, dilations=(1, 2), pooling_frames=4)
FRAMINGS = [STANDARD, EARS, Framing(160, 512, 400, 320)]


@pytest.mark.parametrize("framing", FRAMINGS, ids=name_of)
def test_silent_frames_are_those_of_the_reference(framing: Framing, tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    parts = [np.zeros(3 * framing.hop, np.int16)]
    for hops in range(1, framing.analysis // framing.hop + 4):
        # Of these samples some are a single unit, at the edge of a window of zeros.
        loud = random.integers(-32768, 32768, framing.hop).astype(np.int16)
        unit = np.where(np.arange(framing.hop) == random.integers(framing.hop), 1, 0).astype(np.int16)
        parts += [loud if hops % 2 else unit, np.zeros(hops * framing.hop, np.int16)]
    pcm = np.concatenate(parts)
    bundle, folder = library(tmp_path, framed(TINY, framing))
    expected = reference.run(bundle, pcm, trace=True)
    spectra = expected.trace["spectrum"].any(axis=1)
    assert 0 < spectra.sum() < len(spectra) - 3
    assert_same(expected, HostLibrary(folder, trace=True, build_dir=tmp_path).run(pcm, trace=True))
    assert_same(expected, HostLibrary(folder, build_dir=tmp_path).run(pcm))
