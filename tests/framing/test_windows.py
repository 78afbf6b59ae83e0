# SPDX-License-Identifier: Apache-2.0
"""Frames of any size: what is allowed, windows that give the input back, labels on the same seconds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from framings import EARS, framings
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dyncp.base.config.experiment import load_config
from dyncp.base.config.framing import SAMPLE_RATE, STANDARD, Framing
from dyncp.base.config.network import NetworkConfig
from dyncp.base.windows import analysis_window, synthesis_window
from dyncp.export.transforms import stft
from dyncp.train.network import stft as trained
from dyncp.train.targets.frames import near_speech, voice_activity
from dyncp.train.targets.pitch import pitch_hz


@given(framings(), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_a_mask_of_one_gives_the_input_back_late(framing: Framing, seed: int) -> None:
    pcm = np.random.default_rng(seed).integers(-32768, 32768, 24 * framing.hop).astype(np.int16)
    spectrum = stft.analyse(pcm.reshape(-1, framing.hop), framing)
    assert spectrum.shape == (24, framing.bins)
    rebuilt = stft.synthesise(spectrum, framing)
    np.testing.assert_allclose(rebuilt[framing.delay :], pcm[: len(pcm) - framing.delay] / 32768, atol=1e-12)
    for window in (analysis_window(framing), synthesis_window(framing)):
        assert 0 <= window.min() <= window.max() <= 1


@given(framings())
@settings(max_examples=20, deadline=None)
def test_torch_and_numpy_have_the_same_frames(framing: Framing) -> None:
    pcm = np.random.default_rng(1).integers(-9000, 9000, 12 * framing.hop).astype(np.int16)
    signal = torch.from_numpy(pcm / 32768)[None]
    ours, theirs = trained.analyse(signal, framing), stft.analyse(pcm.reshape(-1, framing.hop), framing)
    np.testing.assert_allclose(ours[0].T.numpy(), theirs, atol=1e-12)
    np.testing.assert_allclose(
        trained.synthesise(ours, framing)[0].numpy(), stft.synthesise(theirs, framing), atol=1e-12
    )


@given(framings())
@settings(max_examples=20, deadline=None)
def test_parts_are_the_spectrum_and_have_its_gradient(framing: Framing) -> None:
    signal = torch.randn(2, 12 * framing.hop, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    weight = torch.randn(2, 2, framing.bins, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    found = []
    for parts_of in (trained.analysed_parts, by_complex_numbers):
        heard = signal.clone().requires_grad_()
        parts = parts_of(heard, framing)
        (parts.square() * weight).sum().backward()
        found.append((parts.detach(), heard.grad))
    torch.testing.assert_close(*found, rtol=0, atol=1e-9)


def by_complex_numbers(signal: torch.Tensor, framing: Framing) -> torch.Tensor:
    spectrum = trained.analyse(signal, framing)
    return torch.stack([spectrum.real, spectrum.imag])


def test_the_standard_window_is_the_square_root_of_a_hann_window() -> None:
    expected = np.sin(np.pi * np.arange(512) / 512)
    np.testing.assert_allclose(analysis_window(STANDARD), expected, atol=1e-15)
    np.testing.assert_allclose(synthesis_window(STANDARD), expected, atol=1e-15)


@pytest.mark.parametrize(
    ("shape", "field"),
    [
        ({"hop": 24}, "hop"),
        ({"hop": 1024}, "hop"),
        ({"fft": 2048}, "fft"),
        ({"fft": 256}, "analysis_window"),
        ({"analysis_window": 250}, "analysis_window"),
        ({"hop": 64, "synthesis_window": 100}, "synthesis_window"),
        ({"hop": 64, "synthesis_window": 64}, "synthesis_window"),
        ({"hop": 32}, "synthesis_window"),
        ({"analysis_window": 256}, "synthesis_window"),
        ({"fft": 256, "analysis_window": 256, "synthesis_window": 256, "hop": 128, "bands": (0, 257)}, "bands"),
    ],
)
def test_frames_that_cannot_be_are_refused_by_name(shape: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError, match=rf"Value error, {field}: "):
        NetworkConfig.model_validate(shape)


def test_ears_is_eight_milliseconds_late_and_costs_what_small_does() -> None:
    ears, small = (load_config(name).network for name in ("ears", "small"))
    assert ears.framing == EARS
    assert (ears.framing.delay_ms, ears.framing.latency_ms) == (4.0, 8.0)
    for share in (0.03, 0.4, 0.95):
        costs = [
            config.macs(round(share * config.blocks * config.gated)) * config.framing.frames_per_second
            for config in (ears, small)
        ]
        assert costs[0] == pytest.approx(costs[1], rel=0.12)


@pytest.mark.parametrize("hop", [32, 64, 128, 160, 512])
def test_labels_are_of_the_same_seconds_at_every_hop(hop: int) -> None:
    """A tone of 200 Hz from 1 to 2 s: every framing says when, within two of its frames or two standard ones."""
    time = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
    voice = sum(np.sin(2 * np.pi * 200 * n * time) / n for n in range(1, 9))
    clean = (0.1 * voice * ((time >= 1) & (time < 2))).astype(np.float32)
    framing = Framing(hop, 1024, 1024, 2 * hop)
    late = max(2 * hop, 512) / SAMPLE_RATE
    for label in (voice_activity, near_speech):
        ours, theirs = (
            (np.flatnonzero(label(clean, frames))[[0, -1]] + 1) * frames.hop / SAMPLE_RATE
            for frames in (framing, STANDARD)
        )
        np.testing.assert_allclose(ours, theirs, atol=late)
    pitch = pitch_hz(clean, framing=framing)
    assert len(pitch) == len(clean) // hop
    assert np.nanmedian(pitch) == pytest.approx(200, abs=1)
    voiced = (np.flatnonzero(~np.isnan(pitch))[[0, -1]] + 1) * hop / SAMPLE_RATE
    np.testing.assert_allclose(voiced, [1, 2], atol=0.06)
