# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
from report_runs import Run, make_run

from dyncp.base.config.network import NetworkConfig


@pytest.fixture
def run(tmp_path: Path) -> Run:
    config = NetworkConfig(channels=8, hidden=16, stacks=2, dilations=(1, 2), gate=4, pooling_frames=13)
    return make_run(config, tmp_path)
