# SPDX-License-Identifier: Apache-2.0
"""Fig. 6: speaker verification from features averaged over an utterance's voiced frames.

Back end trained on the training stream's speakers; trials among the test stream's speakers only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dyncp.base.errors import ProbeError
from dyncp.base.figure_style import MUTED
from dyncp.base.tasks import VOICE_ACTIVITY
from dyncp.evaluation.paper.results import SpeakerData, SpeakerRow
from dyncp.evaluation.paper.utterances import Trials, Utterances, cut_utterances, make_trials
from dyncp.evaluation.paper.verification import Embeddings, equal_error_rate, fit_backend, unit_length
from dyncp.evaluation.plotting import plots
from dyncp.train.probes.data import ProbeData

ENROLMENTS = (1, 2, 3)
RAW, TRAINED = "cosine of raw means", "WCCN + LDA"
LABELS = {"masks": "masks", "scores": "raw gate scores", "spectrum": "noisy log spectrum"}
NO_TRIALS = "needs two test speakers, one of them with recordings enough to enrol and to test; add test speakers"


def utterances_of(data: ProbeData) -> Utterances:
    """The utterances of a stream; voiced frames are those of the true voice activity."""
    return cut_utterances(data.stream, data.labels[VOICE_ACTIVITY.name] == 1)


def describe(train: Utterances, test: Utterances) -> SpeakerData:
    return SpeakerData(
        train_speakers=len(np.unique(train.speakers)),
        train_utterances=len(train.frames),
        test_speakers=len(np.unique(test.speakers)),
        test_utterances=len(test.frames),
        enrollable=len(test.enrollable()),
    )


def speaker_rows(
    train: Utterances, test: Utterances, features: Iterable[tuple[str, NDArray[Any], NDArray[Any]]]
) -> list[SpeakerRow]:
    """Rows of each feature set's name, training values and test values [T, F], raw and with the trained back end."""
    trials = {enrolment: make_trials(test, enrolment) for enrolment in ENROLMENTS}
    rows = []
    for name, train_values, test_values in features:
        if not train.frames or not test.frames:
            rows += [_row(name, RAW, n, trials[n], None, "no stretch has 0.75 s of voice") for n in ENROLMENTS]
            continue
        raw_train, raw_test = train.embed(train_values), test.embed(test_values)
        rows += [_verify(name, RAW, n, trials[n], unit_length(raw_test - raw_train.mean(axis=0))) for n in ENROLMENTS]
        try:
            embedded = fit_backend(raw_train, train.speakers).embed(raw_test)
        except ProbeError as error:
            rows += [_row(name, TRAINED, n, trials[n], None, str(error)) for n in ENROLMENTS]
            continue
        rows += [_verify(name, TRAINED, n, trials[n], embedded) for n in ENROLMENTS]
    return rows


def cosine_scores(embedded: Embeddings, trials: Trials) -> NDArray[np.float64]:
    """Cosine of the mean of the enrolled with the tested, [m]; embedded [n, D] has rows of length one."""
    enrolled = unit_length(embedded[trials.enrolled].mean(axis=1))
    return np.asarray((enrolled * embedded[trials.tested]).sum(axis=1))


def _verify(name: str, backend: Any, enrolment: int, trials: Trials, embedded: Embeddings) -> SpeakerRow:
    if not len(trials.tested):
        return _row(name, backend, enrolment, trials, None, NO_TRIALS)
    row = _row(name, backend, enrolment, trials, equal_error_rate(cosine_scores(embedded, trials), trials.targets))
    return row.model_copy(update={"dimensions": embedded.shape[1]})


def _row(name: str, backend: Any, enrolment: int, trials: Trials, eer: float | None, reason: str = "") -> SpeakerRow:
    targets = int(trials.targets.sum())
    return SpeakerRow(
        features=name,
        backend=backend,
        enrolment=enrolment,
        dimensions=0,
        targets=targets,
        impostors=len(trials.targets) - targets,
        eer=eer,
        reason=reason,
    )


def draw_speakers(rows: Sequence[SpeakerRow], folder: Path) -> None:
    """Equal error rate over the number of enrolment utterances: speakers.png and .svg; neither without any rate."""
    if all(row.eer is None for row in rows):
        plots.left_out(folder, "speakers")
        return
    with plots.drawn(folder, "speakers", 6.4, 3.6) as figure:
        axes = figure.subplots()
        for index, (name, label) in enumerate(LABELS.items()):
            for backend, line in ((TRAINED, "-"), (RAW, ":")):
                found = [row for row in rows if row.features == name and row.backend == backend and row.eer is not None]
                rates = [100 * row.eer for row in found if row.eer is not None]
                style: dict[str, Any] = {"color": plots.colour(index), "linestyle": line, "marker": "os^"[index]}
                axes.plot([row.enrolment for row in found], rates, label=f"{label}, {backend}", **style)
        axes.axhline(50, color=MUTED, linestyle="--", linewidth=0.9)
        axes.text(1.5, 50.5, "chance", ha="center", va="bottom", color=MUTED)
        axes.set(xticks=ENROLMENTS, ylim=(0, 60), xlabel="enrolment utterances", ylabel="equal error rate (%)")
        axes.grid(axis="y")
        figure.legend(loc="outside right center")
