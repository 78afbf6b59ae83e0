# SPDX-License-Identifier: Apache-2.0
"""VoiceBank+DEMAND (Valentini-Botinhao, Edinburgh DataShare 10283/2791) in its published folder layout.

    clean_trainset_28spk_wav/p226_001.wav …    noisy_trainset_28spk_wav/p226_001.wav …    log_trainset_28spk.txt
    clean_trainset_56spk_wav/ …                noisy_trainset_56spk_wav/ …                log_trainset_56spk.txt
    clean_testset_wav/p232_001.wav …           noisy_testset_wav/p232_001.wav …           log_testset.txt

A log may lie in logfiles/; each line is `p232_001 bus 1.750000e+01`: utterance, noise, SNR in dB. VCTK's
`speaker-info.txt` (ID AGE GENDER ACCENTS REGION …) is no part of the set; laid beside the folders, it names gender and
accent.
"""

from __future__ import annotations

from pathlib import Path

from dyncp.base.errors import ConfigError
from dyncp.train.corpora.files.listing import audio_in
from dyncp.train.corpora.files.text import read_text
from dyncp.train.corpora.layouts.vctk import TABLE, Speaker, read_speakers
from dyncp.train.corpora.recordings import VALIDATION_SHARE, Recording, Split, hash_position

LICENSE = "CC BY 4.0"
SETS = ("trainset_28spk", "trainset_56spk", "testset")

# The noises as the logs call them, in DEMAND's own categories; `cafe` and `psquare` are its Street recordings SCAFE and
# SPSQUARE. Babble (several VoiceBank talkers) and speech-shaped noise are no recordings of a place: Artificial. The
# published set has nothing of DEMAND's Nature, which leaves the paper's six categories. The last three lines are for
# sets that are mixed in the same layout from the rest of DEMAND.
CATEGORIES = {
    **dict.fromkeys(("kitchen", "living"), "Domestic"),
    **dict.fromkeys(("meeting", "office"), "Office"),
    **dict.fromkeys(("cafeteria", "restaurant", "station"), "Public"),
    **dict.fromkeys(("car", "metro", "bus"), "Transportation"),
    **dict.fromkeys(("traffic", "cafe", "psquare"), "Street"),
    **dict.fromkeys(("babble", "ssn"), "Artificial"),
    **dict.fromkeys(("washing",), "Domestic"),
    **dict.fromkeys(("hallway",), "Office"),
    **dict.fromkeys(("field", "park", "river"), "Nature"),
}

# One DEMAND recording of five minutes serves hundreds of utterances, so a noise belongs to one split as a whole. Test
# noises are the published ones; for validation, one noise of each category that has another one left for training.
NOISE_SPLITS: dict[str, Split] = {
    **dict.fromkeys(("bus", "cafe", "living", "office", "psquare"), "test"),
    **dict.fromkeys(("restaurant", "metro", "ssn"), "validation"),
}


def is_voicebank(folder: Path) -> bool:
    return any((folder / f"clean_{name}_wav").is_dir() for name in SETS)


def read_voicebank(folder: Path) -> tuple[list[Recording], list[Recording]]:
    """Clean utterances, and the noise of each as noisy − clean. Reads no audio.

    Test speakers are the published ones; of each gender among the others, the speakers with the lowest hashes, 8 % of
    them and at least one of two, are for validation. Raises ConfigError naming the file and the line.
    """
    table = read_speakers(folder / TABLE) if (folder / TABLE).is_file() else None
    published = [(name, stem) for name in SETS for stem in _pairs(folder, name)]
    speakers = {_speaker_id(stem): _look_up(folder, table, _speaker_id(stem)) for _, stem in published}
    validation = _validation_speakers({_speaker_id(stem) for name, stem in published if name != "testset"}, speakers)
    noise_names = {name: _read_log(folder, name) for name in {name for name, _ in published}}
    speech, noise = [], []
    for name, stem in published:
        clean = folder / f"clean_{name}_wav" / f"{stem}.wav"
        speaker = _speaker_id(stem)
        train: Split = "validation" if speaker in validation else "train"
        split = "test" if name == "testset" else train
        about = speakers[speaker]
        speech.append(Recording(clean, speaker, LICENSE, gender=about.gender, accent=about.accent, fixed_split=split))
        noise.append(_noise(folder, name, stem, noise_names[name]))
    return speech, noise


def _noise(folder: Path, name: str, stem: str, names: dict[str, str]) -> Recording:
    clean, noisy = (folder / f"{side}_{name}_wav" / f"{stem}.wav" for side in ("clean", "noisy"))
    if stem not in names:
        raise ConfigError(f"{_log_path(folder, name)}: has no line for {stem}, which {noisy.parent} holds")
    kind = names[stem]
    split = NOISE_SPLITS.get(kind, "train")
    return Recording(noisy, f"DEMAND {kind}", LICENSE, category=CATEGORIES[kind], fixed_split=split, minus=clean)


def _pairs(folder: Path, name: str) -> list[str]:
    """The utterances of one set, in order; each lies in both folders."""
    sides = [folder / f"{side}_{name}_wav" for side in ("clean", "noisy")]
    if not sides[0].is_dir():
        return []
    stems = [{path.stem for path in audio_in(side) if path.suffix == ".wav"} for side in sides]
    for missing, side in ((stems[0] - stems[1], sides[1]), (stems[1] - stems[0], sides[0])):
        if missing:
            raise ConfigError(
                f"{side / min(missing)}.wav: missing, while its partner is there ({len(missing)} like it)"
            )
    return sorted(stems[0])


def _log_path(folder: Path, name: str) -> Path:
    for path in (folder / f"log_{name}.txt", folder / "logfiles" / f"log_{name}.txt"):
        if path.is_file():
            return path
    raise ConfigError(
        f"{folder / f'log_{name}.txt'}: no such file; unpack the logfiles that are published with the set"
    )


def _read_log(folder: Path, name: str) -> dict[str, str]:
    """Utterance → noise."""
    path = _log_path(folder, name)
    names = {}
    for line, text in enumerate(read_text(path).splitlines(), start=1):
        if not (fields := text.split()):
            continue
        if len(fields) != 3 or not _is_number(fields[2]):
            raise ConfigError(f"{path}, line {line}: is not `utterance noise SNR`: {text.strip()!r}")
        if fields[1] not in CATEGORIES:
            raise ConfigError(f"{path}, line {line}: unknown noise {fields[1]!r}; known are {', '.join(CATEGORIES)}")
        names[fields[0]] = fields[1]
    return names


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _look_up(folder: Path, table: dict[str, Speaker] | None, speaker: str) -> Speaker:
    if table is None:
        return Speaker()
    if (number := speaker.removeprefix("p")) not in table:
        raise ConfigError(f"{folder / TABLE}: has no line for speaker {number}; add `{number} AGE F|M ACCENT`")
    return table[number]


def _speaker_id(stem: str) -> str:
    return stem.partition("_")[0]


def _validation_speakers(names: set[str], speakers: dict[str, Speaker]) -> set[str]:
    chosen: set[str] = set()
    for gender in ("F", "M", "U"):
        candidates = sorted((name for name in names if speakers[name].gender == gender), key=hash_position)
        count = max(1, round(VALIDATION_SHARE * len(candidates))) if len(candidates) > 1 else 0
        chosen.update(candidates[:count])
    return chosen
