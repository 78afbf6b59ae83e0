# SPDX-License-Identifier: Apache-2.0
"""What the commands of dyncp make for the site: the live page, a library to read its API from, sounds and a figure."""

from __future__ import annotations

import functools
import subprocess
import sys
import tempfile
from pathlib import Path

from dyncp.base.audio import write_pcm
from dyncp.firmware.page.samples import samples

LIVE = ("small", "tiny")
"""Networks of the live page."""
API = "signals"
"""The network whose library shows the C API: it has every signal."""


@functools.cache
def files() -> dict[str, bytes]:
    """Path on the site → content. Made once in a process: `mkdocs serve` builds again and again."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        noisy, enhanced, figure = work / "noisy.wav", work / "enhanced.wav", work / "enhance.png"
        write_pcm(noisy, samples()[0].noisy)
        _dyncp("enhance", LIVE[0], noisy, enhanced, "--plot", figure)
        _dyncp("page", *LIVE, work / "live.html")
        return {
            "live.html": (work / "live.html").read_bytes(),
            "sounds/noisy.wav": noisy.read_bytes(),
            "sounds/enhanced.wav": enhanced.read_bytes(),
            "images/enhance.png": figure.read_bytes(),
        }


@functools.cache
def headers() -> dict[str, str]:
    """Name → text of the headers that a program includes."""
    with tempfile.TemporaryDirectory() as folder:
        _dyncp("generate", API, folder, "--selftest", "--stream")
        names = ("dyncp.h", "dyncp_signals.h", "dyncp_stream.h")
        return {name: (Path(folder) / name).read_text(encoding="utf-8") for name in names}


def _dyncp(*words: object) -> None:
    command = [sys.executable, "-m", "dyncp", "-q", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"dyncp {' '.join(map(str, words))}: {done.stderr}")
