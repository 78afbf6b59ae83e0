# SPDX-License-Identifier: Apache-2.0
"""Streams that share one scratch: each as if it were alone, and a further one costs its state without it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from libraries import SMALL, difficult_audio, program, written_bundle

from dyncp.codegen.generate import generate, read_library, renew_probes
from dyncp.export.integers import reference

pytestmark = pytest.mark.slow

SHAPES = {
    "output": SMALL,
    "hidden, held": SMALL.model_copy(update={"gate_site": "hidden", "pooling": "ema", "gate_period": 3}),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("selftest", [False, True], ids=["", "selftest"])
def test_interleaved_streams_each_equal_their_own_run(tmp_path: Path, shape: str, selftest: bool) -> None:
    bundle = written_bundle(tmp_path / "bundle", SHAPES[shape], seed=3)
    source = Path(__file__).parent / "streams.c"
    audio = difficult_audio()
    heard, sizes = {}, {}
    for shared in (False, True):
        folder = generate(bundle, tmp_path / str(shared), selftest=selftest, shared_scratch=shared)
        built = program(tmp_path / f"program-{shared}", [source, folder / "dyncp.c"], include=[folder])
        done = subprocess.run([built], input=audio.tobytes(), capture_output=True, check=True)
        sizes[shared] = np.frombuffer(done.stdout[:8], "<u4").tolist()
        heard[shared] = done.stdout[8:]
    assert heard[True] == heard[False]
    state, scratch = sizes[False]
    assert sizes[True] == [state - scratch, scratch]
    fields = [
        (f"{name}{stream}", kind, size)
        for stream in "01"
        for name, kind, size in (("out", "<i2", 256), ("masks", "<u4", bundle.config.mask_words))
    ]
    frames = np.frombuffer(heard[True], np.dtype(fields))
    for stream, pcm in (("0", audio), ("1", audio >> 1)):
        expected = reference.run(bundle, pcm)
        np.testing.assert_array_equal(frames[f"out{stream}"].ravel(), expected.output)
        np.testing.assert_array_equal(frames[f"masks{stream}"], expected.masks)


def test_the_manifest_tells_and_other_probes_keep_it(tmp_path: Path) -> None:
    bundle = written_bundle(tmp_path / "bundle")
    folder = generate(bundle, tmp_path / "library", shared_scratch=True)
    before = (folder / "dyncp.h").read_bytes()
    renew_probes(bundle, folder, signals=["vad"])
    assert read_library(folder).shared_scratch
    assert (folder / "dyncp.h").read_bytes() == before
