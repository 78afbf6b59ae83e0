# SPDX-License-Identifier: Apache-2.0
"""`dyncp page`: networks and audio become one HTML file, in which the generated C runs as WebAssembly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dyncp.commands.shared.options import Json
from dyncp.commands.shared.terminal import make_console

if TYPE_CHECKING:
    from rich.console import Console

    from dyncp.base.audio import Pcm

MAXIMUM_S = 60.0
"""Of audio that the page brings: a second takes 43 KB of the file."""


def page(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="NETWORK… OUT.html",
            help="NETWORK: name of a shipped one (`dyncp networks`), or a bundle; the first two run when the page "
            "opens. OUT.html: the page.",
        ),
    ],
    audio: Annotated[
        list[Path] | None,
        typer.Option(help="A recording that the page brings, at most a minute; may be repeated. Converted as needed."),
    ] = None,
    json_output: Json = False,
) -> None:
    """Write a page that runs the generated C in a browser: microphone, files, masks, signals, live (docs/page.md).

    The page is one file, which asks nobody for anything: send it by mail, open it from a disk. It needs clang and lld.
    """
    from dyncp.base.files import new_text
    from dyncp.export.formats.bundle import read_bundle
    from dyncp.firmware.page.page import render_page

    if len(words) < 2:
        raise typer.BadParameter("expected NETWORK… OUT.html; `dyncp networks` lists networks")
    out, folders, recordings = Path(words[-1]), _named(words[:-1]), list(audio or [])
    _check(out, folders, recordings)
    console = make_console(json_output=json_output)
    networks = {name: read_bundle(folder) for name, folder in folders.items()}
    sounds = _read_all(console, recordings)
    with console.status("compiling"):
        text = render_page(networks, sounds)
    with new_text(out) as file:
        file.write(text)
    size = len(text.encode())
    console.print(f"{out}: {', '.join(networks)}; {size:,} bytes", highlight=False, soft_wrap=True)
    console.document({"page": str(out), "bytes": size, "networks": list(networks)})


def _named(words: Sequence[str]) -> dict[str, Path]:
    """Name on the page → folder: the folder's own name where that tells networks apart, else what was typed."""
    from dyncp.base.paths import find_bundle

    short = [Path(word).name for word in words]
    names = [name if name and short.count(name) == 1 else word for name, word in zip(short, words, strict=True)]
    if len(set(names)) < len(names):
        raise typer.BadParameter("a network is named twice")
    return {name: find_bundle(Path(word)) for name, word in zip(names, words, strict=True)}


def _check(out: Path, folders: Mapping[str, Path], recordings: Sequence[Path]) -> None:
    """Before anything is compiled. Raises OutputError for a page that cannot be written, or is something else."""
    from dyncp.base.errors import OutputError
    from dyncp.base.files.outputs import check_outputs
    from dyncp.firmware.page.page import MARK

    if out.suffix.lower() not in (".html", ".htm"):
        raise OutputError(f"{out}: the page's name must end in .html")
    inputs = {f"the bundle {name}": folder for name, folder in folders.items()}
    check_outputs({"the page": out}, inputs | {f"--audio {path.name}": path for path in recordings})
    if out.is_file() and out.stat().st_size > 0:
        with out.open("rb") as file:
            if MARK.encode() not in file.read(4096):
                raise OutputError(f"{out}: is there already, and no page of this command; name another file")


def _read_all(console: Console, recordings: Sequence[Path]) -> dict[str, Pcm]:
    """Title → int16 at 16 kHz. Raises AudioError for a file that cannot be read, or is too long."""
    import numpy as np

    from dyncp.base.config.framing import SAMPLE_RATE
    from dyncp.base.errors import AudioError
    from dyncp.base.sounds.source import Source

    sounds: dict[str, Pcm] = {}
    for path in recordings:
        heard = Source(path, resample=True, mono=True)
        if heard.seconds > MAXIMUM_S:
            raise AudioError(f"{path}: is {heard.seconds:.0f} s long; a page brings at most {MAXIMUM_S:.0f} s, cut it")
        if heard.changes:
            console.print(f"{path}: {', '.join(heard.changes)}", highlight=False, soft_wrap=True)
        title = path.stem if path.stem not in sounds else str(path)
        sounds[title] = np.concatenate(list(heard.blocks(SAMPLE_RATE)))
    return sounds
