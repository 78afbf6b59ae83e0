# SPDX-License-Identifier: Apache-2.0
"""Audio and corpora that the tests make for themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dyncp.train.audio import to_pcm, write_pcm
from dyncp.train.config import SAMPLE_RATE


def speech_like(seconds: float, seed: int = 0, level_db: float = -26.0) -> NDArray[np.int16]:
    """Voiced syllables with pauses: harmonics of a gliding pitch under an envelope, over a faint hiss."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    pitch = 140 + 40 * np.sin(2 * np.pi * 0.7 * time + rng.uniform(0, 6))
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    voice = sum(np.sin(k * phase) / k for k in range(1, 20))
    envelope = np.clip(np.sin(2 * np.pi * 1.5 * time + rng.uniform(0, 6)), 0, None)
    signal = voice * envelope
    signal *= 10 ** (level_db / 20) / np.sqrt(np.mean(signal**2))
    return to_pcm(signal + 1e-4 * rng.standard_normal(len(time)))


def small_corpus(folder: Path, speakers: int = 3, seconds: float = 3.0) -> Path:
    """A plain-folder corpus with every split filled: speakers and noises per split, by a CSV."""
    rng = np.random.default_rng(7)
    (folder / "speech").mkdir(parents=True)
    (folder / "noise").mkdir()
    speech = ["file,speaker,license,split"]
    noise = ["file,category,license,split"]
    for split in ("train", "validation", "test"):
        for index in range(speakers):
            name = f"speech/{split}{index}.wav"
            write_pcm(folder / name, speech_like(seconds, seed=len(speech)))
            speech.append(f"{name},{split}{index},CC0,{split}")
        name = f"noise/{split}.wav"
        write_pcm(folder / name, to_pcm(0.05 * rng.standard_normal(round(seconds * SAMPLE_RATE))))
        noise.append(f"{name},Artificial,CC0,{split}")
    (folder / "speech.csv").write_text("\n".join(speech) + "\n")
    (folder / "noise.csv").write_text("\n".join(noise) + "\n")
    return folder
