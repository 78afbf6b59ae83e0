# SPDX-License-Identifier: Apache-2.0
"""The host library as a Python user sees it: streams, caching, and errors that say what to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from libraries import assert_same, difficult_audio, library, written_bundle
from signals import speech_like

from dyncp.base.errors import AudioError, GenerationError, ToolchainError
from dyncp.firmware.host.library import HostLibrary, build_host, host_library

HOP = 256


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> HostLibrary:
    folder = tmp_path_factory.mktemp("host")
    return HostLibrary(library(folder)[1], build_dir=folder)


def test_audio_in_pieces_gives_the_same(host: HostLibrary) -> None:
    audio = difficult_audio()
    stream = host.stream()
    pieces = [stream.process(piece) for piece in np.split(audio, [HOP, 4 * HOP, 5 * HOP])]
    np.testing.assert_array_equal(np.concatenate(pieces), host.run(audio).output)


def test_reset_in_mid_stream_equals_a_fresh_start(host: HostLibrary) -> None:
    audio = speech_like(20)
    stream = host.stream()
    stream.run(difficult_audio())
    stream.reset()
    assert_same(host.run(audio), stream.run(audio))


def test_interleaved_streams_are_independent(host: HostLibrary) -> None:
    first, second = speech_like(16, seed=1), speech_like(16, seed=2)
    streams = host.stream(), host.stream()
    blocks = zip(np.split(first, 16), np.split(second, 16), strict=True)
    outputs = [(streams[0].process(a), streams[1].process(b)) for a, b in blocks]
    np.testing.assert_array_equal(np.concatenate([a for a, _ in outputs]), host.run(first).output)
    np.testing.assert_array_equal(np.concatenate([b for _, b in outputs]), host.run(second).output)


def test_from_a_bundle_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: HostLibrary) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with host_library(written_bundle(tmp_path / "bundle")) as made:
        assert_same(host.run(speech_like(8)), made.run(speech_like(8)))
    assert made.path.parent == tmp_path / "cache" / "dyncp" / "host"


def test_a_build_is_made_once_and_anew_when_anything_changes(tmp_path: Path) -> None:
    _, folder = library(tmp_path)

    def build(flag: str = "-O0", trace: bool = False) -> Path:
        return build_host(folder, flags=(flag,), trace=trace, build_dir=tmp_path)

    built = build()
    stamp = built.stat().st_mtime_ns
    assert build() == built
    assert built.stat().st_mtime_ns == stamp
    assert build(flag="-O1") != built
    assert build(trace=True) != built
    with (folder / "dyncp_runtime.h").open("a") as header:
        header.write("/* changed */\n")
    assert build() != built


@pytest.mark.parametrize(
    "pcm",
    [np.zeros(0, np.int16), np.zeros(255, np.int16), np.zeros(256, np.float32), np.zeros((256, 2), np.int16)],
    ids=["empty", "part of a hop", "float", "stereo"],
)
def test_audio_that_is_not_whole_hops_of_int16_is_refused(
    host: HostLibrary, pcm: np.ndarray[tuple[int, ...], np.dtype[np.generic]]
) -> None:
    with pytest.raises(AudioError):
        host.run(pcm)  # type: ignore[arg-type]


def test_no_trace_from_a_library_without(host: HostLibrary) -> None:
    with pytest.raises(ValueError, match="trace=True"):
        host.run(speech_like(1), trace=True)


def test_a_missing_compiler_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, folder = library(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainError, match="clang: not found"):
        build_host(folder, compiler="clang", build_dir=tmp_path)


def test_a_compiler_that_fails_says_why(tmp_path: Path) -> None:
    _, folder = library(tmp_path)
    (folder / "dyncp_tables.h").write_text("")
    with pytest.raises(ToolchainError, match=r"dyncp_\w+.* undeclared"):
        build_host(folder, build_dir=tmp_path)
    assert not list(tmp_path.glob("*.so"))


def test_a_folder_that_holds_no_library_is_named(tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match=f"{tmp_path}.*dyncp generate"):
        HostLibrary(tmp_path)
