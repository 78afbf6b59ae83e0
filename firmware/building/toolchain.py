# SPDX-License-Identifier: Apache-2.0
"""Compilers and emulators as subprocesses: whatever goes wrong with one is a ToolchainError that says how."""

from __future__ import annotations

import logging
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from dyncp.base.errors import ToolchainError

logger = logging.getLogger(__name__)

CROSS = "arm-none-eabi-"
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wdouble-promotion", "-Werror")

COMPILE_TIMEOUT_S = 300.0

PACKAGES = {
    "gcc": "gcc",
    "wasm-ld": "lld",
    "arm-none-eabi-gcc": "gcc-arm-none-eabi libnewlib-arm-none-eabi",
    "arm-none-eabi-objdump": "binutils-arm-none-eabi",
    "qemu-system-arm": "qemu-system-arm",
    "riscv64-unknown-elf-gcc": "gcc-riscv64-unknown-elf",
    "qemu-system-riscv32": "qemu-system-misc",
    "qemu-system-riscv64": "qemu-system-misc",
    "qemu-hexagon": "qemu-user",
    **{f"qemu-{core}": "qemu-user" for core in ("arm", "i386", "ppc", "s390x")},
    "i686-linux-gnu-gcc": "gcc-i686-linux-gnu libc6-dev-i386-cross",
    "powerpc-linux-gnu-gcc": "gcc-powerpc-linux-gnu libc6-dev-powerpc-cross",
    "s390x-linux-gnu-gcc": "gcc-s390x-linux-gnu libc6-dev-s390x-cross",
}
ELSEWHERE = {"renode": "Debian has no package: https://github.com/renode/renode/releases"}


def find(program: str) -> str:
    """Path of `program` on PATH. Raises ToolchainError that says where to get it."""
    path = shutil.which(program)
    if path is None:
        how = ELSEWHERE.get(program, f"Debian: apt-get install {PACKAGES.get(program, program)}")
        raise ToolchainError(f"{program}: not found on PATH; install it ({how})")
    return path


def run(
    command: Sequence[str | Path],
    *,
    timeout_s: float = COMPILE_TIMEOUT_S,
    cwd: Path | None = None,
    log: Path | None = None,
    output: Path | None = None,
) -> str:
    """Run `command`, whose first word is looked up on PATH; returns its standard output, or writes it into `output`.

    Raises ToolchainError if the program is missing, takes longer than `timeout_s` or exits with a status other than
    0. The message holds the command, the end of standard error, and that of `log`, a file the command writes.
    """
    words = [find(str(command[0])), *map(str, command[1:])]
    logger.info(shlex.join(words))
    try:
        with nullcontext(subprocess.PIPE) if output is None else output.open("wb") as stdout:
            done = subprocess.run(
                words,
                cwd=cwd,
                timeout=timeout_s,
                stdout=stdout,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                check=False,
            )
    except subprocess.TimeoutExpired:
        raise ToolchainError(_complaint(words, f"still running after {timeout_s:g} s", "", log)) from None
    except OSError as error:
        raise ToolchainError(_complaint(words, f"cannot be run ({error.strerror})", "", log)) from None
    if done.returncode:
        status = f"killed by signal {-done.returncode}" if done.returncode < 0 else f"status {done.returncode}"
        raise ToolchainError(_complaint(words, status, done.stderr, log))
    return done.stdout or ""


def version(program: str) -> str:
    """The first line that `program --version` prints."""
    return run([program, "--version"], timeout_s=30).splitlines()[0].strip()


def _complaint(words: Sequence[str], what: str, stderr: str, log: Path | None) -> str:
    written = log.read_text(errors="replace") if log is not None and log.is_file() else ""
    details = "\n".join(text for text in (_end(stderr), _end(written)) if text)
    return f"{Path(words[0]).name}: {what}\n{details}\ncommand: {_end(shlex.join(words))}"


def _end(text: str) -> str:
    return text.strip()[-2000:]
