# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import pytest
from bundles import ProbeWidth, random_bundle
from numpy.typing import NDArray

from dyncp.base.config.framing import HOP
from dyncp.base.config.network import NetworkConfig
from dyncp.codegen.generate import generate
from dyncp.export.formats.bundle import Bundle, write_bundle

Made = tuple[Bundle, Path]


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Made]:
    """A random bundle of some configuration, and the library generated from it, with all signals or some."""

    def make(config: NetworkConfig, probes: ProbeWidth | None = "int8", signals: Collection[str] | None = None) -> Made:
        bundle = random_bundle(config, seed=5, probes=probes)
        write_bundle(bundle, tmp_path / "bundle")
        return bundle, generate(bundle, tmp_path / "library", signals=signals)

    return make


@pytest.fixture
def pcm() -> NDArray[np.int16]:
    """Eight hops: noise, a full-scale square wave, silence, noise again."""
    noise = np.random.default_rng(3).integers(-8000, 8000, 8 * HOP).astype(np.int16)
    noise[3 * HOP : 4 * HOP] = np.where(np.arange(HOP) % 2, 32767, -32768)
    noise[5 * HOP : 6 * HOP] = 0
    return noise
