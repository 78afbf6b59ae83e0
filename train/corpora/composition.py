# SPDX-License-Identifier: Apache-2.0
"""A corpus composed of others: a TOML file that names whose speech and whose noise it takes.

    speech = ["LibriSpeech", "/data/VCTK-Corpus-0.92"]
    noise = ["demand", "musan"]

Paths are relative to the file. Of each, only the named part is taken.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from dyncp.base.config.reading import StrictModel, parse, read_toml

NAME = "corpus.toml"


class Composition(StrictModel):
    """Corpora whose speech, and corpora whose noise is taken."""

    speech: tuple[Path, ...] = Field(min_length=1, description="folders of corpora that hold speech")
    noise: tuple[Path, ...] = Field(min_length=1, description="folders of corpora that hold noise")


def is_composition(path: Path) -> bool:
    """A TOML file, or a folder that holds one of the name `corpus.toml`."""
    return (path.suffix == ".toml" and path.is_file()) or (path / NAME).is_file()


def read_composition(path: Path) -> Composition:
    """Its paths are those of the folders. Raises ConfigError naming file and field."""
    file = path / NAME if path.is_dir() else path
    stated = parse(Composition, read_toml(file), str(file))
    return Composition(
        speech=tuple(file.parent / part for part in stated.speech),
        noise=tuple(file.parent / part for part in stated.noise),
    )
