# SPDX-License-Identifier: Apache-2.0
"""Audio files: a wrong one is refused with its reason, never silently changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from dyncp.base.audio import pad_to_hop, read_pcm, write_pcm
from dyncp.base.errors import AudioError


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_round_trip_keeps_every_sample(tmp_path: Path, suffix: str) -> None:
    pcm = np.array([0, 1, -1, 32767, -32768, 1234], np.int16)
    write_pcm(tmp_path / f"a{suffix}", pcm)
    assert (read_pcm(tmp_path / f"a{suffix}") == pcm).all()


def test_wrong_files_name_file_fault_and_remedy(tmp_path: Path) -> None:
    cases: list[tuple[str, np.ndarray, int, str]] = [
        ("rate", np.zeros(100, np.float32), 8000, "8000 Hz; resample"),
        ("stereo", np.zeros((100, 2), np.float32), 16000, "2 channels; mix down"),
        ("empty", np.zeros(0, np.float32), 16000, "no samples"),
        ("nan", np.array([0, np.nan], np.float32), 16000, "not finite"),
    ]
    for name, data, rate, complaint in cases:
        path = tmp_path / f"{name}.wav"
        soundfile.write(path, data, rate, subtype="FLOAT")
        with pytest.raises(AudioError, match=rf"{name}\.wav: .*{complaint}"):
            read_pcm(path)
    (tmp_path / "text.wav").write_text("no audio")
    for name in ("text.wav", "missing.wav"):
        with pytest.raises(AudioError, match=rf"{name}: cannot be read"):
            read_pcm(tmp_path / name)
    with pytest.raises(AudioError, match="cannot be written"):
        write_pcm(tmp_path / "out.txt", np.zeros(10, np.int16))


def test_floats_of_full_scale_are_read_and_those_beyond_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "loud.wav"
    soundfile.write(path, np.array([1.0, -1.0, 0.5], np.float32), 16000, subtype="FLOAT")
    assert read_pcm(path).tolist() == [32767, -32768, 16384]
    for subtype in ("FLOAT", "DOUBLE"):
        soundfile.write(path, np.array([1.5, -2.0, 1.0, 0.0]), 16000, subtype=subtype)
        with pytest.raises(AudioError, match=r"loud\.wav: 2 of 4 samples lie beyond ±1, up to 2 \(6\.0 dB over"):
            read_pcm(path)
    soundfile.write(path, np.array([3000.0, 0.0]), 16000, subtype="FLOAT")
    with pytest.raises(AudioError, match="divide by 32768"):
        read_pcm(path)


def test_padding_fills_the_last_hop() -> None:
    assert len(pad_to_hop(np.ones(1, np.int16))) == 256
    assert len(pad_to_hop(np.ones(256, np.int16), extra_hops=1)) == 512
