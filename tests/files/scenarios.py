# SPDX-License-Identifier: Apache-2.0
"""Every kind of output, written by the code that commands use: an old state, and a write that makes a new one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from bundles import random_bundle
from typer.testing import CliRunner

from dyncp.base.audio import write_pcm
from dyncp.base.config.experiment import Config
from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import OutputError
from dyncp.base.files import new_text, replace_file, replace_folder
from dyncp.base.files.journal import settle
from dyncp.codegen.generate import generate, renew_probes
from dyncp.commands.evaluation.more import write_results
from dyncp.commands.shared.terminal import make_console
from dyncp.evaluation.plotting.plots import drawn
from dyncp.export.formats.bundle import read_bundle, write_bundle
from dyncp.export.integers.truth import write_truth

TINY = NetworkConfig(channels=4, hidden=4, gate=1, stacks=1, dilations=(1,), pooling_frames=4)


@dataclass(frozen=True)
class Scenario:
    """`write(folder, 0)` makes the old state, `write(folder, 1)` the new one, over the old or over nothing.

    `read` is a reader's way in: it raises where what it finds is not whole. `parts`: several files, each whole.
    """

    write: Callable[[Path, int], object]
    read: Callable[[Path], object] = lambda _: None
    others: Callable[[Path], object] = lambda _: None
    parts: bool = False


def _text(folder: Path, version: int) -> None:
    with new_text(folder / "table.csv") as file:
        for row in range(3):
            file.write(f"{version},{row}\n" * 3000)


def _sound(suffix: str) -> Callable[[Path, int], None]:
    pcm = np.random.default_rng(0).integers(-3000, 3000, 30_000).astype(np.int16)
    return lambda folder, version: write_pcm(folder / f"sound.{suffix}", pcm[version:])


def _checkpoint(folder: Path, version: int) -> None:
    from dyncp.train.network.checkpoint import write_checkpoint
    from dyncp.train.network.enhancer import Enhancer

    network = Enhancer(TINY)
    for parameter in network.parameters():
        parameter.data.fill_(version)
    scales = {"features": 0.5} if version == 0 else None
    write_checkpoint(folder / "run", network, Config(network=TINY), version, [0.5], 0.1, scales)


def _load_checkpoint(folder: Path) -> None:
    from dyncp.train.network.checkpoint import load_checkpoint
    from dyncp.train.probes.files import load_probes

    load_checkpoint(folder / "run")
    load_probes(folder / "run")


def _resumable(folder: Path) -> None:
    (folder / "run" / "tensorboard").mkdir(parents=True)
    (folder / "run" / "tensorboard" / "events").write_bytes(b"of tensorboard")
    (folder / "run" / "resume.safetensors").write_bytes(b"of the trainer")


def _probes(folder: Path, version: int) -> None:
    from dyncp.train.network.checkpoint import PROBES, read_files, write_files

    if not (folder / "run" / "checkpoint.json").exists():
        _checkpoint(folder, 0)
    manifest, contents = read_files(folder / "run")
    write_files(folder / "run", manifest, {**contents, PROBES: _probe_bytes(version)})


@cache
def _probe_bytes(version: int) -> bytes:
    """As `dyncp probe` saves them; once for each version, for the order of their metadata differs from call to call."""
    from dyncp.base.tasks import VOICE_ACTIVITY
    from dyncp.train.probes.files import PROBES, FloatProbes, save_probes

    with tempfile.TemporaryDirectory() as place:
        _checkpoint(Path(place), 0)
        channel = np.arange(4, dtype=np.int32)
        probes = FloatProbes(np.full((4, 1), float(version)), np.zeros(1), channel, [VOICE_ACTIVITY])
        save_probes(Path(place) / "run", probes, {}, "hash")
        return (Path(place) / "run" / PROBES).read_bytes()


def _bundle(folder: Path, version: int) -> None:
    write_bundle(random_bundle(TINY, version, "int8" if version == 0 else None), folder / "bundle")


def _library(folder: Path, version: int) -> None:
    bundle = random_bundle(TINY, version)
    bundle.hash = bundle.identity
    generate(bundle, folder / "library")


def _other_probes(folder: Path, version: int) -> None:
    bundle = random_bundle(TINY, 0)
    bundle.hash = bundle.identity
    if not (folder / "library" / "dyncp.c").exists():
        generate(bundle, folder / "library")
    renew_probes(bundle, folder / "library", signals=None if version == 0 else ["vad"])


def _inside(folder: Path, version: int) -> None:
    (folder / "library").mkdir(exist_ok=True)
    os.chdir(folder / "library")
    _library(folder, version)


def _tree(folder: Path, version: int) -> None:
    """Files in folders below, as a layout has them."""
    trees = [("a", "src/b", "src/old/c"), ("a", "src/b", "src/new/c", "src/new/deep/d")]
    own = frozenset(name for names in trees for name in names)
    contents = dict.fromkeys(trees[version], b"%d" % version * 100)
    replace_folder(folder / "tree", contents, own, OutputError, keep_others=True)


def _tree_inside(folder: Path, version: int) -> None:
    (folder / "tree").mkdir(exist_ok=True)
    os.chdir(folder / "tree")
    _tree(folder, version)


def _file_in_tree(folder: Path) -> None:
    (folder / "tree" / "src" / "old").mkdir(parents=True)
    (folder / "tree" / "src" / "mine").write_text("mine")
    (folder / "tree" / "src" / "old" / "mine").write_text("mine")


def _build_file(folder: Path) -> None:
    (folder / "library" / "cmake").mkdir(parents=True)
    (folder / "library" / "CMakeLists.txt").write_text("add_library(dyncp dyncp.c)")
    (folder / "library" / "cmake" / "mine.cmake").write_text("mine")


def _results(folder: Path, version: int) -> None:
    write_results(make_console(quiet=True), folder, "caps", [], {"version": version})


def _figure(folder: Path, version: int) -> None:
    with drawn(folder, "figure", 1.0 + version, 1.0):
        pass


def _truth(folder: Path, version: int) -> None:
    write_truth(folder / "truth.csv", [], {"vad": np.full(500 + version, 1.0)})


def _enhanced(folder: Path, version: int) -> None:
    arguments = ["enhance", "in.wav", "out.wav", "--bundle", "bundle", "--plot", "plot.svg"]
    arguments = [str(folder / part) if "." in part or part == "bundle" else part for part in arguments]
    result = CliRunner().invoke(_commands(), arguments + (["--keep-delay"] if version else []))
    if result.exception is not None:
        raise result.exception


def _commands() -> object:
    from dyncp.cli import commands

    return commands


def _to_enhance(folder: Path) -> None:
    write_bundle(random_bundle(TINY, 0), folder / "bundle")
    write_pcm(folder / "in.wav", np.random.default_rng(0).integers(-3000, 3000, 3000).astype(np.int16))


SCENARIOS = {
    "file": Scenario(lambda folder, version: replace_file(folder / "a.json", b"%d" % version * 100)),
    "text": Scenario(_text),
    "wav": Scenario(_sound("wav")),
    "flac": Scenario(_sound("flac")),
    "checkpoint": Scenario(_checkpoint, _load_checkpoint, _resumable),
    "probes": Scenario(_probes, _load_checkpoint, _resumable),
    "bundle": Scenario(_bundle, lambda folder: read_bundle(folder / "bundle")),
    "library": Scenario(_library, others=_build_file),
    "probes-only": Scenario(_other_probes, others=_build_file),
    "in-place": Scenario(_inside, lambda folder: settle(folder / "library", OSError), _build_file),  # type: ignore[arg-type]
    "tree": Scenario(_tree, others=_file_in_tree),
    "tree-in-place": Scenario(_tree_inside, lambda folder: settle(folder / "tree", OSError), _file_in_tree),  # type: ignore[arg-type]
    "results": Scenario(_results, parts=True),
    "figure": Scenario(_figure, parts=True),
    "truth": Scenario(_truth),
    "enhance": Scenario(_enhanced, others=_to_enhance, parts=True),
}
