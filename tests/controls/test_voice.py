# SPDX-License-Identifier: Apache-2.0
"""Level and hangover of the decision of voice activity, in the struct that a product reads."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from libraries import difficult_audio, library, program

from dyncp.export.integers import reference
from dyncp.export.integers.controls import DEFAULT, Settings, voice

HERE = Path(__file__).parent


def by_hand(scores: list[int], settings: list[Settings]) -> tuple[list[bool], list[bool]]:
    above = [score > now.vad_level for score, now in zip(scores, settings, strict=True)]
    return above, [any(above[max(0, n - now.vad_hangover) : n + 1]) for n, now in enumerate(settings)]


def test_the_decision_holds_for_the_hangover() -> None:
    scores = [-1, 5, 0, -3, -9, -9, 7, 1, -2, -2, -2]
    _, decided = voice(np.array(scores), [Settings(vad_level=1, vad_hangover=2)] * 11)
    assert decided.astype(int).tolist() == [0, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0]


def test_every_level_is_that_of_its_frame() -> None:
    random = np.random.default_rng(0)
    scores = random.integers(-5, 6, 300)
    settings = [Settings(vad_level=int(a), vad_hangover=int(b)) for a, b in random.integers(0, 4, (300, 2))]
    above, decided = voice(scores, settings)
    assert (above.tolist(), decided.tolist()) == by_hand(scores.tolist(), settings)


@pytest.mark.parametrize(("share", "hangover"), [(0.0, 0), (0.5, 0), (0.8, 3), (0.95, 9999)])
def test_c_decides_as_the_reference(tmp_path: Path, share: float, hangover: int) -> None:
    """At levels that such a share of the frames does not exceed."""
    bundle, folder = library(tmp_path, seed=2)
    audio = difficult_audio()
    run = reference.run(bundle, audio)
    level = int(np.quantile(run.signals[10:60, 0], share))
    built = program(tmp_path / "voice", [HERE / "voice.c", folder / "dyncp.c"], include=[folder])
    done = subprocess.run([built, str(level), str(hangover)], input=audio.tobytes(), capture_output=True, check=True)
    printed = np.array([line.split() for line in done.stdout.splitlines()], np.int64)
    frames = np.arange(run.frames)
    settings = [Settings(vad_level=level, vad_hangover=hangover) if 10 <= n < 60 else DEFAULT for n in frames]
    above, decided = voice(run.signals[:, 0], settings)
    expected = np.stack([decided, above & (frames >= bundle.config.warm_up - 1)], axis=1).astype(np.int64)
    expected[frames % 3 == 1] = -1
    np.testing.assert_array_equal(printed, expected)
    assert 0 < above[10:60].sum() < 50


def test_a_library_without_the_task_refuses(tmp_path: Path) -> None:
    _, folder = library(tmp_path, probes=None)
    assert "#define DYNCP_HAS_VAD 0" in (folder / "dyncp_signals.h").read_text()
    source = tmp_path / "refuses.c"
    source.write_text(
        '#include "dyncp.h"\n'
        "static dyncp_state state;\n"
        "int main(void) {\n"
        "    dyncp_settings now = {1, 1, 1, 1, 1, 1, 1, 1, 1};\n"
        "    dyncp_init(&state);\n"
        "    return !(dyncp_set_vad(&state, 1, 1) == DYNCP_ERROR_SETTING &&\n"
        "             dyncp_set_vad(0, 1, 1) == DYNCP_ERROR_NULL &&\n"
        "             dyncp_get_settings(&state, &now) == DYNCP_OK && now.vad_level == 0 && now.vad_hangover == 0);\n"
        "}\n"
    )
    subprocess.run([program(tmp_path / "refuses", [source, folder / "dyncp.c"], include=[folder])], check=True)
