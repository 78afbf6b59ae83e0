# SPDX-License-Identifier: Apache-2.0
"""A bundle's generated C as a WebAssembly module, and what the words are that it tells of a frame."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dyncp.base.config.framing import Framing
from dyncp.codegen.generate import generate
from dyncp.export.formats.bundle import Bundle
from dyncp.export.formats.probe_set import ProbeTask
from dyncp.export.integers.signals import columns, has_flag
from dyncp.firmware.building import toolchain
from dyncp.firmware.building.image import FREESTANDING, OPTIMIZE
from dyncp.firmware.page.templates import template

FLAGS = ("--target=wasm32", "-msimd128", "-mbulk-memory", "-nostdlib", "-nostdlibinc", *toolchain.WARNINGS)
LINK = ("-Wl,--no-entry", "-Wl,--gc-sections", "-Wl,--strip-all", "-Wl,-z,stack-size=65536", "-Wl,--stack-first")


BEAT = 256
"""Samples at which the page moves on, 16 ms: one frame of most networks, some of those with shorter hops."""

Kind = Literal["score", "value", "decision", "flag", "count"]


@dataclass(frozen=True)
class Column:
    """One word of a frame, and a column of the CSV of `dyncp enhance`."""

    name: str
    member: str
    """Of the signals struct, in C."""
    kind: Kind
    q: int = 0
    """Fractional bits."""
    task: int | None = None


def frame_columns(tasks: Sequence[ProbeTask]) -> list[Column]:
    """The columns of the CSV but its first, time_s."""
    words = [
        (member, kind, task.q if kind in ("score", "value") else 0, place)
        for place, task in enumerate(tasks)
        for member, kind in _members(task)
    ]
    told = [Column(name, *word) for name, word in zip(columns(tasks), words, strict=True)]
    return told + [Column(name, name, "count") for name in ("active", "macs")]


def _members(task: ProbeTask) -> Iterator[tuple[str, Kind]]:
    if task.kind == "binary":
        yield f"{task.name}_score", "score"
    if task.kind == "multiclass":
        yield from ((f"{task.name}_scores[{index}]", "score") for index in range(task.outputs))
    yield task.name, "value" if task.kind == "regression" else "decision"
    if has_flag(task):
        yield f"{task.name}_valid", "flag"


def fits_the_beat(framing: Framing) -> bool:
    """Whether its hops fill beats, and its output is no later than one."""
    return BEAT % framing.hop == 0 and framing.delay <= BEAT


def build_wasm(bundle: Bundle) -> bytes:
    """The library of `bundle`, with its self-test, compiled by clang. Raises ToolchainError where a tool is missing."""
    toolchain.find("clang")
    toolchain.find("wasm-ld")
    tasks = bundle.probes.tasks if bundle.probes else []
    told = frame_columns(tasks)
    with tempfile.TemporaryDirectory(prefix="dyncp-") as name:
        folder = Path(name)
        library = generate(bundle, folder / "library", selftest=True)
        bridge = folder / "bridge.c"
        bridge.write_text(
            template("bridge.c.j2").render(
                columns=len(told),
                members=[column.member for column in told],
                frames=BEAT // bundle.config.hop,
                words=bundle.config.mask_words,
            ),
            encoding="utf-8",
        )
        module = folder / "module.wasm"
        sources = [library / "dyncp.c", bridge, FREESTANDING / "memory.c"]
        folders = [f"-isystem{FREESTANDING}", f"-I{library}"]
        toolchain.run(["clang", *OPTIMIZE, *FLAGS, *folders, *LINK, *sources, "-o", module])
        return module.read_bytes()
