# SPDX-License-Identifier: Apache-2.0
"""Boards as parameters of tests: those that need the larger toolchains are slow."""

from __future__ import annotations

import pytest

from dyncp.firmware.building.boards import load_boards

EVERY_BOARD = [
    pytest.param(board, id=board.core, marks=() if board.default else pytest.mark.slow) for board in load_boards()
]
