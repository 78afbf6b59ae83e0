# SPDX-License-Identifier: Apache-2.0
"""Options of every command: the version, how much is told, shell completion."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bundles import random_bundle

from dyncp.base.audio import write_pcm
from dyncp.base.config.network import NetworkConfig
from dyncp.base.version import __version__
from dyncp.commands.shared.terminal import make_console
from dyncp.export.formats.bundle import write_bundle

pytestmark = pytest.mark.slow


def dyncp(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from dyncp.cli import app; app()", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **environment}
    )


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle") / "b"
    write_bundle(random_bundle(NetworkConfig(channels=8, hidden=12, stacks=1, dilations=(1,), gate=3), 1), folder)
    return folder


def test_the_version_is_printed_alone() -> None:
    result = dyncp("--version")
    assert (result.returncode, result.stdout, result.stderr) == (0, f"dyncp {__version__}\n", "")


def test_quiet_tells_nothing(tmp_path: Path, bundle: Path) -> None:
    assert "dyncp.c" in dyncp("generate", bundle, tmp_path / "told").stderr
    result = dyncp("--quiet", "generate", bundle, tmp_path / "quiet")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert (tmp_path / "quiet" / "dyncp.c").is_file()


def test_quiet_still_tells_errors(tmp_path: Path) -> None:
    result = dyncp("-q", "generate", "nowhere", tmp_path / "library")
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")


def test_quiet_still_prints_json_and_the_divergence(tmp_path: Path, bundle: Path) -> None:
    write_pcm(tmp_path / "in.wav", np.random.default_rng(1).integers(-9000, 9000, 256 * 20).astype(np.int16))
    dyncp("generate", bundle, tmp_path / "library")
    source = tmp_path / "library" / "dyncp_tables.h"
    text = source.read_text()
    # One weight of the layer `front`, as portable C reads it, is another.
    first = re.search(r"\{\s*(-?\d+),", text[text.index("int8_t") :])
    assert first is not None
    at = text.index("int8_t") + first.start(1)
    altered = text[:at] + str(int(first[1]) ^ 1) + text[at + len(first[1]) :]
    source.write_text(altered)
    options = ("--out", tmp_path / "proof", "--board", "cortex-m4", "--library", tmp_path / "library", "--json")
    result = dyncp("-q", "validate", bundle, tmp_path / "in.wav", *options)
    assert result.returncode == 1
    assert json.loads(result.stdout)["host"]["mismatches"]
    assert "host: first divergence in frame" in result.stderr
    assert "mismatches" not in result.stderr, "the table is silent"


def test_the_table_is_on_standard_output_and_starts_at_once(tmp_path: Path, bundle: Path) -> None:
    write_pcm(tmp_path / "in.wav", np.random.default_rng(1).integers(-9000, 9000, 256 * 20).astype(np.int16))
    options = (bundle, tmp_path / "in.wav", "--out", tmp_path / "proof", "--board", "cortex-m4")
    result = dyncp("validate", *options)
    assert result.returncode == 0, result.stderr
    assert "cortex-m4" in result.stdout
    assert result.stdout.splitlines()[0].strip()
    assert "cortex-m4" not in result.stderr


@pytest.mark.parametrize(("json_output", "where"), [(False, "out"), (True, "err")])
def test_results_leave_standard_output_to_json(
    capsys: pytest.CaptureFixture[str], json_output: bool, where: str
) -> None:
    console = make_console(json_output=json_output)
    console.print("remark")
    console.result("result " * 40)
    told = capsys.readouterr()._asdict()
    assert "remark" in told["err"]
    assert "result " * 40 + "\n" in told[where]
    assert not (json_output and told["out"])


def test_quiet_results_are_silent(capsys: pytest.CaptureFixture[str]) -> None:
    make_console(quiet=True).result("result")
    assert tuple(capsys.readouterr()) == ("", "")


def test_generate_prints_its_manifest_as_json(tmp_path: Path, bundle: Path) -> None:
    told = json.loads(dyncp("generate", bundle, tmp_path / "library", "--prefix", "nr", "--json").stdout)
    assert told["folder"] == str(tmp_path / "library")
    assert told["prefix"] == "nr"
    assert sorted(told["files"]) == sorted(file.name for file in (tmp_path / "library").iterdir())


def test_no_color_takes_the_colours_off() -> None:
    mistake = ("generate", "nowhere", "library")
    colour = re.compile(r"\x1b\[(\d+;)*3\d")
    assert colour.search(dyncp(*mistake, FORCE_COLOR="1", NO_COLOR="").stderr)
    plain = dyncp(*mistake, FORCE_COLOR="1", NO_COLOR="1").stderr
    assert "error:" in plain
    assert not colour.search(plain)


def test_verbose_logs_the_compilers_command(tmp_path: Path, bundle: Path) -> None:
    write_pcm(tmp_path / "in.wav", np.zeros(512, np.int16))
    options = ("enhance", tmp_path / "in.wav", tmp_path / "out.wav", "--bundle", bundle)
    result = dyncp("-v", *options, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert result.returncode == 0, result.stderr
    assert re.search(r"/gcc -std=c99 .*dyncp\.c", result.stderr)
    assert "gcc" not in dyncp(*options, XDG_CACHE_HOME=str(tmp_path / "again")).stderr


def test_verbose_and_quiet_exclude_each_other() -> None:
    result = dyncp("-v", "-q", "generate", "a", "b")
    assert result.returncode == 2
    assert "exclude each other" in result.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_of_each_shell(shell: str) -> None:
    """What the shell asks when the user has typed `dyncp gen` and presses the tabulator."""
    asked = {"COMP_WORDS": "dyncp gen", "COMP_CWORD": "1", "_TYPER_COMPLETE_ARGS": "dyncp gen"}
    if shell == "fish":
        asked |= {"_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    assert "generate" in dyncp(_DYNCP_COMPLETE=f"complete_{shell}", **asked).stdout
    # Else typer looks for a shell among the processes above, and a test may have none.
    named = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    assert "_DYNCP_COMPLETE" in dyncp("--show-completion", shell, **named).stdout
