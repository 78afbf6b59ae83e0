# SPDX-License-Identifier: Apache-2.0
"""Commands of `dyncp`, run in this process."""

from __future__ import annotations

from click.testing import Result
from typer.testing import CliRunner

from dyncp.cli import commands


def run(*arguments: object) -> Result:
    """Run a command, which must succeed."""
    result = CliRunner().invoke(commands, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def dyncp(*arguments: object) -> str:
    """Run a command, which must succeed; returns what it printed on standard output."""
    return run(*arguments).stdout
