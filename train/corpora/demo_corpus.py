# SPDX-License-Identifier: Apache-2.0
"""A small corpus of real speech that any Debian machine can install, for the demo and the tests.

Speech: the voices of `asterisk-core-sounds-{en,es,fr,it,ru}-g722` (wideband, CC BY-SA 3.0 and CC BY 3.0), one speaker
each. Noise: babble of the voices that the same split does not use as speech, pink noise, and a humming machine.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from dyncp.base.audio import Pcm, active_rms, to_pcm, write_pcm
from dyncp.base.config.framing import SAMPLE_RATE
from dyncp.base.errors import AudioError
from dyncp.base.files import new_text
from dyncp.train.corpora.recordings import Split

SOUNDS = Path("/usr/share/asterisk/sounds")
# Voice → its split as speech. Babble of the test split is made of the train voices, and the other way round.
VOICES: dict[str, Split] = {
    "en_US_f_Allison": "train",
    "fr_CA_f_June": "train",
    "es_MX_f_Allison": "validation",
    "it_IT_m_Carlo": "test",
    "ru_RU_f_IvrvoiceRU": "test",
}
LEVEL = 10 ** (-26 / 20)
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def build_demo_corpus(folder: Path, seconds_per_voice: float = 60.0, seconds_per_noise: float = 20.0) -> Path:
    """Write speech/, noise/, speech.csv and noise.csv; returns the folder. Raises AudioError without the voices."""
    (folder / "speech").mkdir(parents=True, exist_ok=True)
    (folder / "noise").mkdir(exist_ok=True)
    voices = {name: read_voice(name, seconds_per_voice) for name in VOICES}
    speech = [_write_voice(folder, name, utterances) for name, utterances in voices.items()]
    noise = [_write_noises(folder, split, voices, seconds_per_noise) for split in SPLITS]
    _write_csv(folder / "speech.csv", [row for rows in speech for row in rows])
    _write_csv(folder / "noise.csv", [row for rows in noise for row in rows])
    return folder


def read_voice(name: str, seconds: float) -> list[Pcm]:
    """The voice's longest prompts, up to `seconds` in total, each at −26 dBFS active level."""
    files = sorted((SOUNDS / name).rglob("*.g722"), key=lambda p: (-p.stat().st_size, p.name))
    if not files:
        language = name[:2]
        raise AudioError(f"{SOUNDS / name}: no such voice; install asterisk-core-sounds-{language}-g722")
    utterances: list[Pcm] = []
    for path in files:
        signal = decode_g722(path)
        gain = min(LEVEL / max(active_rms(signal), 1e-6), 0.95 / max(float(np.abs(signal).max()), 1e-6))
        utterances.append(to_pcm(signal * gain))
        if sum(map(len, utterances)) >= seconds * SAMPLE_RATE:
            break
    return utterances


def decode_g722(path: Path) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """A headerless G.722 file as 16 kHz samples in [−1, 1)."""
    import av

    with av.open(str(path), format="g722") as container:
        frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    return np.concatenate(frames).astype(np.float64) / 32768


def _write_voice(folder: Path, name: str, utterances: list[Pcm]) -> list[dict[str, str]]:
    rows = []
    for index, pcm in enumerate(utterances):
        file = f"speech/{name}_{index:02d}.flac"
        write_pcm(folder / file, pcm)
        row = {"file": file, "speaker": name, "gender": name.split("_")[2].upper(), "accent": name[:5]}
        rows.append({**row, "source": "Debian asterisk-core-sounds", "license": "CC BY-SA 3.0", "split": VOICES[name]})
    return rows


def _write_noises(folder: Path, split: Split, voices: dict[str, list[Pcm]], seconds: float) -> list[dict[str, str]]:
    rng = np.random.default_rng(SPLITS.index(split))
    samples = round(seconds * SAMPLE_RATE)
    others = [pcm for name, pcms in voices.items() if VOICES[name] != split for pcm in pcms]
    noises = {
        "babble": ("Public", _babble(others, samples, rng)),
        "pink": ("Artificial", _pink(samples, rng)),
        "machine": ("Domestic", _machine(samples, rng)),
    }
    rows = []
    for name, (category, signal) in noises.items():
        file = f"noise/{split}_{name}.flac"
        signal = signal * (LEVEL / np.sqrt(np.mean(signal**2)))
        write_pcm(folder / file, to_pcm(signal))
        row = {"file": file, "category": category, "source": "generated", "license": "CC BY-SA 3.0"}
        rows.append({**row, "split": split})
    return rows


def _babble(
    utterances: list[Pcm], samples: int, rng: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Eight talkers at once, each reading on without a pause."""
    total = np.zeros(samples)
    for _ in range(8):
        order = rng.permutation(len(utterances))
        talk = np.concatenate([utterances[i] for i in order]).astype(np.float64)
        total += np.roll(np.resize(talk, samples), int(rng.integers(samples)))
    return total


def _pink(samples: int, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Power falling with 1 / f."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    return np.asarray(np.fft.irfft(spectrum / np.sqrt(np.arange(1, len(spectrum) + 1)), samples))


def _machine(samples: int, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Harmonics of a slowly wandering hum, with broadband hiss that beats with the rotation."""
    time = np.arange(samples) / SAMPLE_RATE
    base = rng.uniform(45, 60)
    phase = 2 * np.pi * (base * time + 0.4 * np.sin(2 * np.pi * 0.3 * time))
    hum = sum(np.sin(k * phase + rng.uniform(0, 6)) / k for k in range(1, 12))
    hiss = rng.standard_normal(samples) * (1 + 0.5 * np.sin(phase / 2))
    return np.asarray(hum + 0.5 * hiss)


def _write_csv(path: Path, rows: list[dict[str, str]]) -> None:
    with new_text(path) as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
