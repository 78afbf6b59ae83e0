# SPDX-License-Identifier: Apache-2.0
"""Analysis and synthesis: a literal reading of docs/arithmetic.md, close to a float64 STFT, never wrapping."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from literal_frontend import Literal
from numpy.typing import NDArray
from signals import EXTREMES, extreme, speech_like

from dyncp.export.transforms import frontend, stft

Pcm = NDArray[np.int16]
OPEN = 32767


def through(pcm: Pcm, mask: int = OPEN) -> Pcm:
    spectrum = frontend.analysis(pcm.reshape(-1, 256))
    return frontend.synthesis(spectrum, np.full_like(spectrum[0], mask)).ravel()


def test_reconstruction_exceeds_80_db() -> None:
    pcm = speech_like(400)
    error = through(pcm)[256:].astype(np.float64) - pcm[:-256]
    snr = 10 * np.log10(np.square(pcm[:-256].astype(np.float64)).sum() / np.square(error).sum())
    assert snr >= 80


@pytest.mark.parametrize("name", EXTREMES)
def test_extreme_inputs_follow_float64_and_never_wrap(name: str) -> None:
    pcm = extreme(name, 6)
    re, im = frontend.analysis(pcm.reshape(-1, 256))
    exact = stft.analyse(pcm.reshape(-1, 256))
    # Q21 of samples in [−1, 1); a few hundred units are rounding of 16-bit windows, 10⁻⁴ of full scale.
    assert np.abs(re / 2**21 + 1j * im / 2**21 - exact).max() < 1e-4 * max(1.0, np.abs(exact).max())
    expected = np.clip(stft.synthesise(exact) * 32768, -32768, 32767)
    assert np.abs(through(pcm) - expected).max() <= 4


def test_silence_gives_silence() -> None:
    assert not np.any(through(extreme("silence", 4)))


def test_a_closed_mask_gives_silence() -> None:
    assert not np.any(through(speech_like(6), mask=0))


@pytest.mark.parametrize("name", ["speech", "square", "alternating", "noise", "negative_dc"])
def test_equals_the_literal_specification(name: str) -> None:
    pcm = speech_like(60)[40 * 256 : 43 * 256] if name == "speech" else extreme(name, 3)
    mask = np.random.default_rng(1).integers(0, 32768, (3, 257))
    re, im = frontend.analysis(pcm.reshape(-1, 256))
    output = frontend.synthesis((re, im), mask)
    literal = Literal()
    for n, hop in enumerate(pcm.reshape(-1, 256).tolist()):
        x = literal.analyse(hop)
        assert x == list(zip(re[n].tolist(), im[n].tolist(), strict=True))
        assert literal.synthesise(x, mask[n].tolist()) == output[n].tolist()


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), magnitude=st.sampled_from([2, 1000, 2**20, 2**30 - 1]))
def test_fft_is_the_dft_divided_by_256(seed: int, magnitude: int) -> None:
    # The specification bounds |z| by √2 · 2³⁰, which real and imaginary parts below 2³⁰ keep.
    re, im = np.random.default_rng(seed).integers(-magnitude, magnitude + 1, (2, 1, 256))
    got = frontend.transform((re, im))
    expected = np.fft.fft(re + 1j * im) / 256
    # Eight stages average their inputs' errors and add at most 1.5 to each component: half a unit from the shift,
    # one from the two products of a twist. Twiddles in Q30 add the last term.
    assert np.abs(got[0] + 1j * got[1] - expected).max() < 8 * 1.5 * np.sqrt(2) + 1e-8 * magnitude
    assert max(np.abs(got[0]).max(), np.abs(got[1]).max()) < 2**31
