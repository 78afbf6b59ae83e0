# SPDX-License-Identifier: Apache-2.0
"""Limit, strength, smoothing and bypass: what they do to gains and to sound, and C equal to the reference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles import random_bundle
from libraries import SMALL, assert_same, difficult_audio, library
from networks import BANDS
from numpy.typing import NDArray
from signals import HOP, speech_like

from dyncp.base.errors import ToolchainError
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers import controls, reference
from dyncp.export.integers.controls import DEFAULT, Decision, Settings
from dyncp.firmware.host.library import HostLibrary
from dyncp.firmware.proof.product.controls import controlled, on_host, schedule

BANDED = SMALL.model_copy(update={"bands": BANDS, "gate_site": "hidden", "pooling": "ema", "gate_period": 2})
NETWORKS = {"bins": SMALL, "bands": BANDED}
EVERY_MASK = np.arange(32768)[None]


def gains(bundle: Bundle, pcm: NDArray[np.int16], settings: Settings) -> NDArray[np.generic]:
    """[n, 257]."""
    each = [settings] * (len(pcm) // HOP)
    return reference.run(bundle, pcm, trace=True, settings=each).trace["suppression"]


def levels(output: NDArray[np.int16]) -> NDArray[np.float64]:
    """RMS of each hop."""
    return np.sqrt(np.mean(output.reshape(-1, HOP).astype(np.float64) ** 2, axis=1))


@pytest.mark.parametrize("db", range(98))
def test_the_least_gain_is_the_limit_rounded(db: int) -> None:
    assert controls.least_gain(db) == round(32767 * 10 ** (-db / 20))


def test_no_gain_is_below_the_limit_and_none_above_it_changes() -> None:
    bundle, pcm = random_bundle(SMALL, 0), speech_like(30)
    free = gains(bundle, pcm, DEFAULT)
    np.testing.assert_array_equal(free, reference.run(bundle, pcm, trace=True).trace["suppression"])
    for db in (0, 6, 18):
        least = round(32767 * 10 ** (-db / 20))
        np.testing.assert_array_equal(gains(bundle, pcm, Settings(limit=db)), np.maximum(free, least))


def test_strength_is_a_mix_below_100_percent_and_approaches_the_square_above() -> None:
    mask = EVERY_MASK[0] / 32767
    for percent in (0, 1, 50, 99, 100, 101, 150, 200):
        [made] = controls.gains(EVERY_MASK, [Settings(strength=percent)])
        part = percent / 100 - 1
        wanted = 1 + percent / 100 * (mask - 1) if percent <= 100 else mask - part * mask * (1 - mask)
        assert np.abs(made / 32767 - wanted).max() < 1e-4
        assert np.all(np.diff(made) >= -1)
        assert made.min() >= 0
        assert made[-1] == 32767
    np.testing.assert_array_equal(controls.gains(EVERY_MASK, [DEFAULT]), EVERY_MASK)


def test_attack_and_release_go_their_part_of_the_way() -> None:
    masks = np.array([[0], [30000], [30000], [0], [0], [0]])
    made = controls.gains(masks, [Settings(attack=50, release=25)] * 6)[:, 0]
    assert made == pytest.approx([0, 15000, 22500, 16875, 12656, 9492], abs=3)
    settled = controls.gains(np.zeros((400, 1), np.int64), [Settings()] + [Settings(attack=1, release=1)] * 399)
    assert settled[-1] == 0


def test_bypass_fades_within_eight_frames_and_back() -> None:
    masks = np.full((40, 3), 1000)
    made = controls.gains(masks, [DEFAULT] * 5 + [Settings(bypass=True)] * 15 + [DEFAULT] * 20)[:, 0]
    steps = np.diff(made)
    assert np.all(made[:5] == 1000)
    assert np.all(made[12:20] == 32767)
    assert np.all(made[27:] == 1000)
    # Eight equal steps either way.
    assert np.abs(steps).max() - np.abs(steps[np.abs(steps) > 0]).min() <= 1
    assert np.count_nonzero(steps) == 16


def test_bypass_passes_the_input_one_hop_late_and_does_not_click() -> None:
    bundle = random_bundle(SMALL, 0)
    tone = np.round(8000 * np.sin(2 * np.pi * 440 / 16000 * np.arange(60 * HOP))).astype(np.int16)
    settings = [DEFAULT] * 20 + [Settings(bypass=True)] * 20 + [DEFAULT] * 20
    out = reference.run(bundle, tone, settings=settings).output.astype(np.int64)
    # Full from frame 27 on, so from the next hop; an LSB or two of the front end's rounding.
    assert np.abs(out[29 * HOP : 40 * HOP] - tone[28 * HOP : 39 * HOP]).max() <= 3
    # A click is a step from one sample to the next that the tone does not have.
    steepest = np.abs(np.diff(tone.astype(np.int64))).max()
    assert np.abs(np.diff(out[19 * HOP : 50 * HOP])).max() < 1.1 * steepest


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("probes", ["int8", None])
def test_host_equals_reference_where_settings_change(tmp_path: Path, name: str, probes: Any) -> None:
    bundle, folder = library(tmp_path, NETWORKS[name], probes=probes)
    host = HostLibrary(folder, flags=("-O2",), build_dir=tmp_path)
    audio = difficult_audio()
    for settings in (None, random_settings(len(audio) // HOP)):
        assert on_host(host, controlled(bundle, audio, settings)) == 0


def random_settings(frames: int) -> list[Settings]:
    random = np.random.default_rng(5)
    drawn: list[Settings] = []
    while len(drawn) < frames:
        limit, strength, attack, release = (
            int(random.integers(*span)) for span in ((0, 98), (0, 201), (1, 101), (1, 101))
        )
        drawn += [Settings(limit, strength, bool(random.integers(2)), attack, release)] * int(random.integers(1, 5))
    return drawn[:frames]


@pytest.mark.parametrize("name", NETWORKS)
def test_controls_at_their_defaults_change_no_bit(tmp_path: Path, name: str) -> None:
    """Also once they have been used and set back: nothing of them stays behind but the gains of the last frame."""
    bundle, folder = library(tmp_path, NETWORKS[name])
    stream = HostLibrary(folder, flags=("-O2",), build_dir=tmp_path).stream()
    audio = difficult_audio()
    plain = reference.run(bundle, audio)
    settings = [schedule(12)[min(frame, 11)] if frame < 12 else DEFAULT for frame in range(plain.frames)]
    for frame in range(12):
        stream.set_controls(settings[frame])
        stream.run(audio[frame * HOP :][:HOP])
    stream.set_controls(DEFAULT)
    late = stream.run(audio[12 * HOP :])
    # Eight frames of the fade back from the bypass, and the frame whose second half they are.
    assert_same(plain.part(24), late.part(12))
    stream.reset()
    assert stream.controls() == DEFAULT
    assert_same(plain, stream.run(audio))


def test_settings_out_of_range_are_refused_and_change_nothing(tmp_path: Path) -> None:
    _, folder = library(tmp_path)
    stream = HostLibrary(folder, flags=("-O1",), build_dir=tmp_path).stream()
    stream.set_controls(Settings(limit=10, strength=20, attack=30, release=40, decisions={"vad": Decision(-5, 6)}))
    before = stream.controls()
    for wrong in ({"strength": 201}, {"attack": 0}, {"release": 101}, {"decisions": {"vad": Decision(0, 10000)}}):
        with pytest.raises(ToolchainError, match="status 5"):
            stream.set_controls(replace(before, **wrong))
        assert stream.controls() == before
    stream.set_controls(Settings(limit=500))
    assert stream.controls() == DEFAULT


def test_a_floor_keeps_a_quiet_room_a_room() -> None:
    """Level of the noise that stays: with a limit of 12 dB at most 12 dB below the input."""
    bundle = random_bundle(SMALL, 0)
    room = np.random.default_rng(0).integers(-300, 301, 60 * HOP).astype(np.int16)
    free, kept = (
        levels(reference.run(bundle, room, settings=[settings] * 60).output)[5:]
        for settings in (DEFAULT, Settings(limit=12))
    )
    heard = levels(room)[4:-1]
    assert np.all(kept > heard * 10 ** (-13 / 20))
    assert np.mean(free) < np.mean(kept)
