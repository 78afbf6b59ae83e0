# SPDX-License-Identifier: Apache-2.0
"""What an 8 kHz network hears of corpora at 16 kHz: clips, streams and days; and by what it is trained and judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from signals import speech_like
from sounds import small_corpus

from dyncp.base.audio import active_rms, read_pcm, to_pcm, write_pcm
from dyncp.base.config.framing import Framing
from dyncp.base.config.mixing import MixingConfig
from dyncp.base.errors import AudioError
from dyncp.base.metrics import dnsmos, pesq, pesq_nb, pesq_wb, stoi
from dyncp.base.sounds.rates import resampled
from dyncp.bench.assurance.framings import TELEPHONE
from dyncp.evaluation.day.spurts import noise_left_db, spurt_quality
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.corpora.sources import Sources, read_sources
from dyncp.train.day.day import make_day
from dyncp.train.day.recipe import CONDITIONS
from dyncp.train.losses.intelligibility import IntelligibilityLoss
from dyncp.train.losses.perceptual import PerceptualLoss
from dyncp.train.losses.spectral import level_spectra
from dyncp.train.mixing.clips import Mixer
from dyncp.train.mixing.pairs import EVALUATION, make_pairs
from dyncp.train.pieces import Work
from dyncp.train.targets.frames import near_speech, voice_activity
from dyncp.train.targets.pitch import COARSE, pitch_hz
from dyncp.train.targets.quality import frame_quality

RATE = 8000
SPEECH = speech_like(150, seed=4) / 32768
HISS = 0.02 * np.random.default_rng(5).standard_normal(len(SPEECH))
NARROW, NARROW_HISS = (resampled(signal, RATE) for signal in (SPEECH, HISS))


@pytest.fixture(scope="module")
def corpus_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_corpus(tmp_path_factory.mktemp("rate") / "corpus")


@pytest.fixture(scope="module")
def sources(corpus_folder: Path) -> Sources:
    return read_sources(load_corpus(corpus_folder).split("train"))


def mixer(sources: Sources, framing: Framing, **changes: object) -> Mixer:
    plain = {"clip_s": 1.0, "second_noise": 0, "noise_only": 0, "level_dbfs": (-30, -30), "snr_db": (5, 5)}
    return Mixer(sources.speech, sources.noise, MixingConfig.model_validate(plain | changes), framing=framing)


def test_levels_and_snr_are_of_what_is_heard(sources: Sources) -> None:
    clip = mixer(sources, TELEPHONE).clip(np.random.default_rng(1))
    assert len(clip.noisy) == RATE
    assert clip.noisy.dtype == np.float32
    noise = clip.noisy - clip.clean
    level = active_rms(clip.clean, RATE)
    assert 20 * np.log10(level) == pytest.approx(-30, abs=0.01)
    assert 20 * np.log10(level / np.sqrt(np.mean(noise**2))) == pytest.approx(5, abs=0.01)


def test_steps_of_a_quiet_room_are_whole_and_pauses_last_as_long(sources: Sources) -> None:
    quiet = mixer(sources, TELEPHONE, quiet=1).clip(np.random.default_rng(2)).noisy * 32768
    assert quiet.any()
    assert (quiet == np.round(quiet)).all()
    paused = mixer(sources, TELEPHONE, clip_s=6.0, pauses=1).clip(np.random.default_rng(3)).clean
    longest = max(map(len, "".join("1" if x else "0" for x in paused).split("1")))
    assert 0.5 <= longest / RATE < 4


def test_pairs_are_the_stretches_that_16_khz_has(corpus_folder: Path) -> None:
    corpus = load_corpus(corpus_folder)
    wide, narrow = (make_pairs(corpus, "test", 2, EVALUATION, f) for f in (TELEPHONE.standard, TELEPHONE))
    assert [pair.name for pair in wide] == [pair.name for pair in narrow]
    for pair, other in zip(make_pairs(corpus, "test", 2), narrow, strict=True):
        heard = resampled(pair.clean / 32768, RATE)
        both = min(len(heard), len(other.clean))
        assert np.corrcoef(heard[:both], other.clean[:both])[0, 1] > 0.999
        assert pair.snr_db == other.snr_db


def test_labels_and_losses_see_8_khz_as_they_see_16() -> None:
    near, near_narrow = (
        near_speech(SPEECH.astype(np.float32)),
        near_speech(NARROW.astype(np.float32), TELEPHONE.standard),
    )
    assert (near == near_narrow[: len(near)]).mean() > 0.97
    assert (voice_activity(SPEECH) == voice_activity(NARROW, TELEPHONE.standard)).mean() > 0.95
    wide, narrow = pitch_hz(SPEECH, COARSE), pitch_hz(NARROW, COARSE, TELEPHONE.standard)
    both = np.isfinite(wide) & np.isfinite(narrow)
    assert both.mean() > 0.3
    assert np.median(np.abs(wide - narrow)[both]) < 1


def test_a_frame_of_speech_has_one_power_at_both_rates() -> None:
    noise, level = torch.randn(1, 16_000, generator=torch.Generator().manual_seed(1)), torch.ones(1)
    for framing in (TELEPHONE, None):
        spectra = level_spectra(noise, level, framing) if framing else level_spectra(noise, level)
        assert spectra.power.shape[1] == (129 if framing else 257)
        power = spectra.power.sum(1).mean()
        assert float(power) == pytest.approx(512 * 256 / 2, rel=0.03)


@pytest.mark.parametrize("kind", [PerceptualLoss, IntelligibilityLoss])
def test_listening_losses_rise_with_the_noise(kind: type[PerceptualLoss | IntelligibilityLoss]) -> None:
    loss = kind(framing=TELEPHONE)
    level = torch.tensor([active_rms(NARROW, RATE)], dtype=torch.float32)
    spectra = [
        level_spectra(torch.from_numpy(NARROW + gain * NARROW_HISS).float()[None], level, TELEPHONE)
        for gain in (0, 0.1, 0.3, 1.0)
    ]
    values = [float(loss(estimate, spectra[0])) for estimate in spectra]
    assert values[0] < 0.05
    assert values == sorted(values)
    wide = kind()
    level = torch.tensor([active_rms(SPEECH)], dtype=torch.float32)
    clean, noisy = (level_spectra(torch.from_numpy(x).float()[None], level) for x in (SPEECH, SPEECH + 0.3 * HISS))
    assert values[2] == pytest.approx(float(wide(noisy, clean)), rel=0.5)


def test_metrics_at_8_khz() -> None:
    from pesq import pesq as package

    noisy = NARROW + NARROW_HISS
    assert pesq_nb(NARROW, noisy) == package(RATE, NARROW.astype(np.float32), noisy.astype(np.float32), "nb")
    assert pesq(NARROW, noisy, RATE) == pesq_nb(NARROW, noisy)
    assert pesq(SPEECH, SPEECH + HISS) == pesq_wb(SPEECH, SPEECH + HISS) != pesq_nb(NARROW, noisy)
    # pystoi brings either to 10 kHz and has bands up to 4.3 kHz.
    assert stoi(NARROW, noisy, rate=RATE) == pytest.approx(stoi(SPEECH, SPEECH + HISS), abs=0.03)
    opinion = dnsmos(noisy, RATE)
    if opinion is not None:
        assert opinion == dnsmos(resampled(noisy, 16_000, RATE).clip(-1, 1))


def test_a_perfect_estimate_has_the_best_quality_in_each_frame() -> None:
    clean, framing = to_pcm(NARROW), TELEPHONE
    speech = np.ones(len(clean) // framing.hop, np.bool_)
    work = Work(None, 1, False)
    assert (frame_quality("si_sdr", clean, clean, speech, work, framing) == 40).all()
    assert np.nanmax(frame_quality("pesq", clean, clean, speech, work, framing)) == pytest.approx(4.55, abs=0.01)


def test_a_day_at_8_khz_is_the_same_day(corpus_folder: Path) -> None:
    day = make_day(load_corpus(corpus_folder), "test", 1.0)
    narrow = day.at(RATE)
    assert narrow.at(RATE).stream is narrow.stream
    assert len(narrow.stream.noisy) == len(day.stream.noisy) // 2
    assert (narrow.stream.clean + narrow.stream.noise == narrow.stream.noisy).all()
    assert (narrow.conditions(TELEPHONE.standard) == day.condition).all()
    frames = len(narrow.conditions(TELEPHONE))
    assert frames == len(narrow.stream.noisy) // TELEPHONE.hop
    assert noise_left_db(narrow, narrow.stream.noisy // 2, CONDITIONS.index("noise")) == pytest.approx(-6, abs=0.2)


@pytest.mark.slow
def test_spurts_of_a_day_are_scored_at_8_khz(corpus_folder: Path) -> None:
    day = make_day(load_corpus(corpus_folder), "test", 0.5).at(RATE)
    quality = spurt_quality(day, day.stream.clean)
    assert 2 < quality.seconds < 30
    assert quality.int8.pesq > 4.5 > quality.noisy.pesq


def test_files_are_of_the_rate_that_is_asked_for(tmp_path: Path) -> None:
    write_pcm(tmp_path / "a.wav", to_pcm(NARROW), RATE)
    assert (read_pcm(tmp_path / "a.wav", RATE) == to_pcm(NARROW)).all()
    with pytest.raises(AudioError, match="is 8000 Hz; resample to 16000 Hz first"):
        read_pcm(tmp_path / "a.wav")
    write_pcm(tmp_path / "b.wav", to_pcm(SPEECH))
    with pytest.raises(AudioError, match="is 16000 Hz; resample to 8000 Hz first, the network's rate"):
        read_pcm(tmp_path / "b.wav", RATE)
