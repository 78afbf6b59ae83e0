# SPDX-License-Identifier: Apache-2.0
"""P_stream.h on the host: any block length, sample, rate and pair equals the reference, bit for bit."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles import random_bundle
from framings import EARS, framed
from libraries import SMALL, program
from networks import BANDS
from numpy.typing import NDArray
from signals import HOP, speech_like

from dyncp.base.config.network import NetworkConfig
from dyncp.codegen.generate import generate
from dyncp.export.formats.bundle import Bundle, write_bundle
from dyncp.export.integers import reference, streaming
from dyncp.firmware.building.image import APP

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
SUPPORT = HERE.parent / "support"
BLOCKS = (1, 64, 160, 480, 512, 1000)
BANDED = SMALL.model_copy(update={"bands": BANDS, "gate_site": "hidden", "pooling": "ema", "gate_period": 2})
KINDS: dict[int, Any] = {16: np.int16, 32: np.int32, 0: np.float32}

Built = tuple[Bundle, Path, Path]


def built(folder: Path, config: NetworkConfig, shared_scratch: bool = False) -> Built:
    """A bundle, its library with a stream, and a host program around firmware/app/stream.c."""
    bundle = random_bundle(config, seed=2)
    write_bundle(bundle, folder / "bundle")
    library = generate(bundle, folder / "library", stream=True, shared_scratch=shared_scratch)
    sources = [APP / "stream.c", library / "dyncp.c", library / "dyncp_stream.c"]
    flags = ("-O2", "-DSTREAM_ABOVE", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    return bundle, library, program(folder / "stream", sources, include=[HERE, APP, library], flags=flags)


@pytest.fixture(scope="module")
def bins(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return built(tmp_path_factory.mktemp("bins"), SMALL)


@pytest.fixture(scope="module")
def bands(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return built(tmp_path_factory.mktemp("bands"), BANDED)


def passed(folder: Path, binary: Path, samples: NDArray[np.generic], block: int, **how: bool) -> NDArray[np.generic]:
    """`samples`, [n] or [n, 2], through the program; `how`: pair, wide, even, above."""
    kind = next(kind for kind, dtype in KINDS.items() if samples.dtype == dtype)
    words = [block, kind, samples.ndim, *(how.get(name, False) for name in ("pair", "wide", "even", "above"))]
    (folder / "stream.cfg").write_bytes(np.array(words, "<u4").tobytes())
    (folder / "stream.in").write_bytes(samples.tobytes())
    subprocess.run([binary], cwd=folder, check=True, timeout=300)
    return np.frombuffer((folder / "stream.out").read_bytes(), samples.dtype).reshape(samples.shape)


def speech(seconds: float, rate: int = 16000, seed: int = 0) -> NDArray[np.int16]:
    """Of no whole number of hops; at 48 kHz with noise above 8 kHz."""
    count = int(seconds * rate)
    base = speech_like(count // HOP + 2, seed)[:count]
    if rate == 16000:
        return base
    hiss = np.random.default_rng(seed).normal(0, 800, count)
    return np.clip(np.repeat(speech_like(count // HOP, seed), 3)[:count] + hiss, -32768, 32767).astype(np.int16)


@pytest.mark.parametrize("even", [False, True])
@pytest.mark.parametrize("block", BLOCKS)
def test_any_block_length(tmp_path: Path, bins: Built, block: int, even: bool) -> None:
    bundle, _, binary = bins
    pcm = speech(0.3)
    expected = streaming.stream(bundle, pcm, even=even)
    np.testing.assert_array_equal(passed(tmp_path, binary, pcm, block, even=even), expected)
    # What the delay macros say: the core's own output, so much later.
    whole = reference.run(bundle, np.pad(pcm, (0, -len(pcm) % HOP))).output
    if not even:
        np.testing.assert_array_equal(expected[HOP:], whole[: len(pcm) - HOP])


@pytest.mark.parametrize("above", [False, True])
@pytest.mark.parametrize(("block", "even"), [(1, True), (64, False), (480, True), (1000, False)])
def test_48_khz(tmp_path: Path, bins: Built, block: int, even: bool, above: bool) -> None:
    bundle, _, binary = bins
    pcm = speech(0.2, 48000)
    expected = streaming.stream(bundle, pcm, wide=True, even=even, above=above)
    np.testing.assert_array_equal(passed(tmp_path, binary, pcm, block, wide=True, even=even, above=above), expected)
    assert np.any(expected)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("even", [False, True])
def test_a_pair_has_the_gains_of_its_mean(tmp_path: Path, bands: Built, wide: bool, even: bool) -> None:
    bundle, _, binary = bands
    rate = 48000 if wide else 16000
    pair = np.stack([speech(0.15, rate, 1), speech(0.15, rate, 2) // 2], axis=1)
    expected = streaming.stream(bundle, pair, wide=wide, even=even, above=wide)
    np.testing.assert_array_equal(
        passed(tmp_path, binary, pair, 160, pair=True, wide=wide, even=even, above=wide), expected
    )
    assert not np.array_equal(expected[:, 0], expected[:, 1])


def test_interleaved_channels_of_their_own(tmp_path: Path, bands: Built) -> None:
    bundle, _, binary = bands
    two = np.stack([speech(0.15, seed=3), speech(0.15, seed=4)], axis=1)
    expected = np.stack([streaming.stream(bundle, np.ascontiguousarray(channel)) for channel in two.T], axis=1)
    np.testing.assert_array_equal(passed(tmp_path, binary, two, 64), expected)


@pytest.mark.parametrize("network", ["bins", "bands"])
def test_streams_that_share_one_scratch(tmp_path: Path, network: str) -> None:
    """Two that are interleaved by blocks, a pair, 48 kHz and what is above: as with a scratch of their own."""
    bundle, library, binary = built(tmp_path / "built", BANDED if network == "bands" else SMALL, shared_scratch=True)
    two = np.stack([speech(0.15, seed=3), speech(0.15, seed=4)], axis=1)
    expected = np.stack([streaming.stream(bundle, np.ascontiguousarray(channel)) for channel in two.T], axis=1)
    np.testing.assert_array_equal(passed(tmp_path, binary, two, 100), expected)
    pair = np.stack([speech(0.15, 48000, 1), speech(0.15, 48000, 2) // 2], axis=1)
    expected = streaming.stream(bundle, pair, wide=True, above=True)
    np.testing.assert_array_equal(passed(tmp_path, binary, pair, 480, pair=True, wide=True, above=True), expected)
    # No work can be spread over calls: that is refused.
    with pytest.raises(subprocess.CalledProcessError):
        passed(tmp_path, binary, two[:, 0].copy(), 64, even=True)
    text = (library / "dyncp_stream.h").read_text()
    assert "EVEN" not in text


def test_int32_is_left_justified_and_rounded(tmp_path: Path, bins: Built) -> None:
    bundle, _, binary = bins
    edges = np.array([0x7FFFFFFF, -(2**31), 0x7FFF8000, 0x8000, 0x7FFF, -0x8000, -0x8001, 0], np.int32)
    fine = np.random.default_rng(0).integers(-(2**31), 2**31, 3000).astype(np.int32)
    samples = np.concatenate([edges, fine])
    rounded = np.clip(np.floor(samples / 65536.0 + 0.5), -32768, 32767).astype(np.int16)
    np.testing.assert_array_equal(streaming.from_int32(samples), rounded)
    expected = streaming.stream(bundle, rounded).astype(np.int32) * 65536
    np.testing.assert_array_equal(passed(tmp_path, binary, samples, 160), expected)


def test_float_is_rounded_and_bounded(tmp_path: Path, bins: Built) -> None:
    bundle, _, binary = bins
    edges = np.array([1, -1, 2, -2, np.inf, -np.inf, np.nan, 0.5 / 32768, -0.5 / 32768, 32767 / 32768], np.float32)
    fine = np.random.default_rng(0).normal(0, 0.3, 3000).astype(np.float32)
    samples = np.concatenate([edges, fine])
    rounded = streaming.from_float(samples)
    assert rounded[:10].tolist() == [32767, -32768, 32767, -32768, 32767, -32768, 0, 1, -1, 32767]
    expected = streaming.stream(bundle, rounded).astype(np.float32) / 32768
    np.testing.assert_array_equal(passed(tmp_path, binary, samples, 480), expected)


def test_what_lies_above_passes_as_it_was(tmp_path: Path, bins: Built) -> None:
    """A tone of 12 kHz: late by the macro's delay and no weaker, or gone."""
    bundle, library, _ = bins
    tone = np.round(6000 * np.sin(2 * np.pi * 12000 / 48000 * np.arange(9000) + 1)).astype(np.int16)
    [delay] = [
        int(line.split()[2]) for line in (library / "dyncp_stream.h").read_text().splitlines() if "_48K " in line
    ]
    kept = streaming.stream(bundle, tone, wide=True, above=True).astype(np.int64)
    # Once the start of the tone, which is of all frequencies, has died away in the network as well.
    assert np.abs(kept[delay + 3000 :] - tone[3000:-delay]).max() <= 2
    gone = streaming.stream(bundle, tone, wide=True)[delay + 3000 :]
    assert np.abs(gone).max() <= 2


def test_options_that_do_not_fit_are_refused(tmp_path: Path, bins: Built) -> None:
    _, library, _ = bins
    flags = ("-O1",)
    sources = [HERE / "refused.c", library / "dyncp.c", library / "dyncp_stream.c"]
    done = subprocess.run(
        [program(tmp_path / "refused", sources, include=[library, SUPPORT], flags=flags)],
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.returncode) == ("", 0)


@pytest.mark.parametrize(
    "how",
    [{}, {"even": True}, {"pair": True, "even": True}, {"wide": True, "above": True, "even": True}],
    ids=lambda how: "-".join(how) or "plain",
)
def test_other_frames_stream_as_the_reference(
    how: dict[str, bool], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    bundle, _, binary = built(tmp_path_factory.mktemp("ears"), framed(SMALL, EARS))
    rate = 48000 if how.get("wide") else 16000
    pcm = speech(0.3, rate)
    pcm = np.stack([pcm, speech(0.3, rate, seed=1)], axis=1) if how.get("pair") else pcm
    reference_how = {name: value for name, value in how.items() if name != "pair"}
    expected = streaming.stream(bundle, pcm, **reference_how)
    np.testing.assert_array_equal(passed(tmp_path, binary, pcm, 100, **how), expected)
