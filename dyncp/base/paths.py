# SPDX-License-Identifier: Apache-2.0
"""Where the package keeps what it ships as data."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

PRESETS = Path(__file__).parents[1] / "presets"
"""Experiments, one TOML each."""

CHECKPOINTS = Path(str(files("dyncp.train"))) / "checkpoints"
"""Shipped networks, a folder each: weights, configuration, probes, model card."""
