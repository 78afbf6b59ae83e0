# SPDX-License-Identifier: Apache-2.0
"""Clips as people meet them: each kind is what its name says, and without shares the batches stay as they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from dyncp.base.config.experiment import Config
from dyncp.base.config.mixing import MixingConfig
from dyncp.base.config.reading import parse
from dyncp.base.errors import ConfigError
from dyncp.train.mixing.clips import Clip, Mixer
from dyncp.train.mixing.everyday import PAUSE_S, with_pause
from dyncp.train.targets.clip_labels import SourceClasses

PLAIN: dict[str, Any] = {"clip_s": 2.0, "noise_only": 0, "second_noise": 0, "eq_db": 0, "speed": 0, "snr_db": (5, 5)}


def mixer(**changes: Any) -> Mixer:
    """Speech is a tone of 1 kHz, noise is white."""
    tone = 3000 * np.sin(2 * np.pi * 1000 * np.arange(5 * 16000) / 16000)
    noise = 1000 * np.random.default_rng(1).standard_normal(5 * 16000)
    config = MixingConfig(**{**PLAIN, **changes})
    return Mixer([tone.astype(np.int16)], [noise.astype(np.int16)], config)


def clips(count: int = 8, **changes: Any) -> list[Clip]:
    source = mixer(**changes)
    return [source.clip(np.random.default_rng(seed)) for seed in range(count)]


def test_batches_of_a_seed_are_what_they_were() -> None:
    """To some millionths: transforms differ in their last bits from processor to processor."""
    source = mixer(noise_only=0.3, second_noise=0.5, eq_db=6.0, speed=0.1)
    found = np.stack([source.clip(np.random.default_rng(seed)).noisy for seed in range(6)]).astype(np.float64) * 2**12
    wanted = [
        [-27.07, 51.08, -96.03, -116.43, 201.90],
        [154.84, -156.71, 152.24, -82.76, 138.94],
        [-84.81, -0.94, -102.13, -28.04, 84.60],
        [61.46, 39.41, -38.78, -6.29, -11.90],
        [47.21, -470.94, -488.46, 221.44, 978.91],
        [76.95, 992.67, -975.17, 44.94, 782.51],
    ]
    np.testing.assert_allclose(found[:, 1000::7000], wanted, atol=0.02)
    # A product with noise, which every sample has a part in.
    everywhere = found @ np.random.default_rng(0).standard_normal(found.shape[1])
    np.testing.assert_allclose(everywhere, [-29738.91, -28272.57, 9581.93, 2713.36, 72235.11, -148049.97], atol=0.5)


def test_clean_speech_has_the_asked_snr() -> None:
    for clip in clips(clean=1.0, clean_snr_db=(30, 40)):
        noise = clip.noisy - clip.clean
        measured = 20 * np.log10(clip.level / np.sqrt(np.mean(np.square(noise))))
        assert 29.9 < measured < 40.1
        assert clip.snr_db == pytest.approx(measured, abs=0.1)


def test_a_quiet_room_is_some_whole_steps_of_int16_without_speech() -> None:
    for clip in clips(quiet=1.0):
        steps = clip.noisy * 32768
        assert not clip.clean.any()
        assert clip.snr_db == -np.inf
        np.testing.assert_array_equal(steps, np.round(steps))
        assert 0.3 < np.sqrt(np.mean(np.square(steps))) < 8.5


def test_silence_is_silent() -> None:
    assert all(not clip.noisy.any() for clip in clips(silence=1.0, clipping=1.0, pauses=1.0, steps=1.0))


def test_a_pause_is_silence_within_the_speech_and_the_noise_goes_on() -> None:
    longest = []
    for clip in clips(pauses=1.0):
        silent = np.flatnonzero(np.diff(np.flatnonzero(np.concatenate([[1], np.abs(clip.clean), [1]]))) > 1000)
        assert len(silent) == 1
        longest.append(np.diff(np.flatnonzero(np.concatenate([[1], np.abs(clip.clean), [1]]))).max() / 16000)
        assert np.abs(clip.noisy).reshape(-1, 256).max(axis=1).min() > 0
    assert min(longest) > 0.1
    assert max(longest) < PAUSE_S[1]


def test_a_pause_moves_what_follows_and_cuts_at_a_soft_place() -> None:
    speech = np.ones(64 * 256, np.float32)
    soft = 30
    speech[soft * 256 : (soft + 1) * 256] = 0.01
    hits = 0
    for seed in range(30):
        paused = with_pause(speech, np.random.default_rng(seed))
        assert len(paused) == len(speech)
        hits += int(np.flatnonzero(paused == 0)[0] // 256 in (soft - 1, soft))
    assert hits > 8


def test_a_step_changes_speech_and_noise_alike() -> None:
    changes = []
    for seed in range(8):
        before, after = (mixer(steps=share).clip(np.random.default_rng(seed)) for share in (0.0, 1.0))
        gain_db = 20 * np.log10(np.abs(after.clean[-256:]).max() / np.abs(before.clean[-256:]).max())
        noise_db = 20 * np.log10(
            np.abs((after.noisy - after.clean)[-256:]).max() / np.abs((before.noisy - before.clean)[-256:]).max()
        )
        assert gain_db == pytest.approx(noise_db, abs=0.1)
        changes.append(gain_db)
    assert max(np.abs(changes)) <= 12.1
    assert np.ptp(changes) > 6


def test_clipped_clips_stay_at_full_scale() -> None:
    for clip in clips(clipping=1.0):
        assert np.abs(clip.noisy).max() == 1
        assert 2 < np.count_nonzero(np.abs(clip.noisy) == 1) < 0.5 * len(clip.noisy)
        assert np.abs(clip.clean).max() <= 1


def test_shares_that_exclude_each_other_sum_to_at_most_one() -> None:
    with pytest.raises(ConfigError, match="sum to at most 1"):
        parse(Config, {"mixing": {"clean": 0.5, "quiet": 0.4, "silence": 0.2}}, "all.toml")


def test_labels_come_with_every_lth_batch_and_change_nothing_else() -> None:
    source = mixer(clip_s=0.5)
    labelled = Mixer(source.speech, source.noise, source.config, SourceClasses((0,), (0,)), label_period=3)
    for index in range(6):
        batch = labelled.batch(1, (7, index))
        assert (batch.labels is not None) == (index % 3 == 0)
        assert torch.equal(batch.noisy, source.batch(1, (7, index)).noisy)
