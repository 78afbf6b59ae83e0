# SPDX-License-Identifier: Apache-2.0
"""Proves the controls of a library: settings that change from frame to frame, against the reference (docs/controls.md).

Outputs, gains, decisions and MACs are compared; each engine must also tell the settings as they were set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dyncp.base.errors import ToolchainError
from dyncp.export.formats.bundle import Bundle, Probes
from dyncp.export.integers import reference
from dyncp.export.integers.controls import DEFAULT, Decision, Settings, choose, decide
from dyncp.export.integers.run import Run, hops
from dyncp.firmware.building.boards import Board
from dyncp.firmware.building.elf import addresses
from dyncp.firmware.building.image import APP, compile_source, link
from dyncp.firmware.emulators.counting import Marks, read_events
from dyncp.firmware.emulators.emulate import run_image
from dyncp.firmware.host.library import HostLibrary

FRAMES = 40
"""Enough for every control to act, alone and with others; shorter audio is repeated."""

_LABELS, _MARKS = ("controlled_begin", "controlled_end"), "marks.bin"


@dataclass(frozen=True)
class Controlled:
    """A piece of audio under changing settings, and what the reference makes of it."""

    pcm: NDArray[np.int16]
    settings: Sequence[Settings]
    run: Run
    gains: NDArray[np.uint16]
    """[n, F]."""
    deciding: Sequence[str]
    """Tasks that decide something."""
    decisions: NDArray[np.int64]
    """Theirs, [n, D]: 0 or 1, or a class."""


def controlled(bundle: Bundle, pcm: NDArray[np.int16], settings: Sequence[Settings] | None = None) -> Controlled:
    """The reference on int16 PCM [n · hop] under `settings`, one a frame; by default `schedule` on FRAMES of it."""
    deciding = [] if bundle.probes is None else bundle.probes.deciding
    if settings is None:
        pcm, settings = np.resize(pcm, FRAMES * bundle.config.hop), schedule(FRAMES, deciding)
    run = reference.run(bundle, pcm, trace=True, settings=settings)
    gains = run.trace["suppression"].astype(np.uint16)
    return Controlled(pcm, settings, run, gains, deciding, _decisions(bundle.probes, run, settings))


def _decisions(probes: Probes | None, run: Run, settings: Sequence[Settings]) -> NDArray[np.int64]:
    columns = [np.zeros((run.frames, 0), np.int64)]
    for task, outputs in zip(probes.tasks, probes.columns, strict=True) if probes else ():
        scores, each = run.signals[:, outputs], [now.decision(task.name) for now in settings]
        if task.kind == "binary":
            columns.append(decide(scores[:, 0], each, task.period)[1][:, None].astype(np.int64))
        elif task.kind == "multiclass":
            columns.append(choose(scores, each, task.period)[:, None])
    return np.concatenate(columns, axis=1)


def schedule(frames: int, deciding: Sequence[str] = ()) -> list[Settings]:
    """Every control alone, then with others; none again in between, and at the end."""
    early, late = (dict.fromkeys(deciding, decision) for decision in (Decision(0, 2), Decision(100, 5)))
    alone = [
        Settings(limit=12),
        Settings(strength=60),
        Settings(bypass=True),
        DEFAULT,
        Settings(strength=170),
        Settings(attack=40, release=15),
        Settings(decisions=early),
        Settings(limit=20, strength=130, attack=70, release=30, decisions=late),
    ]
    steps = [*alone, replace(alone[-1], bypass=True), replace(alone[0], strength=0), Settings(limit=0), DEFAULT]
    return [steps[frame * len(steps) // frames] for frame in range(frames)]


def on_host(library: HostLibrary, expected: Controlled) -> int:
    """Words that differ on the host."""
    stream, differing = library.stream(), 0
    parts = [expected.run.part(frame, frame + 1) for frame in range(expected.run.frames)]
    heard = hops(expected.pcm, library.config.hop)
    for frame, (part, samples, settings) in enumerate(zip(parts, heard, expected.settings, strict=True)):
        stream.set_controls(settings)
        told = stream.controls()
        if not np.array_equal(told.words(expected.deciding), settings.words(expected.deciding)):
            raise ToolchainError(f"{library.path}: told settings {told}, after {settings} were set")
        run = stream.run(samples)
        differing += int(np.count_nonzero(run.output != part.output) + np.count_nonzero(run.macs != part.macs))
        differing += int(np.count_nonzero(stream.gains() != expected.gains[frame]))
        differing += int(np.count_nonzero(stream.decisions() != expected.decisions[frame]))
    return differing


def on_board(
    library: Path,
    compiled: Path,
    board: Board,
    expected: Controlled,
    work: Path,
    timeout_s: float,
    plugin: Path | None = None,
) -> int:
    """Words that differ on an emulated core; `compiled` is the object of `library` for it, `work` a folder to use.

    With a plugin of `counting`, `instructions` reads from `work` what the frames took. Raises ToolchainError as
    building and emulating do, and where the library does not take or tell a setting.
    """
    program = compile_source(APP / "controls.c", board, work, ("-I", str(library.resolve())))
    image = link(board, (compiled, program), work)
    (work / "controls.pcm").write_bytes(expected.pcm.astype("<i2").tobytes())
    words = np.stack([settings.words(expected.deciding) for settings in expected.settings])
    (work / "settings.bin").write_bytes(words.astype("<i4").tobytes())
    records = work / "controls.bin"
    records.unlink(missing_ok=True)
    marks = None if plugin is None else Marks(plugin, tuple(addresses(image, _LABELS)), _MARKS)
    run_image(image, board, [], timeout_s=timeout_s, marks=marks)
    count = expected.gains.shape[1]
    gains = ("gains", "<u2", (count + count % 2,))
    hop, decisions = len(expected.pcm) // len(words), ("decisions", "<u4", (len(expected.deciding),))
    layout = np.dtype([("output", "<i2", (hop,)), gains, decisions, ("macs", "<u4")])
    told = records.read_bytes() if records.is_file() else b""
    if len(told) != len(words) * layout.itemsize:
        raise ToolchainError(f"{records}: the image wrote {len(told)} bytes, expected {len(words) * layout.itemsize}")
    table, run = np.frombuffer(told, layout), expected.run
    differing = np.count_nonzero(table["output"] != run.output.reshape(len(words), -1))
    differing += np.count_nonzero(table["gains"][:, :count] != expected.gains)
    differing += np.count_nonzero(table["macs"] != run.macs)
    differing += np.count_nonzero(table["decisions"] != expected.decisions)
    return int(differing)


def instructions(work: Path) -> NDArray[np.int64]:
    """Of each frame of the counted run in `work`, calls included."""
    events = read_events(work / _MARKS)
    if len(events) % 2 or not np.array_equal(events[:, 0], np.tile([0, 1], len(events) // 2)):
        raise ToolchainError(f"{work}: the frames did not pass their marks once and in order")
    return np.diff(events[:, 1].reshape(-1, 2), axis=1)[:, 0]
