# SPDX-License-Identifier: Apache-2.0
"""The masks against what people use today, on the same audio and labels: voice activity, pitch, SNR.

Thresholds and straight lines that a rival needs are fitted on the training stream, as our probes are; a rival's own
default is a row beside it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.reading import StrictModel
from dyncp.base.scores import Score, score
from dyncp.base.tasks import Task
from dyncp.evaluation.context.temporal import flips
from dyncp.evaluation.rivals import costs as rival_costs
from dyncp.evaluation.rivals import snr as rival_snr
from dyncp.evaluation.rivals import voice_activity as rival_vad
from dyncp.train.probes.data import ProbeData
from dyncp.train.probes.linear import fit
from dyncp.train.targets.pitch import pitch_hz

Words = NDArray[np.float64]

# Gross pitch error: off by more than this share of the truth.
GROSS = 0.2
# Delays at which a detector's answers are compared with the labels, to find how late it speaks: up to 0.32 s.
DELAYS = range(21)
MASKS_SOURCE = "mean flipped mask bits × outputs; the enhancer runs anyway"


class Cost(StrictModel):
    """Operations per frame of 16 ms; None where they were not counted."""

    operations: float | None
    source: str


class RivalRow(StrictModel):
    """One detector or estimator on the test stream. `delay_frames`: how late its answers fit the labels best."""

    task: str
    name: str
    score: Score
    cost: Cost
    delay_frames: int | None = None


class PitchRow(StrictModel):
    """Pitch on frames that are truly voiced. Errors in Hz where the method says voiced; shares lie in [0, 1]."""

    name: str
    score: Score
    missed: float
    """Truly voiced frames where it gives no pitch."""
    gross: float
    """Of the frames where both are voiced: off by more than 20 %."""
    false_voiced: float | None
    """Truly unvoiced frames where it gives a pitch; None where the method does not decide voicing."""
    cost: Cost


class Rivals(StrictModel):
    """All tables of the comparison."""

    detectors: list[RivalRow]
    pitch: list[PitchRow]
    snr: list[RivalRow]


def rival_rows(train: ProbeData, test: ProbeData) -> Rivals:
    """All rows for those of vad, f0 and snr_in that `train.tasks` holds.

    Raises ModuleNotFoundError naming a package of the extra `benchmark` where one is missing.
    """
    tasks = {task.name: task for task in train.tasks}
    return Rivals(
        detectors=detector_rows(train, test, tasks["vad"]) if "vad" in tasks else [],
        pitch=pitch_rows(train, test, tasks["f0"]) if "f0" in tasks else [],
        snr=snr_rows(train, test, tasks["snr_in"]) if "snr_in" in tasks else [],
    )


def masks_words(train: ProbeData, test: ProbeData, task: Task) -> tuple[Words, Words, Cost]:
    """Our plain probe: words [T, O] on the fitting and on the test stream, and what they cost."""
    fitting, unseen = (data.observation.masks.reshape(data.observation.frames, -1) for data in (train, test))
    probe = fit(fitting, train.labels[task.name], train.used(task), task)
    operations = flips(unseen[:, probe.kept]) * task.outputs
    return probe.words(fitting), probe.words(unseen), Cost(operations=operations, source=MASKS_SOURCE)


def detector_rows(train: ProbeData, test: ProbeData, task: Task) -> list[RivalRow]:
    """Voice activity: ours and Silero VAD with their own threshold and a fitted one, WebRTC's modes, a level."""
    seen, unseen, cost = masks_words(train, test, task)
    audio = train.stream.noisy, test.stream.noisy
    silero_cost = Cost(operations=rival_costs.silero_macs(), source="multiply–accumulates of its ONNX graph")
    energy_cost = Cost(operations=rival_costs.ENERGY, source=rival_costs.ENERGY_SOURCE)
    levels = rival_vad.above_floor_db(audio[0]), rival_vad.above_floor_db(audio[1])
    detectors: list[tuple[str, float | None, tuple[Words, Words], Cost]] = [
        ("masks (ours)", 0.0, (seen[:, 0], unseen[:, 0]), cost),
        ("Silero VAD", 0.5, (rival_vad.silero(audio[0]), rival_vad.silero(audio[1])), silero_cost),
        ("level above noise floor", None, levels, energy_cost),
    ]
    rows = []
    used = train.used(task)
    for name, threshold, (fitting, values), operations in detectors:
        if threshold is not None:
            rows.append(_detector_row(name, values - threshold, test, task, operations))
        best = rival_vad.best_threshold(fitting[used], train.labels[task.name][used] == 1)
        rows.append(_detector_row(f"{name}, threshold fitted", values - best, test, task, operations))
    return rows + _webrtc_rows(test, task)


def _webrtc_rows(test: ProbeData, task: Task) -> list[RivalRow]:
    """The modes give decisions only; their count is a score of five steps, which has a ROC."""
    operations = rival_costs.webrtc_multiplications()
    cost = Cost(operations=operations, source=rival_costs.WEBRTC_SOURCE)
    decisions = [rival_vad.webrtc(test.stream.noisy, mode) for mode in rival_vad.WEBRTC_MODES]
    rows = []
    for mode, words in zip(rival_vad.WEBRTC_MODES, decisions, strict=True):
        row = _detector_row(f"webrtcvad, mode {mode}", words, test, task, cost)
        rows.append(row.model_copy(update={"score": row.score.model_copy(update={"auc": None})}))
    votes = np.sum(decisions, axis=0)
    all_modes = Cost(operations=len(decisions) * operations, source=rival_costs.WEBRTC_SOURCE)
    return [*rows, _detector_row("webrtcvad, count of its modes", votes, test, task, all_modes)]


def _detector_row(name: str, words: Words, test: ProbeData, task: Task, cost: Cost) -> RivalRow:
    labels, used = test.labels[task.name], test.used(task)
    result = score(words[:, None], labels, used, task)
    return RivalRow(
        task=task.name, name=name, score=result, cost=cost, delay_frames=best_delay(words, labels == 1, used)
    )


def best_delay(words: Words, truth: NDArray[np.bool_], used: NDArray[np.bool_]) -> int:
    """The delay, in frames, at which words [T] have the largest ROC-AUC for truth [T] on used frames [T]."""
    from sklearn.metrics import roc_auc_score

    def auc(delay: int) -> float:
        end = len(words) - delay
        frames = used[:end]
        return float(roc_auc_score(truth[:end][frames], words[delay:][frames]))

    return max(DELAYS, key=auc)


def pitch_rows(train: ProbeData, test: ProbeData, task: Task) -> list[PitchRow]:
    """F0: ours, and DIO with StoneMask on the noisy signal."""
    _, words, cost = masks_words(train, test, task)
    rival = pitch_hz(test.stream.noisy / 32768).astype(np.float64)
    unvoiced = np.isnan(test.labels[task.name])
    rival_cost = Cost(operations=None, source="transforms of the whole recording: not causal, not counted")
    return [
        pitch_row("masks (ours)", words[:, 0], test, task, cost),
        pitch_row("DIO + StoneMask on noisy", rival, test, task, rival_cost).model_copy(
            update={"false_voiced": float(np.isfinite(rival[unvoiced]).mean())}
        ),
    ]


def pitch_row(name: str, f0: Words, test: ProbeData, task: Task, cost: Cost) -> PitchRow:
    """f0 in Hz, NaN where the method says unvoiced, [T]."""
    labels, used = test.labels[task.name], test.used(task)
    both = used & np.isfinite(f0)
    off = np.abs(f0[both] / labels[both] - 1) > GROSS
    return PitchRow(
        name=name,
        score=score(np.nan_to_num(f0).reshape(-1, 1), labels, both, task),
        missed=float(1 - both.sum() / used.sum()),
        gross=float(off.mean()),
        false_voiced=None,
        cost=cost,
    )


def snr_rows(train: ProbeData, test: ProbeData, task: Task) -> list[RivalRow]:
    """Input SNR: ours, two noise trackers, and the suppression mask, each as it is and on a straight line."""

    def suppression(data: ProbeData) -> Words:
        return rival_snr.suppression_db(data.observation.suppression, data.observation.log_magnitude)

    estimators: list[tuple[str, Callable[[ProbeData], Words], Cost]] = [
        (
            "minimum statistics (SciPy)",
            lambda data: rival_snr.minimum_statistics_db(data.observation.log_magnitude),
            Cost(operations=rival_costs.FLOOR, source=rival_costs.FLOOR_SOURCE),
        ),
        (
            "noise floor of pyroomacoustics",
            lambda data: rival_snr.spectral_floor_db(data.observation.log_magnitude),
            Cost(operations=rival_costs.FLOOR, source=rival_costs.FLOOR_SOURCE),
        ),
        (
            "energy ratio of the suppression mask",
            suppression,
            Cost(operations=rival_costs.SUPPRESSION, source=rival_costs.SUPPRESSION_SOURCE),
        ),
    ]
    labels, used = test.labels[task.name], test.used(task)
    _, words, cost = masks_words(train, test, task)
    rows = [RivalRow(task=task.name, name="masks (ours)", score=score(words, labels, used, task), cost=cost)]
    for name, estimate, estimate_cost in estimators:
        seen, unseen = estimate(train), estimate(test)
        slope, offset = np.polyfit(seen[train.used(task)], train.labels[task.name][train.used(task)], 1)
        for suffix, values in (("", unseen), (", on a fitted line", slope * unseen + offset)):
            result = score(values.reshape(-1, 1), labels, used, task)
            rows.append(RivalRow(task=task.name, name=name + suffix, score=result, cost=estimate_cost))
    return rows
