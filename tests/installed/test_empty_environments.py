# SPDX-License-Identifier: Apache-2.0
"""Wheel and sdist in empty environments of every Python that this machine has: `make package` runs this.

It installs dyncp's dependencies for each of them, and `ziglang` for one, from the package index.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("dyncp", "train", "export", "codegen", "firmware")
OLDEST = (3, 11)


def pythons() -> list[Path]:
    """One of each minor version from the oldest that is supported: this one, those on PATH, and pyenv's."""
    found = {sys.version_info[:2]: Path(sys.executable)}
    candidates = [Path(folder) / f"python3.{minor}" for folder in os.get_exec_path() for minor in range(11, 20)]
    candidates += sorted(Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv").glob("versions/*/bin/python3"))
    for path in candidates:
        if path.is_file():
            told = subprocess.run(
                [path, "-c", "import sys, venv, ensurepip; print(*sys.version_info[:2])"],
                capture_output=True,
                text=True,
                check=False,
            )
            version = tuple(map(int, told.stdout.split()))
            if told.returncode == 0 and version >= OLDEST:
                found.setdefault((version[0], version[1]), path)
    return [found[version] for version in sorted(found)]


PYTHONS = pythons()


@dataclass(frozen=True)
class Built:
    wheel: Path
    sdist: Path


@dataclass(frozen=True)
class Environment:
    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def pip(self, *words: str | Path) -> None:
        command = [self.python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", *words]
        subprocess.run(command, check=True, timeout=900, env=clean())

    def dyncp(self, *words: object, cwd: Path, path: str | None = None) -> subprocess.CompletedProcess[str]:
        """The command, without a network: whatever opens a socket fails."""
        code = "import socket; socket.socket = None; from dyncp.cli import app; app()"
        environment = clean() | {"XDG_CACHE_HOME": str(self.folder / "cache")} | ({"PATH": path} if path else {})
        command = [self.python, "-c", code, *map(str, words)]
        return subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False
        )


def clean() -> dict[str, str]:
    """This process's variables without those that lead Python elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def environment(python: Path, folder: Path, package: Path) -> Environment:
    subprocess.run([python, "-m", "venv", folder], check=True, timeout=300, env=clean())
    made = Environment(folder)
    made.pip(package)
    return made


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """From a copy: setuptools leaves its intermediate files beside the sources."""
    folder = tmp_path_factory.mktemp("built")
    source, out = folder / "source", folder / "dist"
    for name in ROOMS:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    out.mkdir()
    for kind in ("sdist", "wheel"):
        code = f"import sys; from setuptools import build_meta; build_meta.build_{kind}(sys.argv[1])"
        subprocess.run([sys.executable, "-c", code, out], cwd=source, check=True, timeout=600, capture_output=True)
    (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
    return Built(wheel, sdist)


@pytest.fixture(scope="module", params=PYTHONS, ids=lambda path: path.resolve().name)
def installed(request: pytest.FixtureRequest, built: Built, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return environment(request.param, tmp_path_factory.mktemp("environment") / "venv", built.wheel)


def digest(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The library of the first network as this repository's Python generates it."""
    from dyncp.base.paths import NETWORKS, shipped_networks
    from dyncp.codegen.generate import generate
    from dyncp.export.formats.bundle import read_bundle

    return digest(generate(read_bundle(NETWORKS / shipped_networks()[0]), tmp_path_factory.mktemp("here") / "library"))


def test_the_name_of_a_network_is_all_that_c_needs(
    installed: Environment, tmp_path: Path, expected: dict[str, str]
) -> None:
    listed = installed.dyncp("networks", "--json", cwd=tmp_path)
    assert listed.returncode == 0, listed.stderr
    name = sorted(re.findall(r'"(\w+)": {"schema_name"', listed.stdout))[0]
    made = installed.dyncp("generate", name, "firmware", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert digest(tmp_path / "firmware") == expected
    for told in ("bytes of flash", "bytes of RAM", "instructions per frame", "dyncp.c"):
        assert told in made.stderr
    missing = subprocess.run([installed.python, "-c", "import torch"], capture_output=True, check=False, env=clean())
    assert missing.returncode != 0


def test_arrays_are_enhanced(installed: Environment, tmp_path: Path) -> None:
    code = (
        "import numpy as np, dyncp; x = np.random.default_rng(1).integers(-9000, 9000, 5000).astype(np.int16); "
        "name = dyncp.networks()[0]; a = dyncp.load(name, 'c').enhance(x); b = dyncp.load(name, 'numpy').enhance(x); "
        "assert np.array_equal(a.audio, b.audio) and np.array_equal(a.masks, b.masks); print(len(a.signals))"
    )
    environment = clean() | {"XDG_CACHE_HOME": str(installed.folder / "cache")}
    done = subprocess.run(
        [installed.python, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_sdist_makes_the_same_wheel(built: Built, tmp_path: Path) -> None:
    with tarfile.open(built.sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    code = "from setuptools import build_meta; build_meta.build_wheel('..')"
    subprocess.run([sys.executable, "-c", code], cwd=source, check=True, timeout=600, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    first, second = (
        {name: archive.read(name) for name in archive.namelist() if not name.endswith("RECORD")}
        for archive in map(zipfile.ZipFile, (built.wheel, wheel))
    )
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_a_missing_compiler_is_told_and_ziglang_is_one(
    built: Built, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No gcc, clang or cc is on the PATH of this one."""
    made = environment(PYTHONS[0], tmp_path_factory.mktemp("zig") / "venv", built.sdist)
    (tmp_path / "nothing").mkdir()
    (tmp_path / "in.raw").write_bytes(bytes(range(256)) * 20)
    (name, *_) = sorted(re.findall(r'"(\w+)": {"schema_name"', made.dyncp("networks", "--json", cwd=tmp_path).stdout))
    code = "import numpy as np, soundfile; soundfile.write('in.wav', np.fromfile('in.raw', '<i2'), 16000)"
    subprocess.run([made.python, "-c", code], cwd=tmp_path, check=True, env=clean())
    words = ("enhance", name, "in.wav", "out.wav")
    without = made.dyncp(*words, cwd=tmp_path, path=str(tmp_path / "nothing"))
    assert without.returncode == 1
    assert "no C compiler" in without.stderr
    assert "pip install ziglang" in without.stderr
    assert not (tmp_path / "out.wav").exists()
    made.pip("ziglang")
    done = made.dyncp(*words, cwd=tmp_path, path=str(tmp_path / "nothing"))
    assert done.returncode == 0, done.stderr
    code = (
        "import numpy as np, soundfile, dyncp; "
        "x, y = (soundfile.read(name, dtype='int16')[0] for name in ('in.wav', 'out.wav')); "
        f"assert np.array_equal(dyncp.load({name!r}, 'numpy').enhance(x).audio, y)"
    )
    subprocess.run([made.python, "-c", code], cwd=tmp_path, check=True, env=clean())
