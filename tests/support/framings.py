# SPDX-License-Identifier: Apache-2.0
"""Framings to test with: any that a network may have, and a table."""

from __future__ import annotations

from dataclasses import asdict

from hypothesis import assume
from hypothesis import strategies as st

from dyncp.base.config.framing import MOST_OVERLAPS, Framing
from dyncp.base.config.network import NetworkConfig

EARS = Framing(64, 256, 256, 128)
TABLE = [
    EARS,
    Framing(32, 128, 128, 64),
    Framing(64, 512, 512, 128),
    Framing(160, 512, 400, 320),
    Framing(128, 256, 256, 256),
    Framing(128, 1024, 1024, 1024),
    Framing(512, 1024, 1024, 1024),
]


@st.composite
def framings(draw: st.DrawFn) -> Framing:
    fft = draw(st.sampled_from([128, 256, 512, 1024]))
    hop = 16 * draw(st.integers(2, min(32, fft // 32)))
    synthesis = hop * draw(st.integers(2, min(MOST_OVERLAPS, fft // hop)))
    framing = Framing(hop, fft, 16 * draw(st.integers(synthesis // 16, fft // 16)), synthesis)
    assume(framing.fault() is None)
    return framing


def framed(config: NetworkConfig, framing: Framing, **changes: object) -> NetworkConfig:
    """The configuration with other frames."""
    sizes = asdict(framing)
    names = {"analysis": "analysis_window", "synthesis": "synthesis_window"}
    fields = {names.get(name, name): size for name, size in sizes.items()}
    return NetworkConfig.model_validate({**config.model_dump(), **fields, **changes})


def name_of(framing: Framing) -> str:
    return f"{framing.hop}-{framing.fft}-{framing.analysis}-{framing.synthesis}"
