# SPDX-License-Identifier: Apache-2.0
"""The shipped checkpoints as bundles, their probes included, calibrated on a constructed signal."""

from __future__ import annotations

from pathlib import Path

from signals import speech_like

import dyncp.train.config
from dyncp.export.bundle import Bundle, write_bundle
from dyncp.export.fold import fold
from dyncp.export.probes import quantize_probes
from dyncp.export.quantize import quantize
from dyncp.train.checkpoint import load_checkpoint
from dyncp.train.probe_files import load_probes

CHECKPOINTS = Path(dyncp.train.config.__file__).parent / "checkpoints"
SHIPPED = sorted(folder.name for folder in CHECKPOINTS.iterdir() if (folder / "checkpoint.json").is_file())


def shipped_bundle(name: str, folder: Path) -> Bundle:
    checkpoint = load_checkpoint(CHECKPOINTS / name)
    probes = load_probes(checkpoint.folder)
    integers = None if probes is None else quantize_probes(probes, probes.bits)
    bundle = quantize(fold(checkpoint), [speech_like(300, seed=1)], integers)
    write_bundle(bundle, folder)
    return bundle
