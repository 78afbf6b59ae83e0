# SPDX-License-Identifier: Apache-2.0
"""Silence in gives silence out, exactly, from the shipped checkpoints: by the reference and by the C library."""

from __future__ import annotations

import numpy as np
import pytest
from shipped import SHIPPED, shipped_bundle
from signals import HOP, extreme, speech_like

from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers import reference
from dyncp.export.integers.run import Run
from dyncp.firmware.host.library import host_library
from dyncp.firmware.proof.soak import memory

SPEECH = 120
# The last hop that was not silent lies in two frames, and the second one's overlap in the hop after it.
TAIL = 2


@pytest.fixture(scope="module", params=SHIPPED)
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return shipped_bundle(request.param, tmp_path_factory.mktemp("bundle") / "b")


def engines(bundle: Bundle, pcm: np.ndarray[tuple[int], np.dtype[np.int16]]) -> list[Run]:
    with host_library(bundle) as library:
        return [reference.run(bundle, pcm), library.run(pcm)]


@pytest.mark.slow
def test_silence_gives_silence(bundle: Bundle) -> None:
    for run in engines(bundle, extreme("silence", 500)):
        assert not run.output.any()
        assert (run.masks == run.masks[memory(bundle.config) :][:1])[memory(bundle.config) :].all()


@pytest.mark.slow
def test_speech_ends_in_silence(bundle: Bundle) -> None:
    silence = memory(bundle.config) + 50
    pcm = np.concatenate([speech_like(SPEECH), extreme("silence", silence)])
    alone = engines(bundle, extreme("silence", silence))
    for run, quiet in zip(engines(bundle, pcm), alone, strict=True):
        output = run.output.reshape(-1, HOP)
        assert output[:SPEECH].any(axis=1).mean() > 0.5
        assert not output[SPEECH + TAIL :].any()
        # Nothing of the speech is left in what the gates decide, either.
        assert (run.masks[-1] == quiet.masks[-1]).all()
        assert (run.words[-1] == quiet.words[-1]).all()
