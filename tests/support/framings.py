# SPDX-License-Identifier: Apache-2.0
"""Framings to test with: any that a network may have, and a table."""

from __future__ import annotations

from hypothesis import assume
from hypothesis import strategies as st

from dyncp.base.config.framing import MOST_OVERLAPS, Framing
from dyncp.bench.assurance.framings import EARS, TABLE
from dyncp.bench.assurance.framings import in_frames as framed

__all__ = ["EARS", "TABLE", "framed", "framings", "name_of"]


@st.composite
def framings(draw: st.DrawFn) -> Framing:
    fft = draw(st.sampled_from([128, 256, 512, 1024]))
    hop = 16 * draw(st.integers(2, min(32, fft // 32)))
    synthesis = hop * draw(st.integers(2, min(MOST_OVERLAPS, fft // hop)))
    framing = Framing(hop, fft, 16 * draw(st.integers(synthesis // 16, fft // 16)), synthesis)
    assume(framing.fault() is None)
    return framing


def name_of(framing: Framing) -> str:
    return f"{framing.hop}-{framing.fft}-{framing.analysis}-{framing.synthesis}"
