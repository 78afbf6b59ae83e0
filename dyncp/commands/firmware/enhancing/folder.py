# SPDX-License-Identifier: Apache-2.0
"""A folder of audio files, with all its folders, to another one: each file keeps its name."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from dyncp.base.errors import AudioError, OutputError
from dyncp.base.files.outputs import check_folder_output
from dyncp.commands.firmware.enhancing.one import Job
from dyncp.commands.firmware.enhancing.signals_file import check_replaceable


def jobs_of(source: Path, target: Path) -> list[Job]:
    """A job for each audio file below `source`, sorted; their outputs lie below `target`, made when they are written.

    OGG becomes FLAC, since it cannot keep samples as they are. Raises AudioError for a folder without audio, and
    OutputError where an output would be an input, or two would be one file.
    """
    from dyncp.base.audio import SUFFIXES

    check_folder_output(target, (), lambda _: True)
    if _inside(target, source):
        raise OutputError(f"{target}: lies in IN, {source}; choose a folder beside it")
    sounds = [path for path in sorted(source.rglob("*")) if path.suffix.lower() in SUFFIXES and path.is_file()]
    if not sounds:
        raise AudioError(f"{source}: holds no file that ends in {', '.join(sorted(SUFFIXES))}")
    jobs = []
    for sound in sounds:
        out = target / sound.relative_to(source)
        out = out.with_suffix(".flac") if out.suffix.lower() == ".ogg" else out
        jobs.append(Job(sound, out, out.with_suffix(".csv")))
    _check_apart(jobs)
    return jobs


def _check_apart(jobs: Iterable[Job]) -> None:
    inputs = {_identity(job.source): job.source for job in jobs}
    made: dict[Path, Path] = {}
    for job in jobs:
        for output in (job.target, job.table):
            assert output is not None
            if output in made:
                raise OutputError(f"{output}: would be written for {made[output]} and for {job.source}; rename one")
            made[output] = job.source
            if output.exists() and _identity(output) in inputs:
                raise OutputError(f"{output}: is {inputs[_identity(output)]}; choose another folder")
            if output.is_dir():
                raise OutputError(f"{output}: is a folder; choose another folder for OUT")
        assert job.table is not None
        check_replaceable(job.table)


def _identity(path: Path) -> tuple[int, int]:
    """Equal for all names of one file."""
    found = os.stat(path)
    return found.st_dev, found.st_ino


def _inside(path: Path, folder: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
