# SPDX-License-Identifier: Apache-2.0
"""Level and hangover of decisions, of two and of classes, in the struct that a product reads."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from bundles import random_bundle
from libraries import SMALL, difficult_audio, library, program
from numpy.typing import NDArray

from dyncp.base.tasks import Period
from dyncp.codegen.generate import generate
from dyncp.export.formats.bundle import Bundle, write_bundle
from dyncp.export.integers import reference
from dyncp.export.integers.controls import Decision, choose, decide
from dyncp.export.integers.signals import read_out

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
DEFAULT = Decision()


def by_hand(scores: list[int], settings: list[Decision]) -> tuple[list[bool], list[bool]]:
    above = [score > now.level for score, now in zip(scores, settings, strict=True)]
    return above, [any(above[max(0, n - now.hangover) : n + 1]) for n, now in enumerate(settings)]


def test_the_decision_holds_for_the_hangover() -> None:
    scores = [-1, 5, 0, -3, -9, -9, 7, 1, -2, -2, -2]
    _, decided = decide(np.array(scores), [Decision(level=1, hangover=2)] * 11)
    assert decided.astype(int).tolist() == [0, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0]


def test_every_level_is_that_of_its_frame() -> None:
    random = np.random.default_rng(0)
    scores = random.integers(-5, 6, 300)
    settings = [Decision(int(a), int(b)) for a, b in random.integers(0, 4, (300, 2))]
    above, decided = decide(scores, settings)
    assert (above.tolist(), decided.tolist()) == by_hand(scores.tolist(), settings)


def test_a_class_follows_once_it_leads_by_the_level_for_longer_than_the_hangover() -> None:
    first, second, third = [9, 5, 0], [5, 9, 0], [0, 0, 9]
    scores = np.array([first, second, second, first, second, second, second, third, third, third])
    assert choose(scores, [Decision(level=4, hangover=2)] * 10).tolist() == [0, 0, 0, 0, 0, 0, 1, 1, 1, 2]
    # A lead of 5 is none of 4: the third class alone has it.
    assert choose(scores, [Decision(level=5)] * 10).tolist() == [0, 0, 0, 0, 0, 0, 0, 2, 2, 2]


def test_by_default_the_class_is_the_first_largest() -> None:
    scores = np.random.default_rng(0).integers(-2, 3, (500, 4))
    np.testing.assert_array_equal(choose(scores, [DEFAULT] * 500), scores.argmax(axis=1))
    bundle = random_bundle(SMALL, 0)
    words = reference.run(bundle, difficult_audio()).signals
    for signal, columns in zip(read_out(bundle, words), bundle.probes.columns if bundle.probes else (), strict=True):
        scores, settings = words[:, columns], [DEFAULT] * len(words)
        if signal.task.kind == "binary":
            np.testing.assert_array_equal(signal.decisions, decide(scores[:, 0], settings)[1])
        elif signal.task.kind == "multiclass":
            np.testing.assert_array_equal(signal.decisions, choose(scores, settings))


@pytest.mark.parametrize("period", [2, 4])
def test_a_task_that_not_every_frame_decides_counts_frames_all_the_same(period: int) -> None:
    """As if the frames between were not: a hangover then ends at the next frame that decides."""
    random = np.random.default_rng(period)
    scores, settings = random.integers(-5, 6, (301, 3)), [Decision(1, 5)] * 301
    above, decided = decide(scores[:, 0], settings, period)
    told, read = choose(scores, settings, period), np.arange(301) // period
    fewer = [Decision(1, 5 // period)] * len(scores[::period])
    np.testing.assert_array_equal(above, (scores[::period, 0] > 1)[read])
    np.testing.assert_array_equal(decided, decide(scores[::period, 0], fewer)[1][read])
    np.testing.assert_array_equal(told, choose(scores[::period], fewer)[read])


def undecided(tmp_path: Path, audio: NDArray[np.int16], periods: tuple[Period, Period, Period]) -> tuple[Bundle, Path]:
    """A bundle whose classes have equal scores in the mean, so that each is told now and then, and its library."""
    bundle = random_bundle(SMALL, 2, periods=periods)
    assert bundle.probes is not None
    bundle.probes.bias[1:4] -= reference.run(bundle, audio).signals[:, 1:4].mean(axis=0).astype(np.int32)
    write_bundle(bundle, tmp_path / "bundle")
    return bundle, generate(bundle, tmp_path / "library")


@pytest.mark.parametrize("periods", [(1, 1, 1), (2, 4, 1)])
@pytest.mark.parametrize(("share", "hangover", "stay"), [(0.0, 0, 0), (0.5, 0, 1), (0.8, 3, 4), (0.95, 9999, 9999)])
def test_c_decides_as_the_reference(
    tmp_path: Path, share: float, hangover: int, stay: int, periods: tuple[Period, Period, Period]
) -> None:
    """At levels that such a share of the frames does not exceed, and leads that such a share of them does not have."""
    audio = difficult_audio()
    bundle, folder = undecided(tmp_path, audio, periods)
    run = reference.run(bundle, audio)
    vad, noise = run.signals[:, 0], run.signals[:, 1:4]
    level = int(np.quantile(vad[10:60], share))
    lead = int(np.quantile(np.ptp(noise[10:60], axis=1), share / 2))
    built = program(tmp_path / "decisions", [HERE / "decisions.c", folder / "dyncp.c"], include=[folder])
    arguments = map(str, (level, hangover, lead, stay))
    done = subprocess.run([built, *arguments], input=audio.tobytes(), capture_output=True, check=True)
    printed = np.array([line.split() for line in done.stdout.splitlines()], np.int64)
    frames = np.arange(run.frames)
    above, decided = decide(vad, [Decision(level, hangover) if 10 <= n < 60 else DEFAULT for n in frames], periods[0])
    chosen = choose(noise, [Decision(lead, stay) if 10 <= n < 60 else DEFAULT for n in frames], periods[1])
    valid = above & (frames >= bundle.config.warm_up - 1)
    expected = np.stack([decided, valid, chosen], axis=1).astype(np.int64)
    expected[frames % 3 == 1] = -1
    np.testing.assert_array_equal(printed, expected)
    assert 0 < above[10:60].sum() < 50
    if stay:
        assert np.any(chosen != noise.argmax(axis=1))


def test_what_a_decision_does_not_take(tmp_path: Path) -> None:
    """A negative level of classes, a hangover without end, a decision that does not exist; nothing changes then."""
    _, folder = library(tmp_path)
    source = tmp_path / "takes.c"
    source.write_text(
        '#include "check.h"\n'
        '#include "dyncp.h"\n'
        "static dyncp_state state;\n"
        "static dyncp_status set(uint32_t decision, int32_t level, uint32_t hangover) {\n"
        "    return dyncp_set_decision(&state, decision, level, hangover);\n"
        "}\n"
        "int main(void) {\n"
        "    dyncp_settings now;\n"
        "    CHECK(set(DYNCP_DECISION_VAD, 1, 1) == DYNCP_ERROR_UNINITIALIZED);\n"
        "    dyncp_init(&state);\n"
        "    CHECK(set(DYNCP_DECISION_VAD, -7, 9999) == DYNCP_OK);\n"
        "    CHECK(set(DYNCP_DECISION_NOISE, 3, 4) == DYNCP_OK);\n"
        "    CHECK(set(DYNCP_DECISION_NOISE, -1, 0) == DYNCP_ERROR_SETTING);\n"
        "    CHECK(set(DYNCP_DECISION_NOISE, 0, 10000) == DYNCP_ERROR_SETTING);\n"
        "    CHECK(set(DYNCP_DECISIONS, 0, 0) == DYNCP_ERROR_SETTING && DYNCP_DECISIONS == 2);\n"
        "    CHECK(dyncp_set_decision(NULL, 0, 0, 0) == DYNCP_ERROR_NULL);\n"
        "    CHECK(dyncp_get_settings(&state, &now) == DYNCP_OK);\n"
        "    CHECK(now.decisions[DYNCP_DECISION_VAD].level == -7);\n"
        "    CHECK(now.decisions[DYNCP_DECISION_VAD].hangover == 9999);\n"
        "    CHECK(now.decisions[DYNCP_DECISION_NOISE].level == 3);\n"
        "    CHECK(now.decisions[DYNCP_DECISION_NOISE].hangover == 4);\n"
        "    return failures != 0;\n"
        "}\n"
    )
    built = program(tmp_path / "takes", [source, folder / "dyncp.c"], include=[folder, HERE.parent / "support"])
    done = subprocess.run([built], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)


def test_a_library_without_the_task_refuses(tmp_path: Path) -> None:
    _, folder = library(tmp_path, probes=None)
    assert "#define DYNCP_HAS_VAD 0" in (folder / "dyncp_signals.h").read_text()
    source = tmp_path / "refuses.c"
    source.write_text(
        '#include "dyncp.h"\n'
        "static dyncp_state state;\n"
        "int main(void) {\n"
        "    dyncp_settings now = {1, 1, 1, 1, 1, 1, 1, {{1, 1}}};\n"
        "    dyncp_init(&state);\n"
        "    return !(dyncp_set_vad(&state, 1, 1) == DYNCP_ERROR_SETTING &&\n"
        "             dyncp_set_vad(0, 1, 1) == DYNCP_ERROR_NULL &&\n"
        "             dyncp_get_settings(&state, &now) == DYNCP_OK && now.decisions[0].level == 0 &&\n"
        "             now.decisions[0].hangover == 0 && DYNCP_DECISIONS == 0);\n"
        "}\n"
    )
    subprocess.run([program(tmp_path / "refuses", [source, folder / "dyncp.c"], include=[folder])], check=True)
