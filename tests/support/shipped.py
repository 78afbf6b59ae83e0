# SPDX-License-Identifier: Apache-2.0
"""The shipped checkpoints as bundles, their probes included, calibrated on a constructed signal."""

from __future__ import annotations

from pathlib import Path

from signals import speech_like

from dyncp.base.paths import CHECKPOINTS
from dyncp.export.formats.bundle import Bundle, write_bundle
from dyncp.export.quantization.from_checkpoint import quantize_checkpoint
from dyncp.train.network.checkpoint import load_checkpoint

SHIPPED = sorted(folder.name for folder in CHECKPOINTS.iterdir() if (folder / "checkpoint.json").is_file())


def shipped_bundle(name: str, folder: Path) -> Bundle:
    bundle = quantize_checkpoint(load_checkpoint(CHECKPOINTS / name), lambda: [speech_like(300, seed=1)])
    write_bundle(bundle, folder)
    return bundle
