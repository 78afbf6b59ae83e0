# SPDX-License-Identifier: Apache-2.0
"""Where the package keeps what it ships as data."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

PRESETS = Path(__file__).parents[1] / "presets"
"""Experiments, one TOML each."""

CHECKPOINTS = Path(str(files("dyncp.train"))) / "checkpoints"
"""Shipped networks, a folder each: weights, configuration, probes, model card."""

NETWORKS = Path(__file__).parents[1] / "networks"
"""The same networks in integers: a bundle each, and NAME.json with what it costs and how good it is."""


def shipped_networks() -> list[str]:
    """Names of the bundles that the package brings, sorted."""
    return sorted(path.stem for path in NETWORKS.glob("*.json") if path.with_suffix("").is_dir())


def find_bundle(name: Path) -> Path:
    """A folder, or that of the shipped network of this name. What is neither stays as it is, for its reader to name."""
    return NETWORKS / name if not name.exists() and str(name) in shipped_networks() else name
