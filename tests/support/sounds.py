# SPDX-License-Identifier: Apache-2.0
"""Corpora that the tests make for themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from signals import HOP, speech_like

from dyncp.base.audio import to_pcm, write_pcm


def small_corpus(folder: Path, speakers: int = 3, frames: int = 200) -> Path:
    """A corpus in CSV layout with every split filled: three speakers and one noise in each."""
    rng = np.random.default_rng(7)
    (folder / "speech").mkdir(parents=True)
    (folder / "noise").mkdir()
    speech = ["file,speaker,license,split"]
    noise = ["file,category,license,split"]
    for split in ("train", "validation", "test"):
        for index in range(speakers):
            name = f"speech/{split}{index}.wav"
            write_pcm(folder / name, speech_like(frames, seed=len(speech)))
            speech.append(f"{name},{split}{index},CC0,{split}")
        name = f"noise/{split}.wav"
        write_pcm(folder / name, to_pcm(0.05 * rng.standard_normal(frames * HOP)))
        noise.append(f"{name},Artificial,CC0,{split}")
    (folder / "speech.csv").write_text("\n".join(speech) + "\n")
    (folder / "noise.csv").write_text("\n".join(noise) + "\n")
    return folder
