# SPDX-License-Identifier: Apache-2.0
"""Microphone to headphones, hop by hop, through the library."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Console
from rich.live import Live

from dyncp.base.errors import AudioError
from dyncp.commands.firmware.enhancing.bars import bars
from dyncp.commands.firmware.enhancing.summary import Summary

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dyncp.base.audio import Pcm
    from dyncp.export.formats.bundle import Bundle
    from dyncp.export.integers.run import Run
    from dyncp.firmware.host.library import Stream

Device = int | str | None
"""As PortAudio counts or names them; None is the system's choice."""

REFRESH_MS = 80
"""Between two drawings of the bars."""


class SoundDevice(Protocol):
    """What is used of the module `sounddevice`."""

    PortAudioError: type[Exception]

    def Stream(self, **options: Any) -> Any: ...

    def sleep(self, msec: int) -> None: ...


class Listener:
    """What PortAudio calls with each hop, from a thread of its own."""

    def __init__(self, bundle: Bundle, stream: Stream) -> None:
        self._bundle, self._stream = bundle, stream
        self.done = Summary("microphone", "headphones", None)
        self.dropouts = 0
        """Hops that came or went too late."""
        self.last: tuple[Pcm, Run, int] | None = None
        """The newest hop, what the library made of it, and how many hops came before."""

    def __call__(
        self, heard: NDArray[np.int16], played: NDArray[np.int16], frames: int, clock: object, status: object
    ) -> None:
        """heard int16 [hop, 1] → played, of the same shape."""
        import numpy as np

        self.dropouts += bool(status)
        pcm = np.ascontiguousarray(heard[:, 0])
        run = self._stream.run(pcm)
        played[:, 0] = run.output
        self.last = pcm, run, self.done.frames
        self.done.add(self._bundle, run, len(pcm))


def listen_live(
    console: Console,
    device: SoundDevice,
    bundle: Bundle,
    stream: Stream,
    places: tuple[Device, Device] = (None, None),
    seconds: float | None = None,
) -> Listener:
    """Until Ctrl-C, or for so many seconds of audio; bars on the console, if it is a terminal.

    `places` are the devices of microphone and headphones. Raises AudioError where they cannot be opened or fail.
    """
    listener = Listener(bundle, stream)
    hop = bundle.config.hop
    options = {
        "samplerate": bundle.config.sample_rate,
        "blocksize": hop,
        "channels": 1,
        "dtype": "int16",
        "latency": "low",
    }
    started = time.monotonic()
    try:
        with (
            device.Stream(device=places, callback=listener, **options),
            Live(console=console, transient=True, auto_refresh=False) as shown,
        ):
            while seconds is None or listener.done.seconds < seconds:
                device.sleep(REFRESH_MS)
                if listener.last is not None and console.is_terminal:
                    shown.update(bars(bundle, *listener.last), refresh=True)
    except KeyboardInterrupt:
        pass
    except device.PortAudioError as error:
        raise AudioError(f"sound device: {error}; `dyncp listen --devices` lists them") from None
    listener.done.took = time.monotonic() - started
    return listener
