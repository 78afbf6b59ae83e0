# SPDX-License-Identifier: Apache-2.0
"""Frames of any size in integers: the NumPy front end, a literal reading of docs/arithmetic.md and dyncp_frames.h."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from callable_c import EmulatedFunctions, Functions, HostFunctions
from framings import framings
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import RUNTIME, program
from literal_frontend import Literal
from signals import speech_like

import dyncp.firmware
from dyncp.base.config.framing import Framing
from dyncp.codegen.lowering.frontend import closed_thresholds, search_starts, twice_twiddle
from dyncp.export.transforms import frontend
from dyncp.firmware.building.boards import select

FOLDER = Path(dyncp.firmware.__file__).parent / "framing"
SPEECH = speech_like(200)
SHIM, SERVE = Path(__file__).parent / "frames.c", Path(__file__).parents[1] / "kernels" / "serve.c"
SIZES = (128, 256, 512, 1024)


def points(fft: int) -> str:
    return f"-DDCP_POINTS={fft // 2}"


@pytest.fixture(scope="module", params=["gcc", "clang"])
def kernels(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Functions]:
    """By the size of the transform, on this machine."""
    work, flags = tmp_path_factory.mktemp("frames"), ("-O2", "-shared", "-fPIC")
    return {
        fft: HostFunctions(
            program(
                work / f"frames{fft}.so",
                [SHIM],
                include=(*RUNTIME, FOLDER),
                compiler=request.param,
                flags=(*flags, points(fft)),
            )
        )
        for fft in SIZES
    }


def loud(framing: Framing, frames: int, seed: int) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
    """Full-scale noise and steps between the ends, [frames, hop]."""
    random = np.random.default_rng(seed)
    noise = random.integers(-32768, 32768, (frames, framing.hop))
    return np.where(random.random((frames, 1)) < 0.5, noise, np.sign(noise) * 32768 - (noise > 0)).astype(np.int16)


def assert_equal(kernel: Functions, framing: Framing, seed: int) -> None:
    """Analysis, features and synthesis of a stream."""
    hops = loud(framing, 2 * framing.overlaps + 3, seed)
    mask = np.random.default_rng(seed).integers(0, 32768, (len(hops), framing.bins)).astype(np.uint16)
    re, im = frontend.analysis(hops, framing)
    assert max(np.abs(re).max(), np.abs(im).max()) <= 2**30
    thresholds = frontend.feature_thresholds(2 * frontend.finest(framing.fft), framing.fft)
    features = frontend.features((re, im), thresholds)
    output = frontend.synthesis((re, im), mask.astype(np.int64), framing)

    sizes = np.array([framing.hop, framing.analysis, framing.synthesis], np.uint32)
    twiddle = twice_twiddle(frontend.twiddle(framing.fft))
    history, overlap = np.zeros(framing.analysis - framing.hop, np.int16), np.zeros(framing.delay, np.int32)
    x, y = np.zeros((framing.bins, 2), np.int32), np.zeros(framing.bins, np.int8)
    out = np.zeros(framing.hop, np.int16)
    for i, hop in enumerate(hops):
        kernel("analysis", sizes, frontend.window(framing), twiddle, hop, history, x)
        np.testing.assert_array_equal(x, np.stack([re[i], im[i]], axis=1))
        tables = closed_thresholds(thresholds), search_starts(thresholds)
        kernel("features", *tables, x, y)
        np.testing.assert_array_equal(y, features[i])
        kernel("synthesis", sizes, frontend.fading(framing), twiddle, x, mask[i], overlap, out)
        np.testing.assert_array_equal(out, output[i])


@given(framing=framings(), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_the_c_equals_the_reference(kernels: dict[int, Functions], framing: Framing, seed: int) -> None:
    assert_equal(kernels[framing.fft], framing, seed)


@pytest.mark.slow
@pytest.mark.parametrize("fft", SIZES)
@pytest.mark.parametrize("place", ["cortex-m4 -Os", "cortex-m55 -O0", "cortex-m4-clang -Os", "cortex-m55-clang -Os"])
def test_every_core_equals_the_reference(place: str, fft: int, tmp_path: Path) -> None:
    """The transforms in assembly and vectors, with other options than those of the images that are validated."""
    name, *options = place.split()
    (board,) = select([name])
    kernel = EmulatedFunctions(SHIM, SERVE, board, [*options, points(fft), f"-I{FOLDER}"], tmp_path)
    try:
        for framing in (Framing(32, fft, fft - 16, 96), Framing(48, fft, 96, 96), Framing(fft // 2, fft, fft, fft)):
            assert_equal(kernel, framing, seed=fft)
    finally:
        kernel.close()


@given(framing=framings(), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=12, deadline=None)
def test_the_reference_equals_the_literal_specification(framing: Framing, seed: int) -> None:
    hops = loud(framing, framing.overlaps + 1, seed)[-5:]
    mask = np.random.default_rng(seed).integers(0, 32768, (len(hops), framing.bins))
    re, im = frontend.analysis(hops, framing)
    output, literal = frontend.synthesis((re, im), mask, framing), Literal(framing)
    for n, hop in enumerate(hops.tolist()):
        x = literal.analyse(hop)
        assert x == list(zip(re[n].tolist(), im[n].tolist(), strict=True))
        assert literal.synthesise(x, mask[n].tolist()) == output[n].tolist()


@given(framing=framings())
@settings(max_examples=20, deadline=None)
def test_speech_comes_back_at_80_db(framing: Framing) -> None:
    pcm = SPEECH[: len(SPEECH) // framing.hop * framing.hop]
    spectrum = frontend.analysis(pcm.reshape(-1, framing.hop), framing)
    rebuilt = frontend.synthesis(spectrum, np.full_like(spectrum[0], 32767), framing).reshape(-1)
    late = pcm[: -framing.delay].astype(np.float64)
    assert np.square(rebuilt[framing.delay :] - late).sum() <= 10**-8 * np.square(late).sum()


@given(framing=framings(), error=st.sampled_from([-1, 1]), data=st.data())
@settings(max_examples=10, deadline=None)
def test_an_error_of_one_unit_in_a_window_shows(framing: Framing, error: int, data: st.DataObject) -> None:
    """In frames of noise, as those are that prove the constants (firmware/constants)."""
    hops = loud(framing, 400 * framing.overlaps, 1)
    right = frontend.analysis(hops, framing)
    mask = np.random.default_rng(2).integers(0, 32768, right[0].shape)
    for name in ("window", "fading"):
        table = getattr(frontend, name)(framing).astype(np.int64)
        table[data.draw(st.integers(0, len(table) - 1))] += error
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(frontend, name, lambda _, table=table: table)
            spectrum = frontend.analysis(hops, framing)
            shown = any(not np.array_equal(a, b) for a, b in zip(right, spectrum, strict=True))
            if name == "fading":
                heard = frontend.synthesis(right, mask, framing)
        if name == "fading":
            shown = not np.array_equal(heard, frontend.synthesis(right, mask, framing))
        assert shown


@pytest.mark.parametrize("fft", [128, 256, 512, 1024])
def test_features_have_127_thresholds_from_the_finest_to_the_coarsest_scale(fft: int) -> None:
    for scale in (frontend.finest(fft), 5.5 * frontend.finest(fft)):
        thresholds = frontend.feature_thresholds(scale, fft)
        assert np.all(np.diff(thresholds.astype(np.int64)) > 0)
        # The threshold to x + 1 is the least power of X whose magnitude, in samples of full scale 1, rounds to it.
        magnitude = np.sqrt(thresholds[60].astype(np.float64)) * fft / 2**30
        assert magnitude**0.3 / scale == pytest.approx(60.5, rel=1e-6)
