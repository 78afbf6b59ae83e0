# SPDX-License-Identifier: Apache-2.0
"""Small trees in the layouts in which corpora are published: their folders, their names, and their tables' words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from signals import speech_like


def touch(folder: Path, *names: str) -> Path:
    """Empty files: enough for what reads no audio."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def fill(folder: Path, rate: int) -> Path:
    """Give every audio file of a tree a sound of its own, of a second and a half, at a multiple of 16 kHz."""
    for seed, path in enumerate(sorted(p for p in folder.rglob("*") if p.suffix in (".wav", ".flac"))):
        sound = np.repeat(speech_like(94, seed=seed), rate // 16_000)
        soundfile.write(path, sound, rate, subtype="PCM_16")
    return folder


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


SPEAKERS_TXT = """\
; Some pipe(|) separated metadata about all LibriVox readers, whose work was used
; in the corpus.
;
;ID  |SEX| SUBSET           |MINUTES| NAME
14   | F | train-clean-360  | 25.03 | Kristin LeMoine
103  | F | train-clean-100  | 25.05 | Karen Savage
1272 | M | dev-clean        | 8.07  | John Rose
1089 | M | test-clean       | 8.05  | Peter Bobbe
"""


def librispeech(folder: Path) -> Path:
    touch(
        folder,
        "train-clean-100/103/1240/103-1240-0000.flac",
        "train-clean-100/103/1241/103-1241-0000.flac",
        "train-clean-360/14/208/14-208-0000.flac",
        "dev-clean/1272/128104/1272-128104-0000.flac",
        "test-clean/1089/134686/1089-134686-0000.flac",
        "test-clean/1089/134686/1089-134686.trans.txt",
    )
    write(folder / "SPEAKERS.TXT", SPEAKERS_TXT)
    return folder


# Most lines of the published table split the name at tabs of its own.
SPEAKERS_TSV = """\
READER\tGENDER\tSUBSET\tNAME
14\tF\ttrain-clean-360\tKristin LeMoine
103\tF\ttrain-clean-100\tKaren\tSavage
1272\tM\tdev-clean\tJohn Rose
1089\tM\ttest-clean\tPeter Bobbe
"""


def libritts(folder: Path) -> Path:
    touch(
        folder,
        "train-clean-100/103/1241/103_1241_000000_000001.wav",
        "train-clean-100/103/1241/103_1241_000000_000001.normalized.txt",
        "train-clean-360/14/208/14_208_000001_000000.wav",
        "dev-clean/1272/128104/1272_128104_000001_000000.wav",
        "test-clean/1089/134686/1089_134686_000001_000001.wav",
    )
    write(folder / "speakers.tsv", SPEAKERS_TSV)
    return folder


SPEAKER_INFO = """\
ID  AGE  GENDER  ACCENTS  REGION COMMENTS
p225  23  F    English    Southern  England
p280  25  F    Unknown  France  (mic2 files unavailable)
p326  26  M    Australian English  Sydney
"""


def vctk(folder: Path) -> Path:
    for speaker in ("p225", "p280", "p326"):
        for take in ("001", "002"):
            for mic in (1,) if speaker == "p280" else (1, 2):
                touch(folder, f"wav48_silence_trimmed/{speaker}/{speaker}_{take}_mic{mic}.flac")
        touch(folder, f"txt/{speaker}/{speaker}_001.txt")
    touch(folder, "wav48_silence_trimmed/s5/s5_001_mic1.flac", "wav48_silence_trimmed/log.txt")
    write(folder / "speaker-info.txt", SPEAKER_INFO)
    return folder


def dns(folder: Path) -> Path:
    clean, noise = "datasets_fullband/clean_fullband", "datasets_fullband/noise_fullband"
    return touch(
        folder,
        f"{clean}/read_speech/book_00000_chp_0009_reader_06709_0_seg_1_seg1.wav",
        f"{clean}/read_speech/book_00003_chp_0010_reader_06709_2.wav",
        f"{clean}/read_speech/book_00017_chp_0003_reader_00103_5_seg_2.wav",
        f"{clean}/vctk_wav48_silence_trimmed/p225/p225_001_mic1.wav",
        f"{clean}/emotional_speech/crema_d/1001_DFA_ANG_XX.wav",
        f"{clean}/VocalSet_48kHz_mono/f1_arpeggios_belt_c_a.wav",
        f"{clean}/spanish_speech/es_SLR61_es_ar_female_arf_06592_00774535859.wav",
        f"{clean}/spanish_speech/es_SLR61_es_ar_female_arf_06592_01998880521.wav",
        f"{clean}/french_speech/M-AILABS_l_ile_mysterieuse_2_06_f000145.wav",
        f"{clean}/french_speech/M-AILABS_l_ile_mysterieuse_2_06_f000146.wav",
        f"{noise}/door_Freesound_validated_235661_0.wav",
        f"{noise}/door_Freesound_validated_235661_7.wav",
        f"{noise}/breath_spit_Freesound_validated_422419_0.wav",
        f"{noise}/FXlL-WffpM0.wav",
    )


def demand(folder: Path, places: tuple[str, ...] = ("DKITCHEN", "PRESTO", "SPSQUARE", "NPARK")) -> Path:
    return touch(folder, *(f"{place}/ch{mic:02d}.wav" for place in places for mic in range(1, 17)))


SOUND_BIBLE_LICENSE = """\
===============================================================================
noise-sound-bible-0001
Title: Crowd Talking
License: Attribution 3.0
===============================================================================
noise-sound-bible-0002
Title: Rain
License: Public Domain
===============================================================================
noise-sound-bible-0003
Title: Siren
License: Noncommercial 3.0
"""


def musan(folder: Path) -> Path:
    touch(
        folder,
        *(f"noise/free-sound/noise-free-sound-{n:04d}.wav" for n in range(3)),
        *(f"noise/sound-bible/noise-sound-bible-{n:04d}.wav" for n in range(4)),
        *(f"music/fma/music-fma-{n:04d}.wav" for n in range(2)),
        *(f"speech/librivox/speech-librivox-{n:04d}.wav" for n in range(3)),
        "speech/us-gov/speech-us-gov-0000.wav",
    )
    write(folder / "noise/free-sound/LICENSE", "All selected recordings were marked as in the Public Domain.\n")
    write(folder / "noise/free-sound/ANNOTATIONS", "Background noises:\nnoise-free-sound-0001\n\nOther:\n")
    write(folder / "noise/sound-bible/LICENSE", SOUND_BIBLE_LICENSE)
    write(folder / "music/fma/ANNOTATIONS", "music-fma-0000 classical N Kosta_T\nmusic-fma-0001 pop Y someone\n")
    write(folder / "music/fma/LICENSE", "music-fma-0000\nhttp://creativecommons.org/licenses/by-nc-sa/3.0/us/\n")
    write(folder / "speech/librivox/ANNOTATIONS", "speech-librivox-0000 f english\nspeech-librivox-0001 m hebrew\n")
    return folder


ESC50 = """\
filename,fold,target,category,esc10,src_file,take
1-100032-A-0.wav,1,0,dog,True,100032,A
2-100210-A-36.wav,2,36,vacuum_cleaner,False,100210,A
2-100210-B-36.wav,2,36,vacuum_cleaner,False,100210,B
4-182395-A-0.wav,4,0,dog,True,182395,A
5-210612-A-37.wav,5,37,siren,False,210612,A
"""


def esc50(folder: Path) -> Path:
    write(folder / "meta" / "esc50.csv", ESC50)
    return touch(folder, *(f"audio/{line.partition(',')[0]}" for line in ESC50.splitlines()[1:]))
