# SPDX-License-Identifier: Apache-2.0
"""Raw PCM through standard input and output, named `-`: the network's rate, mono, 16 bit, little endian, no header."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dyncp.commands.shared.terminal import warn

if TYPE_CHECKING:
    from dyncp.base.audio import Pcm

PIPE = Path("-")

LARGEST_READ = 1 << 16
"""Bytes; what has arrived is taken at once, for the sake of delay."""


class RawSource:
    """Standard input, as `dyncp.base.sounds.source.Source` has files."""

    path = Path("standard input")
    seconds: float | None = None
    changes: tuple[str, ...] = ()
    saturated = 0
    hop = 1
    """In samples; whoever reads sets that of the network."""

    def blocks(self, samples: int) -> Iterator[Pcm]:
        """Whole hops as they arrive, at most `samples` at a time, and at the end what is left."""
        import numpy as np

        held = b""
        while chunk := _read(min(LARGEST_READ, 2 * samples)):
            held += chunk
            whole = len(held) // (2 * self.hop) * 2 * self.hop
            if whole:
                yield np.frombuffer(held[:whole], "<i2").astype(np.int16)
                held = held[whole:]
        if len(held) % 2:
            warn("standard input ends in the middle of a sample; is it 16-bit PCM? Its last byte is left out")
        if len(held) > 1:
            yield np.frombuffer(held[: len(held) // 2 * 2], "<i2").astype(np.int16)


def _read(count: int) -> bytes:
    """The next bytes; none at the end, for which Ctrl-C stands as well."""
    stdin = sys.stdin.buffer
    assert isinstance(stdin, io.BufferedIOBase)
    try:
        return stdin.read1(count)
    except KeyboardInterrupt:
        return b""


@contextmanager
def new_raw() -> Iterator[Callable[[Pcm], None]]:
    """Something to call with int16 [n], again and again; all of it is out when the call returns."""

    def write(pcm: Pcm) -> None:
        sys.stdout.buffer.write(pcm.astype("<i2").tobytes())
        sys.stdout.buffer.flush()

    yield write
