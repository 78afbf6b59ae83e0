# SPDX-License-Identifier: Apache-2.0
"""`dyncp listen` between a microphone and headphones that are arrays: the reference's samples, bars of its signals."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from signals import speech_like
from typer.testing import CliRunner

from dyncp.base.config.framing import HOP
from dyncp.base.errors import AudioError
from dyncp.cli import commands
from dyncp.commands.firmware.enhancing.bars import level
from dyncp.commands.firmware.enhancing.live import REFRESH_MS, listen_live
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers import reference
from dyncp.firmware.host.library import host_library

FRAMES = 40


class PortAudioError(Exception):
    """As the module `sounddevice` has it."""


class ArrayDevice:
    """In the place of the module `sounddevice`: hears an array, keeps what it is to play, and ends as by Ctrl-C."""

    PortAudioError = PortAudioError

    def __init__(self, pcm: np.ndarray, late: int = 0, fault: str | None = None) -> None:
        self._hops = pcm.reshape(-1, HOP)
        self._late, self._fault = late, fault
        self.played: list[np.ndarray] = []
        self.options: dict[str, Any] = {}

    def Stream(self, **options: Any) -> ArrayDevice:
        if self._fault:
            raise PortAudioError(self._fault)
        self.options = options
        return self

    def __enter__(self) -> ArrayDevice:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        pass

    def sleep(self, msec: int) -> None:
        for _ in range(msec // 16):
            if len(self.played) == len(self._hops):
                raise KeyboardInterrupt
            heard = self._hops[len(self.played)][:, None]
            played = np.empty_like(heard)
            self.options["callback"](heard, played, HOP, None, "overflow" if len(self.played) < self._late else "")
            self.played.append(played[:, 0].copy())

    def query_devices(self) -> DeviceList:
        return DeviceList([{"name": "array", "index": 0, "max_input_channels": 1, "max_output_channels": 1}])


class DeviceList(tuple[dict[str, Any], ...]):
    """A tuple of dictionaries that shows itself as text, as that of the module."""

    def __str__(self) -> str:
        return "\n".join("{index} {name}, {max_input_channels} in, {max_output_channels} out".format(**d) for d in self)


@pytest.mark.slow
def test_the_headphones_get_what_the_reference_computes(bundle: Bundle) -> None:
    pcm = speech_like(FRAMES)
    device, text = ArrayDevice(pcm, late=2), io.StringIO()
    console = Console(file=text, force_terminal=True, width=100)
    with host_library(bundle) as library:
        listener = listen_live(console, device, bundle, library.stream(), ("mic", 3))
    run = reference.run(bundle, pcm)
    assert np.array_equal(np.concatenate(device.played), run.output)
    expected = {"samplerate": 16000, "blocksize": HOP, "channels": 1, "dtype": "int16", "device": ("mic", 3)}
    assert expected.items() <= device.options.items()
    assert (listener.done.frames, listener.done.macs, listener.dropouts) == (FRAMES, run.macs.sum(), 2)
    assert listener.done.speech_frames == (run.signals[:, 0] > 0).sum()
    drawn = text.getvalue()
    for name in ("microphone", "headphones", "work", "vad", "noise", "snr"):
        assert name in drawn
    # The bars are of the newest hop whenever they are drawn.
    for frame in range(REFRESH_MS // 16 - 1, FRAMES, REFRESH_MS // 16):
        assert f"{run.macs[frame]:,} MACs" in drawn
        assert f"{level(pcm[frame * HOP : (frame + 1) * HOP]):.0f} dBFS" in drawn


@pytest.mark.slow
def test_it_stops_after_so_many_seconds(bundle: Bundle) -> None:
    device = ArrayDevice(np.zeros(100 * HOP, np.int16))
    with host_library(bundle) as library:
        listener = listen_live(Console(quiet=True), device, bundle, library.stream(), seconds=0.5)
    assert 0.5 <= listener.done.seconds <= 0.5 + REFRESH_MS / 1000


def test_a_device_that_cannot_be_opened_is_told(bundle: Bundle) -> None:
    device = ArrayDevice(np.zeros(HOP, np.int16), fault="no such device")
    with host_library(bundle) as library, pytest.raises(AudioError, match=r"no such device; .*--devices"):
        listen_live(Console(quiet=True), device, bundle, library.stream())


@pytest.mark.slow
def test_the_command_listens_and_tells(network: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    pcm = speech_like(FRAMES)
    device = ArrayDevice(pcm, late=1)
    monkeypatch.setitem(sys.modules, "sounddevice", device)
    result = CliRunner().invoke(
        commands, ["listen", str(network), "--microphone", "2", "--headphones", "phones", "--json"]
    )
    assert result.exit_code == 0, result.output
    assert device.options["device"] == (2, "phones")
    told = json.loads(result.stdout)
    assert (told["frames"], told["dropouts"]) == (FRAMES, 1)
    assert np.array_equal(np.concatenate(device.played), reference.run(bundle, pcm).output)
    assert "1 of 40 hops" in result.stderr


def test_the_devices_are_listed(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = ArrayDevice(np.zeros(HOP, np.int16))
    monkeypatch.setitem(sys.modules, "sounddevice", device)
    command = ["listen", str(network), "--devices"]
    assert CliRunner().invoke(commands, command).stdout == "0 array, 1 in, 1 out\n"
    assert json.loads(CliRunner().invoke(commands, [*command, "--json"]).stdout) == list(device.query_devices())


def test_a_missing_portaudio_is_told(network: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    result = CliRunner().invoke(commands, ["listen", str(network)])
    assert isinstance(result.exception, AudioError)
    assert "PortAudio library not found; Debian: apt-get install libportaudio2" in str(result.exception)


@pytest.mark.parametrize(("sample", "expected"), [(0, -80.0), (32767, 0.0), (-16384, -6.02)])
def test_levels_are_dbfs(sample: int, expected: float) -> None:
    assert level(np.full(HOP, sample, np.int16)) == pytest.approx(expected, abs=0.01)
