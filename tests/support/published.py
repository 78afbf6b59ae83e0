# SPDX-License-Identifier: Apache-2.0
"""A small tree in the published layout of VoiceBank+DEMAND, of constructed signals."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from signals import HOP, Pcm, speech_like

# As VCTK writes it: aligned with blanks, regions of several words or none.
SPEAKER_INFO = """\
ID  AGE  GENDER  ACCENTS  REGION
226  22  M    English    Surrey
227  38  M    English    Cumbria
228  22  F    English    Southern  England
232  23  M    English    Southern  England
234  22  F    Scottish  West  Dumfries
257  24  F    English    Southern  England
248  23  F    Indian
280  25  F    Unknown  France
326  26  M    Australian  English  Sydney
"""

# Train logs write whole SNRs, the test log writes them in full.
LOGS = {
    "trainset_28spk": """\
p226_001 babble 15
p226_002 kitchen 10
p227_001 car 5
p227_002 metro 0
p228_001 restaurant 15
p228_002 traffic 10
p280_001 meeting 5
p280_002 ssn 0
""",
    "trainset_56spk": "p234_001 station 15\np326_001 cafeteria 5\n",
    "testset": """\
p257_001 bus 1.750000e+01
p257_002 psquare 2.500000e+00
p232_001 bus 1.250000e+01
p232_002 psquare 7.500000e+00
""",
}


@dataclass(frozen=True)
class Example:
    clean: Pcm
    noise: Pcm


def _example(seed: int) -> Example:
    """Speech and noise whose sum stays in int16, not a whole number of hops."""
    clean = speech_like(90, seed=seed)[: -HOP // 3]
    noise = np.random.default_rng(seed).integers(-2000, 2000, len(clean)).astype(np.int16)
    return Example(clean, noise)


EXAMPLES = {
    line.split()[0]: _example(seed)
    for seed, line in enumerate(line for log in LOGS.values() for line in log.splitlines())
}


def published_tree(folder: Path, rate: int = 16_000) -> Path:
    """Write the tree; at other rates than 16 kHz, EXAMPLES in a sample-and-hold that is a whole multiple of it."""
    for name, log in LOGS.items():
        for side in ("clean", "noisy"):
            (folder / f"{side}_{name}_wav").mkdir(parents=True)
        for line in log.splitlines():
            stem = line.split()[0]
            example = EXAMPLES[stem]
            _write(folder / f"clean_{name}_wav" / f"{stem}.wav", example.clean, rate)
            _write(folder / f"noisy_{name}_wav" / f"{stem}.wav", example.clean + example.noise, rate)
        (folder / f"log_{name}.txt").write_text(log)
    (folder / "speaker-info.txt").write_text(SPEAKER_INFO)
    return folder


def _write(path: Path, pcm: NDArray[np.int16], rate: int) -> None:
    soundfile.write(path, np.repeat(pcm, rate // 16_000), rate, subtype="PCM_16")
