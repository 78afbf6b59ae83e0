# SPDX-License-Identifier: Apache-2.0
"""The waveform's error in dB: it minds the level, counts clips alike, and is finite for silence."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from dyncp.train.losses.perceptual import PerceptualLoss
from dyncp.train.losses.spectral import NOISE_ERROR, SPEECH_ERROR, waveform_loss


@pytest.fixture
def speech() -> Tensor:
    return 0.1 * torch.randn(1, 8000, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("level", [1.0, 0.01])
@pytest.mark.parametrize("snr_db", [-5.0, 10.0, 30.0])
def test_it_is_the_negative_snr_at_any_level(speech: Tensor, level: float, snr_db: float) -> None:
    error = speech.flip(1) * 10 ** (-snr_db / 20)
    loss = waveform_loss(level * (speech + error), level * speech, level * speech)
    assert float(loss) == pytest.approx(-snr_db, abs=0.3)


def test_a_wrong_level_costs(speech: Tensor) -> None:
    costs = [float(waveform_loss(gain * speech, speech, speech)) for gain in (1.0, 10 ** (-0.5 / 20), 0.5)]
    assert costs[0] == pytest.approx(-45, abs=0.1)
    assert costs[1] == pytest.approx(-25, abs=0.5)
    assert costs[2] == pytest.approx(-6, abs=0.1)


def test_without_speech_the_noise_is_the_measure(speech: Tensor) -> None:
    nothing = torch.zeros_like(speech)
    assert float(waveform_loss(0.1 * speech, nothing, speech)) == pytest.approx(-20, abs=0.5)
    assert float(waveform_loss(nothing, nothing, speech)) == pytest.approx(-30, abs=0.1)
    assert SPEECH_ERROR < NOISE_ERROR


def test_silence_is_finite_and_its_gradient_too() -> None:
    estimate = torch.zeros(1, 8000, requires_grad=True)
    nothing = torch.zeros(1, 8000)
    loss = waveform_loss(estimate, nothing, nothing)
    loss.backward()
    assert loss.isfinite()
    assert estimate.grad is not None
    assert estimate.grad.isfinite().all()


def test_without_compensation_the_perceptual_loss_minds_a_wrong_level(speech: Tensor) -> None:
    from dyncp.train.losses.spectral import level_spectra

    level = torch.tensor([0.1])
    filtered = torch.nn.functional.conv1d(speech[:, None], torch.tensor([[[0.3, 0.7, 0.0]]]), padding="same")[:, 0]
    pair = level_spectra(filtered, level), level_spectra(speech, level)
    assert float(PerceptualLoss(0.0)(*pair)) > float(PerceptualLoss(0.5)(*pair)) > float(PerceptualLoss()(*pair))
