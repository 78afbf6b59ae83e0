# SPDX-License-Identifier: Apache-2.0
"""The command line that an interrupted training is resumed with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from dyncp.cli import commands
from dyncp.commands.training.interruption import interruptible, resuming
from dyncp.train.network.resume_file import RESUME


def parsed(*arguments: str) -> typer.Context:
    train: Any = get_command(commands).commands["train"]  # type: ignore[attr-defined]
    context: typer.Context = train.make_context("train", list(arguments))
    return context


@pytest.mark.parametrize(
    ("given", "more"),
    [
        (["paper", "--corpus", "a", "--corpus", "b c", "--out", "run"], []),
        (["own.toml", "--corpus", "a", "--out", "run", "--redistributable", "--integers"], ["--start", "paper"]),
        (["small", "--corpus", "a", "--out", "run", "--epochs", "9", "--workers", "0", "--compile"], ["--resume"]),
    ],
)
def test_it_is_what_was_given_and_resume(given: list[str], more: list[str]) -> None:
    words = resuming(parsed(*given, *more))
    assert words[:2] == ["dyncp", "train"]
    assert words[-1] == "--resume"
    again = parsed(*words[2:])
    expected = parsed(*given, "--resume")
    assert again.params == expected.params
    assert "--start" not in words


@pytest.mark.parametrize(
    ("rank", "resumable", "told"),
    [
        ("0", True, "goes on after the last finished epoch:\ndyncp train paper --corpus 'b c' --out {} --resume\n"),
        ("0", False, "nothing has been written: the same command begins anew\n"),
        ("1", True, ""),
    ],
)
def test_the_first_process_tells_how_to_go_on(
    rank: str,
    resumable: bool,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("RANK", rank)
    if resumable:
        (tmp_path / RESUME).write_bytes(b"")
    with (
        pytest.raises(typer.Exit) as ended,
        interruptible(parsed("paper", "--corpus", "b c", "--out", str(tmp_path)), tmp_path),
    ):
        raise KeyboardInterrupt
    assert ended.value.exit_code == 130
    assert capsys.readouterr().err.endswith(told.format(tmp_path))
