# SPDX-License-Identifier: Apache-2.0
"""Voice activity: labels on signals whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from dyncp.base.audio import to_pcm
from dyncp.train.targets.frames import voice_activity


def tone_in_silence(level_db: float) -> np.ndarray:
    """One second of silence (with a faint hiss), one of tone, one of silence."""
    rng = np.random.default_rng(0)
    signal = 1e-5 * rng.standard_normal(3 * 16000)
    signal[16000:32000] += 10 ** (level_db / 20) * np.sin(2 * np.pi * 300 * np.arange(16000) / 16000)
    return to_pcm(signal[: len(signal) // 256 * 256])


@pytest.mark.parametrize("level_db", [-6, -26, -46])
def test_labels_find_the_tone_at_any_level(level_db: float) -> None:
    labels = voice_activity(tone_in_silence(level_db))
    edges = np.flatnonzero(np.diff(labels.astype(int)))
    assert len(labels) == 187
    # Frames 62 to 125 overlap the tone; the average over five frames reaches two frames further on both sides.
    assert edges.tolist() == [59, 127]
    assert labels[95]


def test_silence_has_no_voice_and_a_short_gap_is_bridged() -> None:
    assert not voice_activity(np.zeros(256 * 50, np.int16)).any()
    pcm = tone_in_silence(-26)
    pcm[24000:24256] = 0
    assert voice_activity(pcm)[70:115].all()
