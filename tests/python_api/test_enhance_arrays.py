# SPDX-License-Identifier: Apache-2.0
"""`dyncp.load(…).enhance` and streams: the reference's bits, for arrays of any length, rate and dtype."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soxr
from signals import speech_like

import dyncp
from dyncp.base.audio import pad_to_hop
from dyncp.base.config.framing import HOP
from dyncp.base.errors import AudioError, BundleError, ToolchainError
from dyncp.export.formats.masks import unpack_masks
from dyncp.export.integers import reference
from dyncp.export.integers.run import Run

PCM = speech_like(60, seed=2)[:-77]


@pytest.fixture(scope="module")
def net(network: Path) -> dyncp.Network:
    return dyncp.load(network, engine="c")


def expected(net: dyncp.Network, pcm: np.ndarray) -> tuple[np.ndarray, Run]:
    """Output without its delay, and the run of the frames that the audio has."""
    run = reference.run(net.bundle, pad_to_hop(pcm, extra_hops=1))
    return run.output[HOP : HOP + len(pcm)], run.part(0, run.frames - 1)


def test_importing_loads_nothing_heavy() -> None:
    code = "import dyncp, sys; assert dyncp.networks(); "
    code += "print(*{'numpy', 'torch', 'pydantic', 'soxr', 'jinja2', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_loading_needs_neither_torch_nor_plots() -> None:
    code = "import dyncp, sys; net = dyncp.load(dyncp.networks()[0], 'numpy'); net.enhance([0.0] * 300); "
    code += "print(*{'torch', 'matplotlib', 'sklearn', 'scipy', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.slow
@pytest.mark.parametrize("length", [1, HOP - 1, HOP, HOP + 1, 20 * HOP, len(PCM)])
@pytest.mark.parametrize("engine", ["c", "numpy"])
def test_int16_gives_the_references_words(network: Path, length: int, engine: str) -> None:
    net = dyncp.load(str(network), engine)
    out = net.enhance(PCM[:length])
    audio, run = expected(net, PCM[:length])
    assert out.audio.dtype == np.int16
    assert np.array_equal(out.audio, audio)
    assert np.array_equal(out.masks, unpack_masks(run.masks, net.bundle.config))
    assert np.array_equal(out.macs, run.macs)
    assert np.array_equal(out.times, np.arange(-(-length // HOP)) * HOP / 16000)
    assert out.rate == 16000


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_are_the_same_audio(net: dyncp.Network, dtype: type) -> None:
    out = net.enhance((PCM / 32768).astype(dtype))
    assert out.audio.dtype == dtype
    assert np.array_equal(out.audio * 32768, expected(net, PCM)[0])


@pytest.mark.slow
def test_no_samples_give_no_frames(net: dyncp.Network) -> None:
    for out in (net.enhance(PCM[:0]), net.enhance(np.zeros(0), 48000)):
        assert (len(out.audio), len(out.macs), len(out.masks), len(out.times)) == (0, 0, 0, 0)
        assert all(len(signal.values) == 0 for signal in out.signals.values())


@pytest.mark.slow
@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000])
def test_another_rate_comes_back_in_its_length_and_aligned(net: dyncp.Network, rate: int) -> None:
    signal = soxr.resample(PCM / 32768 * 0.5, 16000, rate)
    out = net.enhance(signal, rate)
    assert out.audio.shape == signal.shape
    assert out.audio.dtype == np.float64
    heard = np.clip(np.round(soxr.resample(signal, rate, 16000, quality="VHQ") * 32768), -32768, 32767)
    audio, run = expected(net, heard.astype(np.int16))
    assert np.array_equal(out.macs, run.macs)
    again = soxr.resample(out.audio, rate, 16000, quality="VHQ")[: len(audio)]
    below = slice(None) if rate > 16000 else slice(0, 0)
    # Above 16 kHz nothing of the network's output is lost on the way there and back, but for the edges.
    inner = slice(400, -400)
    assert np.abs(again[inner][below] * 32768 - audio[inner][: len(again[inner])][below]).max(initial=0) < 200
    # The best alignment is none.
    shifts = range(-8, 9)
    padded = np.pad(soxr.resample(audio / 32768, 16000, rate), 400)[: len(out.audio) + 800]
    match = [np.dot(out.audio[:4000], padded[400 + shift :][: len(out.audio[:4000])]) for shift in shifts]
    assert shifts[int(np.argmax(match))] == 0


@pytest.mark.slow
@pytest.mark.parametrize("rate", [16000, 44100])
@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_pieces_of_a_stream_join_to_the_whole(net: dyncp.Network, rate: int, dtype: type) -> None:
    signal = PCM if dtype == np.int16 else (PCM / 40000).astype(dtype)
    whole, stream = net.enhance(signal, rate), net.stream(rate, dtype)
    random = np.random.default_rng(1)
    for _ in range(2):
        pieces, start = [], 0
        while start < len(signal):
            stop = start + int(random.integers(0, 900))
            pieces.append(stream.push(signal[start:stop]))
            start = stop
        pieces.append(stream.finish())
        assert np.array_equal(np.concatenate([piece.audio for piece in pieces]), whole.audio)
        assert np.array_equal(np.concatenate([piece.masks for piece in pieces]), whole.masks)
        assert np.array_equal(np.concatenate([piece.macs for piece in pieces]), whole.macs)
        assert np.array_equal(np.concatenate([piece.times for piece in pieces]), whole.times)
        for name, signals in whole.signals.items():
            assert np.array_equal(np.concatenate([piece.signals[name].values for piece in pieces]), signals.values)
            assert np.array_equal(np.concatenate([piece.signals[name].valid for piece in pieces]), signals.valid)
        with pytest.raises(AudioError, match="reset"):
            stream.push(signal)
        stream.reset()


@pytest.mark.slow
def test_a_stream_gives_a_hop_as_soon_as_the_next_has_come(net: dyncp.Network) -> None:
    stream = net.stream(dtype=np.int16)
    audio, _ = expected(net, PCM)
    assert len(stream.push(PCM[:HOP]).audio) == 0
    assert np.array_equal(stream.push(PCM[HOP : 2 * HOP]).audio, audio[:HOP])
    with pytest.raises(AudioError, match="samples are float64, those of this stream int16"):
        stream.push(PCM / 32768)


@pytest.mark.parametrize(
    ("samples", "rate", "complaint"),
    [
        (np.zeros((100, 2)), 16000, "give one channel"),
        (np.zeros(100, np.int32), 16000, "samples are int32"),
        (np.full(100, np.nan), 16000, "100 samples are not finite"),
        (np.full(100, 1.5), 16000, "reach 1.5"),
        (np.zeros(100), 10, "rate is 10 Hz"),
        (np.zeros(100), 16000.5, "rate is 16000.5 Hz"),
    ],
)
def test_wrong_samples_are_told_with_the_remedy(
    net: dyncp.Network, samples: np.ndarray, rate: int, complaint: str
) -> None:
    with pytest.raises(AudioError, match=complaint):
        net.enhance(samples, rate)


def test_names_paths_and_strings_load_the_same(network: Path) -> None:
    assert dyncp.load(network).hash == dyncp.load(str(network)).hash
    name = dyncp.networks()[0]
    assert dyncp.load(name).name == name
    with pytest.raises(BundleError, match=name):
        dyncp.load("no-such-network")


def test_without_a_compiler_numpy_computes_and_streams_say_what_to_install(
    network: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "ziglang", None)
    net = dyncp.load(network)
    assert net.engine == "numpy"
    assert np.array_equal(net.enhance(PCM).audio, expected(net, PCM)[0])
    with pytest.raises(ToolchainError, match="pip install ziglang"):
        net.stream()


@pytest.mark.slow
def test_signals_have_names_units_and_columns(net: dyncp.Network) -> None:
    signals = net.enhance(PCM).signals
    assert list(signals) == ["vad", "noise", "snr"]
    assert {name: signal.unit for name, signal in signals.items()} == net.signals
    run = expected(net, PCM)[1]
    frames = run.frames
    assert net.bundle.probes is not None
    assert np.array_equal(signals["vad"].values, run.signals[:, 0] / 256)
    assert np.array_equal(signals["vad"].decisions, run.signals[:, 0] > 0)
    assert signals["noise"].values.shape == (frames, 3)
    names = np.array(["hum", "street", "babble"])
    assert np.array_equal(signals["noise"].decisions, names[run.signals[:, 1:4].argmax(axis=1)])
    assert signals["snr"].decisions is None
    assert np.array_equal(signals["snr"].values, run.signals[:, 4] / 256)
    assert not signals["snr"].valid[0]
    with pytest.raises(KeyError, match="this network has vad, noise, snr"):
        signals["pitch"]
    frame = signals.to_pandas()
    assert list(frame) == list(signals.columns())
    assert frame.attrs["units"]["snr"] == "dB"
    assert np.array_equal(frame.index.to_numpy(), signals.times)
    assert np.array_equal(frame["noise"].to_numpy().astype(str), names[run.signals[:, 1:4].argmax(axis=1)])
