# SPDX-License-Identifier: Apache-2.0
"""Equal scores at the cap, which audio hardly ever brings about: a network that makes them in every frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bundles import random_bundle
from libraries import SMALL, assert_same, difficult_audio
from signals import speech_like

from dyncp.codegen.generate import generate
from dyncp.export.formats.bundle import Bundle, write_bundle
from dyncp.export.integers import reference
from dyncp.firmware.host.library import HostLibrary
from dyncp.firmware.proof.validate import validate


def tied(folder: Path) -> Bundle:
    """Channels 4k to 4k + 3 of a block score the same; a cap that is no multiple of 4 cuts through such four."""
    config = SMALL.model_copy(update={"gate_site": "hidden", "hidden": 40, "block_cap": 6, "frame_cap": 9})
    bundle = random_bundle(config, seed=8)
    for block in range(config.blocks):
        for part in ("weight", "bias"):
            tensor = bundle.tensors[f"blocks.{block}.gate.score.{part}"]
            tensor[:] = np.repeat(tensor[::4], 4, axis=0)
    write_bundle(bundle, folder)
    return bundle


def ties(bundle: Bundle, pcm: np.ndarray) -> int:
    """Frames and blocks in which, of channels of one positive score, some are active and some are not."""
    run, found = reference.run(bundle, pcm, trace=True), 0
    for block in range(bundle.config.blocks):
        scores = run.trace[f"block{block}_score"]
        words = np.ascontiguousarray(run.trace[f"block{block}_mask"]).view(np.uint8)
        active = np.unpackbits(words, axis=1, bitorder="little")[:, : scores.shape[1]].astype(bool)
        lowest = np.where(active, scores, np.iinfo(np.int32).max).min(axis=1, keepdims=True)
        found += int(((scores == lowest) & ~active & (scores > 0)).any(axis=1).sum())
    return found


def test_equal_scores_at_the_cap(tmp_path: Path) -> None:
    bundle = tied(tmp_path / "bundle")
    audio = difficult_audio()
    assert ties(bundle, audio) > 50
    library = HostLibrary(generate(bundle, tmp_path / "library"), trace=True, build_dir=tmp_path)
    assert_same(reference.run(bundle, audio, trace=True), library.run(audio, trace=True))


@pytest.mark.slow
def test_equal_scores_at_the_cap_on_every_core(tmp_path: Path) -> None:
    bundle = tied(tmp_path / "bundle")
    audio = speech_like(12)
    assert ties(bundle, audio) > 0
    assert validate(bundle, generate(bundle, tmp_path / "library"), audio, tmp_path / "out", trace=False).exact
