# SPDX-License-Identifier: Apache-2.0
"""Which files of a folder are audio, and which only look like it; which of several microphones a name speaks of."""

from __future__ import annotations

import os
import re
from pathlib import Path

from dyncp.base.audio import SUFFIXES

# What file systems and servers put among a user's files. macOS also leaves `._NAME` beside every NAME that it copies to
# a foreign disk or packs into a ZIP; such names begin with a dot and end like the audio file that they belong to.
FOREIGN = frozenset({"__MACOSX", "@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found"})

# One of several microphones or channels of a recording: ch01, BUS_01.CH1, p225_001_mic2, room_left.
MICROPHONE = re.compile(
    r"(?:^|[._\- ])(?:(?:ch|chan|channel|mic|microphone|mc|array)[._\- ]?\d{1,3}|left|right|l|r)$", re.IGNORECASE
)


def is_foreign(relative: Path) -> bool:
    """Whether a path below a corpus's folder belongs to a file system and not to the corpus."""
    return any(part.startswith(".") or part in FOREIGN for part in relative.parts)


def files_below(folder: Path) -> list[Path]:
    """All files of the corpus below `folder`, in order; links to folders are followed."""
    found = []
    for place, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not is_foreign(Path(name))]
        found += [Path(place, name) for name in names if not is_foreign(Path(name))]
    return sorted(path for path in found if path.is_file())


def audio_files(folder: Path) -> list[Path]:
    """The files below `folder` whose names end like audio, in order; macOS's `._x.wav` and its like are none."""
    return [path for path in files_below(folder) if is_audio(path)]


def audio_in(folder: Path) -> list[Path]:
    """The same directly in `folder`."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in found if is_audio(path) and not is_foreign(Path(path.name)) and path.is_file())


def folders_in(folder: Path) -> list[Path]:
    """The corpus's own folders directly in `folder`, in order."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in found if path.is_dir() and not is_foreign(Path(path.name)))


def is_audio(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def holds_no_audio(path: Path) -> bool:
    """Whether a file that could not be read as audio is none: no samples, or something else under such a name.

    False where the system does not hand it over, or where it is audio with another fault.
    """
    import soundfile

    try:
        return bool(soundfile.info(path).frames == 0)
    except soundfile.LibsndfileError as error:
        # Of libsndfile's codes, 2 is an error of the system.
        return bool(error.code != 2)
    except OSError:
        return False


def recording_of(path: Path) -> str:
    """What is recorded in a file: its name without the microphone; of `ch01.wav` and its like, that of its folder."""
    return MICROPHONE.sub("", path.stem) or path.parent.name or path.stem
