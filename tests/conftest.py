# SPDX-License-Identifier: Apache-2.0
"""Settings of all tests, and what several folders share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from dyncp.export.formats.bundle import Bundle, read_bundle

# A slow machine is not a failure.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

# Tests run side by side, one to a processor: threads of each would only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small random bundle, for commands; to be left as it is."""
    from libraries import written_bundle

    folder = tmp_path_factory.mktemp("network") / "bundle"
    written_bundle(folder)
    return folder


@pytest.fixture(scope="session")
def bundle(network: Path) -> Bundle:
    """What is in it."""
    return read_bundle(network)
