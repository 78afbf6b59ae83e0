# SPDX-License-Identifier: Apache-2.0
"""`dyncp listen`: the generated C library between microphone and headphones."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.text import Text

from dyncp.commands.shared.options import Json, NetworkName
from dyncp.commands.shared.terminal import make_console, warn


def listen(
    network: NetworkName,
    microphone: Annotated[str | None, typer.Option(help="Device to hear, by number or name.")] = None,
    headphones: Annotated[str | None, typer.Option(help="Device to play on, by number or name.")] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0, help="Stop after so much audio; by default at Ctrl-C.")
    ] = None,
    devices: Annotated[bool, typer.Option("--devices", help="List the devices, and stop.")] = False,
    json_output: Json = False,
) -> None:
    """Hear yourself enhanced, bit-exact with the device, with the signals as live bars. Wear headphones.

    Needs the extra `listen`, on Linux also libportaudio2.
    """
    from dyncp.commands.firmware.enhancing.live import listen_live
    from dyncp.commands.firmware.enhancing.summary import described
    from dyncp.export.formats.bundle import read_bundle
    from dyncp.firmware.host.library import host_library

    bundle = read_bundle(network)
    device = _sounddevice()
    console = make_console(json_output=json_output)
    if devices:
        found = device.query_devices()
        console.result(Text(str(found)))
        console.document([dict(one) for one in found])
        return
    with host_library(bundle) as library:
        console.print(f"listening through {network.name}; Ctrl-C ends it", highlight=False)
        places = (_place(microphone), _place(headphones))
        listener = listen_live(console, device, bundle, library.stream(), places, seconds)
    console.print(f"microphone → headphones: {described([listener.done])}", highlight=False, soft_wrap=True)
    if listener.dropouts:
        warn(f"{listener.dropouts} of {listener.done.frames} hops came or went too late: sound dropped out")
    console.document(listener.done.document() | {"dropouts": listener.dropouts})


def _place(text: str | None) -> int | str | None:
    return int(text) if text is not None and text.isdigit() else text


def _sounddevice() -> Any:
    """The module, which has no types. Raises AudioError where the system's PortAudio is missing."""
    from dyncp.base.errors import AudioError

    try:
        import sounddevice
    except OSError as error:
        raise AudioError(f"sound device: {error}; Debian: apt-get install libportaudio2") from None
    return sounddevice
