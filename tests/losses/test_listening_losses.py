# SPDX-License-Identifier: Apache-2.0
"""The losses for quality and intelligibility: 0 for a perfect estimate, in step with PESQ and ESTOI otherwise."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from dyncp.base.audio import active_rms
from dyncp.base.config.experiment import Config
from dyncp.base.config.reading import parse
from dyncp.base.errors import ConfigError
from dyncp.base.metrics import pesq_wb, stoi
from dyncp.train.corpora.demo_corpus import read_voice
from dyncp.train.losses.intelligibility import IntelligibilityLoss
from dyncp.train.losses.perceptual import PerceptualLoss
from dyncp.train.losses.spectral import Spectra, level_spectra

LOSSES = [PerceptualLoss(), IntelligibilityLoss()]
SNRS_DB = [-5.0, 2.0, 9.0, 16.0, 30.0]
VOICES = [read_voice(name, 2)[0] for name in ("it_IT_m_Carlo", "fr_CA_f_June")]
CLIPS = [voice[: 125 * 256] / 32768 for voice in VOICES]
either = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)


def spectra(signal: np.ndarray, clean: np.ndarray) -> Spectra:
    level = torch.tensor([active_rms(clean)], dtype=torch.float32)
    return level_spectra(torch.from_numpy(signal).float()[None], level)


def noisy(clean: np.ndarray, snr_db: float) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal(len(clean))
    return clean + noise * active_rms(clean) * 10 ** (-snr_db / 20)


def value(loss: nn.Module, estimate: np.ndarray, clean: np.ndarray) -> float:
    return float(loss(spectra(estimate, clean), spectra(clean, clean)))


@either
def test_perfect_is_zero_and_noise_costs(loss: nn.Module) -> None:
    for clean in CLIPS:
        values = [value(loss, noisy(clean, snr), clean) for snr in SNRS_DB] + [value(loss, clean, clean)]
        assert values == sorted(values, reverse=True)
        assert values[-1] < 0.01 < 0.1 * values[0]


def test_they_follow_the_measures_they_stand_for() -> None:
    pairs = [(noisy(clean, snr), clean) for clean in CLIPS for snr in SNRS_DB]
    measures = [pesq_wb, lambda clean, estimate: stoi(clean, estimate, extended=True)]
    for loss, measure in zip(LOSSES, measures, strict=True):
        found = [value(loss, estimate, clean) for estimate, clean in pairs]
        wanted = [measure(clean, estimate) for estimate, clean in pairs]
        assert spearmanr(found, wanted).statistic < -0.9


@either
def test_gain_and_mild_filters_cost_less_than_noise(loss: nn.Module) -> None:
    clean = CLIPS[0]
    tilted = clean + 0.3 * np.pad(clean, (1, 0))[:-1]
    error = float(np.mean((tilted - clean) ** 2) / active_rms(clean) ** 2)
    noise = value(loss, noisy(clean, -10 * np.log10(error)), clean)
    assert value(loss, 2 * clean, clean) < 0.02
    assert value(loss, tilted, clean) < noise / 3


@either
def test_a_batch_costs_the_mean_of_its_clips(loss: nn.Module) -> None:
    pairs = [(noisy(CLIPS[0], 0), CLIPS[0]), (noisy(CLIPS[1], 15), CLIPS[1])]
    samples = min(map(len, CLIPS))
    heard, wanted = ([spectra(pair[k][:samples], pair[1]) for pair in pairs] for k in (0, 1))
    together = loss(joined(heard), joined(wanted))
    alone = [loss(a, b) for a, b in zip(heard, wanted, strict=True)]
    torch.testing.assert_close(together, torch.stack(alone).mean())


def joined(clips: list[Spectra]) -> Spectra:
    return Spectra(torch.cat([clip.parts for clip in clips], 1), torch.cat([clip.power for clip in clips]))


@either
@pytest.mark.parametrize("silent", ["estimate", "target", "both"])
def test_silence_has_a_finite_gradient(loss: nn.Module, silent: str) -> None:
    speech = torch.from_numpy(CLIPS[0]).float()[None]
    estimate = (0 * speech if silent != "target" else speech.clone()).requires_grad_()
    target = speech if silent == "estimate" else 0 * speech
    level = torch.tensor([0.05])
    total = loss(level_spectra(estimate, level), level_spectra(target, level))
    total.backward()
    assert torch.isfinite(total)
    assert estimate.grad is not None
    assert torch.isfinite(estimate.grad).all()


def test_clips_too_short_for_intelligibility_are_refused() -> None:
    settings = {"mixing": {"clip_s": 0.3}, "training": {"intelligibility_weight": 1.0}}
    with pytest.raises(ConfigError, match=r"short\.toml: .*clip_s"):
        parse(Config, settings, "short.toml")
