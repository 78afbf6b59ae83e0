# SPDX-License-Identifier: Apache-2.0
"""Audio of any rate and any number of channels, read block by block: changed only when asked, and then as told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from signals import speech_like

from dyncp.base.audio import read_pcm, to_pcm, write_pcm
from dyncp.base.errors import AudioError
from dyncp.base.sounds.source import Source


def heard(source: Source, samples: int = 4096) -> np.ndarray:
    blocks = list(source.blocks(samples))
    assert all(len(block) == samples for block in blocks[:-1])
    assert 0 < len(blocks[-1]) <= samples
    return np.concatenate(blocks)


@settings(max_examples=15)
@given(length=st.integers(1, 70_000), block=st.integers(256, 5000), suffix=st.sampled_from(["wav", "flac"]))
def test_blocks_are_the_file(length: int, block: int, suffix: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("audio") / f"a.{suffix}"
    pcm = np.random.default_rng(length).integers(-32768, 32768, length).astype(np.int16)
    write_pcm(path, pcm)
    assert (heard(Source(path), block) == pcm).all()
    assert (read_pcm(path) == pcm).all()


@pytest.mark.parametrize("subtype", ["PCM_24", "PCM_32", "PCM_U8", "ULAW", "FLOAT", "DOUBLE"])
def test_every_subtype_is_read_alike_in_blocks_and_at_once(tmp_path: Path, subtype: str) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, speech_like(60) / 32768, 16000, subtype=subtype)
    assert (heard(Source(path)) == read_pcm(path)).all()


def test_what_would_be_done_is_told_and_not_done_unasked(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros((500, 6)), 44100)
    with pytest.raises(
        AudioError, match=r"a\.wav: .*--resample would convert its 44100 Hz .*--mono would average its 6"
    ):
        Source(path)
    with pytest.raises(AudioError, match=r"--mono would average its 6 channels$"):
        Source(path, resample=True)
    with pytest.raises(AudioError, match=r"--resample would convert its 44100 Hz to 16000 Hz$"):
        Source(path, mono=True)
    assert Source(path, True, True).changes == [
        *("6 channels averaged", "44100 Hz resampled to 16000 Hz (soxr, very high quality)")
    ]
    soundfile.write(path, np.zeros(500), 16000)
    assert Source(path, True, True).changes == []


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 96000])
def test_a_resampled_stream_is_the_resampled_file(tmp_path: Path, rate: int) -> None:
    """Block by block is what soxr makes of the whole, and of the length that the rates tell."""
    signal = speech_like(300).astype(np.float64) / 32768
    stereo = np.stack([signal, np.roll(signal, 100)], axis=1)
    soundfile.write(tmp_path / "a.wav", stereo, rate, subtype="DOUBLE")
    found = heard(Source(tmp_path / "a.wav", resample=True, mono=True))
    expected = to_pcm(soxr.resample(stereo.mean(axis=1), rate, 16000, quality="VHQ"))
    assert len(found) == len(expected)
    assert np.abs(found.astype(int) - expected).max() <= 1
    assert abs(len(found) - len(stereo) * 16000 / rate) < 1


def test_a_tone_keeps_its_pitch_and_its_level(tmp_path: Path) -> None:
    time = np.arange(48000) / 48000
    soundfile.write(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * 1000 * time), 48000, subtype="FLOAT")
    spectrum = np.abs(np.fft.rfft(heard(Source(tmp_path / "a.wav", resample=True)) / 32768 * np.hanning(16000)))
    assert spectrum.argmax() == 1000
    assert spectrum.max() / 4000 == pytest.approx(0.5, rel=1e-3)


def test_what_conversion_drives_beyond_full_scale_is_counted(tmp_path: Path) -> None:
    square = np.where(np.arange(48000) // 50 % 2, 1.0, -1.0)
    soundfile.write(tmp_path / "a.wav", square, 48000, subtype="FLOAT")
    source = Source(tmp_path / "a.wav", resample=True)
    pcm = heard(source)
    assert source.saturated > 100
    assert pcm.max() == 32767
    assert pcm.min() == -32768


@pytest.mark.parametrize(("value", "complaint"), [(1.5, "1 of 60,000 samples lie beyond ±1"), (np.nan, "not finite")])
def test_one_wrong_number_in_a_channel_is_found_before_work_begins(
    tmp_path: Path, value: float, complaint: str
) -> None:
    samples = np.zeros((30_000, 2), np.float32)
    samples[29_999, 1] = value
    soundfile.write(tmp_path / "a.wav", samples, 48000, subtype="FLOAT")
    with pytest.raises(AudioError, match=complaint):
        Source(tmp_path / "a.wav", resample=True, mono=True)


def test_rates_that_no_recording_has_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(500), 10)
    with pytest.raises(AudioError, match="its 10 Hz cannot be resampled"):
        Source(tmp_path / "a.wav", resample=True)
