# SPDX-License-Identifier: Apache-2.0
"""The wheel: it holds every file of the rooms, and works from a folder that holds nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path

import numpy as np
import pytest
from bundles import random_bundle

from dyncp.base.audio import write_pcm
from dyncp.base.config.network import NetworkConfig
from dyncp.base.version import __version__
from dyncp.export.formats.bundle import write_bundle

ROOT = Path(__file__).parents[2]
# Where each room lies in the wheel.
ROOMS = {
    "dyncp": "dyncp",
    **{room: f"dyncp/{room}" for room in ("train", "export", "codegen", "firmware")},
}

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Installed:
    wheel: Path
    folder: Path
    """Where it is installed, and nothing else."""

    def python(self, arguments: Sequence[object], cwd: Path) -> str:
        """What a Python prints that finds dyncp in this folder alone; the packages it needs are this Python's."""
        environment = {**os.environ, "PYTHONPATH": str(self.folder), "PYTHONSAFEPATH": "1"}
        command = [sys.executable, *map(str, arguments)]
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Built from a copy: setuptools leaves its intermediate files beside the sources, and takes them for new ones."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for name in ROOMS:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source]
    subprocess.run(build, check=True, timeout=300)
    (wheel,) = folder.glob("*.whl")
    target = folder / "target"
    subprocess.run([*pip, "install", "--no-deps", "--no-index", "--target", target, wheel], check=True, timeout=300)
    return Installed(wheel, target)


def test_it_holds_every_file_of_the_rooms(installed: Installed) -> None:
    held = {name for name in zipfile.ZipFile(installed.wheel).namelist() if ".dist-info/" not in name}
    wanted = {
        f"{place}/{path.relative_to(ROOT / room)}"
        for room, place in ROOMS.items()
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == wanted


def test_it_tells_what_it_is(installed: Installed) -> None:
    archive = zipfile.ZipFile(installed.wheel)
    (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = message_from_bytes(archive.read(name))
    assert metadata["Version"] == __version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata.get_all("Project-URL")
    assert metadata.get_all("Classifier")
    # A package index shows the first page: a link or image that is relative to the repository leads nowhere there.
    assert "](" in metadata.get_payload()
    assert "](docs/" not in metadata.get_payload()


def test_all_of_it_comes_from_the_wheel(installed: Installed, tmp_path: Path) -> None:
    code = "import dyncp.train, dyncp.export, dyncp.codegen, dyncp.firmware, dyncp.cli as c; import sys; "
    code += "print(*(m.__file__ for n, m in sys.modules.items() if n.split('.')[0] == 'dyncp'), sep='\\n')"
    files = installed.python(["-c", code], tmp_path).splitlines()
    assert len(files) > 20
    assert all(Path(file).is_relative_to(installed.folder) for file in files)


def test_it_generates_proves_and_reports(installed: Installed, tmp_path: Path) -> None:
    """Templates, runtime headers, boards, start-up, application, plugin and the report's page are opened."""
    config = NetworkConfig(channels=8, hidden=12, stacks=1, dilations=(1,), gate=3)
    write_bundle(random_bundle(config, 1), tmp_path / "bundle")
    write_pcm(tmp_path / "in.wav", np.random.default_rng(1).integers(-9000, 9000, 40 * 256).astype(np.int16))
    for words in (
        "generate bundle library",
        "enhance in.wav out.wav --bundle bundle",
        "validate bundle in.wav --out proof --board cortex-m4 --cycles",
        "report bundle proof --out report",
    ):
        installed.python(["-m", "dyncp", *words.split()], tmp_path)
    assert (tmp_path / "library" / "dyncp.c").is_file()
    assert (tmp_path / "out.wav").is_file()
    assert "<svg" in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")


def test_it_brings_presets_and_checkpoints(installed: Installed, tmp_path: Path) -> None:
    code = "from dyncp.base.paths import CHECKPOINTS, PRESETS; from dyncp.base.config.experiment import load_config; "
    code += "from dyncp.train.network.checkpoint import load_checkpoint; "
    code += "from dyncp.train.day.recipe import load_day; load_day(); "
    code += "[load_config(str(path)) for path in PRESETS.glob('*.toml') if path.stem != 'day']; "
    code += "[load_checkpoint(path) for path in CHECKPOINTS.iterdir()]; "
    code += "print(*(path.stem for path in (*PRESETS.iterdir(), *CHECKPOINTS.iterdir())))"
    folders = (ROOT / "dyncp" / "presets", ROOT / "train" / "checkpoints")
    names = {path.stem for folder in folders for path in folder.iterdir()}
    assert set(installed.python(["-c", code], tmp_path).split()) == names
