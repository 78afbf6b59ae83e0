# SPDX-License-Identifier: Apache-2.0
"""The mixtures that networks are scored on: their SNR, and the same at another level."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sounds import small_corpus

from dyncp.base.audio import active_rms
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.mixing.pairs import EVALUATION, EVERYDAY, Pair, make_pairs


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> list[Pair]:
    return make_pairs(load_corpus(small_corpus(tmp_path_factory.mktemp("corpus") / "c")), "test", 8)


def decibels(rms: float) -> float:
    return float(20 * np.log10(rms))


def test_a_pair_knows_its_snr_and_level(pairs: list[Pair]) -> None:
    assert len({pair.snr_db for pair in pairs}) == len(pairs)
    low, high = EVALUATION.snr_db
    for pair in pairs:
        noise = (pair.noisy.astype(float) - pair.clean) / 32768
        level = decibels(active_rms(pair.clean / 32768))
        assert low <= pair.snr_db <= high
        assert level == pytest.approx(pair.level_dbfs, abs=0.05)
        assert level - decibels(np.sqrt(np.mean(noise**2))) == pytest.approx(pair.snr_db, abs=0.05)


def test_clips_without_speech_have_no_snr(tmp_path: Path) -> None:
    corpus = load_corpus(small_corpus(tmp_path / "c"))
    silent = [not pair.clean.any() for pair in make_pairs(corpus, "test", 30, EVERYDAY)]
    snrs = [pair.snr_db for pair in make_pairs(corpus, "test", 30, EVERYDAY)]
    assert 0 < sum(silent) < 30
    assert [snr == -np.inf for snr in snrs] == silent


@pytest.mark.parametrize("dbfs", [-40.0, -20.0])
def test_another_level_scales_speech_and_noise_alike(pairs: list[Pair], dbfs: float) -> None:
    for pair in pairs:
        moved = pair.at_level(dbfs)
        gain = 10 ** ((dbfs - pair.level_dbfs) / 20)
        assert np.abs(moved.noisy - np.clip(gain * pair.noisy, -32768, 32767)).max() <= 0.5
        assert (moved.level_dbfs, moved.snr_db) == (dbfs, pair.snr_db)
        assert moved.clean is pair.clean


def test_what_exceeds_int16_saturates(pairs: list[Pair]) -> None:
    loud = pairs[0].at_level(-3.0).noisy
    assert 0 < np.mean(np.abs(loud.astype(int)) >= 32767) < 0.5
    assert np.all(np.sign(loud) == np.sign(pairs[0].noisy))
