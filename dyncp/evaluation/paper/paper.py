# SPDX-License-Identifier: Apache-2.0
"""All experiments of arXiv 2602.10666, one after the other, into one folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dyncp.base.config.framing import SAMPLE_RATE
from dyncp.evaluation.paper import coefficients, cost, embedding, example, speakers, tasks_by_features
from dyncp.evaluation.paper.results import Paper, SplitData, TaskRow, write_results
from dyncp.evaluation.paper.tables import write_markdown
from dyncp.evaluation.paper.tasks_by_features import FLOAT_MASKS, LABELS, Compared, Fitted, flat_masks
from dyncp.evaluation.plotting import plots
from dyncp.train.probes.data import ProbeData
from dyncp.train.probes.linear import informative

# What `run` announces one by one: the probes of each feature set, four more figures, and the writing.
STEPS = len(LABELS) + 5


def run(compared: Compared, network_hash: str, folder: Path, remarks: list[str], step: Callable[[str], None]) -> Paper:
    """Write paper.json, paper.md and the figures to `folder`, which exists; `step` is told what begins.

    `network_hash` names the integers that made the masks. `remarks` say what the data already lack.
    """
    train, test, config = compared.train, compared.test, compared.config
    bits = flat_masks(train.observation)
    varying = informative(bits)
    fitted, rows = _probes(compared, step)
    masks = fitted["masks"]
    tasks_by_features.draw_tasks_by_features(rows, train.tasks, folder)
    step("example")
    window = example.Window(test, masks.probes, varying, example.choose_window(test))
    example.draw_example(window, folder)
    step("t-SNE")
    embedded = None
    if varying.any():
        embedded, points, chosen = embedding.embed_masks(test, varying)
        embedding.draw_embedding(test, points, chosen, folder)
    else:
        plots.left_out(folder, "embedding")
        remarks = [*remarks, "t-SNE and coefficients: no mask ever changes; train the network longer or on other audio"]
    step("coefficients")
    spread = bits.std(axis=0)
    strongest = coefficients.strongest_channels(masks.probes, spread)
    weights = coefficients.coefficients(masks.probes, spread, strongest, varying, config.gated)
    coefficients.draw_coefficients(weights, folder)
    step("speaker verification")
    voices, unseen = speakers.utterances_of(train), speakers.utterances_of(test)
    verified = speakers.speaker_rows(voices, unseen, ((name, *compared.values(name)) for name in speakers.LABELS))
    speakers.draw_speakers(verified, folder)
    if all(row.eer is None for row in verified):
        reasons = "; ".join(sorted({row.reason for row in verified}))
        remarks = [*remarks, f"the figure of speaker verification: {reasons}"]
    step("writing")
    readers = {LABELS[name]: list(fitted[name].probes.values()) for name in ("masks", "top64") if fitted[name].probes}
    results = Paper(
        network_hash=network_hash,
        network=config,
        tasks=train.tasks,
        train=_split(train),
        test=_split(test),
        example=example.describe(window),
        tasks_by_features=rows,
        embedding=embedded,
        coefficients=weights,
        speaker_data=speakers.describe(voices, unseen),
        speakers=verified,
        cost=cost.cost_rows(test.observation.masks, readers, config),
        remarks=remarks,
    )
    write_results(results, folder / "paper.json")
    write_markdown(results, folder / "paper.md")
    return results


def _probes(compared: Compared, step: Callable[[str], None]) -> tuple[dict[str, Fitted], list[TaskRow]]:
    """Probes and rows of every feature set; without a float network, none of its masks."""
    fitted, rows = {}, []
    for name, label in LABELS.items():
        step(f"probes on {label}")
        if name == FLOAT_MASKS and compared.float_train is None:
            continue
        fitted[name] = compared.fit(name)
        rows += compared.score(name, fitted[name])
    return fitted, rows


def _split(data: ProbeData) -> SplitData:
    stream = data.stream
    return SplitData(
        minutes=len(stream.noisy) / SAMPLE_RATE / 60,
        speakers=len({segment.recording.group for segment in stream.speech}),
        utterances=len(stream.speech),
        noise_recordings=len({segment.recording.group for segment in stream.noises}),
        frames={task.name: int(data.used(task).sum()) for task in data.tasks},
    )
