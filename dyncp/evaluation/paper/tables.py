# SPDX-License-Identifier: Apache-2.0
"""The tables of `paper.md`, made from the results alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dyncp.base.files import replace_file
from dyncp.base.tasks import Task
from dyncp.evaluation.paper import speakers, tasks_by_features
from dyncp.evaluation.paper.results import Embedding, Paper, SplitData, TaskRow
from dyncp.evaluation.plotting import plots
from dyncp.evaluation.plotting.sheet import Sheet, number, with_notes

CLASS_METRICS = ("accuracy", "balanced_accuracy", "f1", "auc", "majority")
QUANTITY_METRICS = ("r2", "mae", "rmse", "mae_iqr", "rmse_iqr")
# Of each figure: what it is, and what to see in it.
FIGURES = {
    "example": (
        "Example (Fig. 2)",
        "Black masks are on; truth above or dark, estimate below or orange. Masks change where speech begins and ends "
        "and where the noise does, and the estimates with them.",
    ),
    "tasks_by_features": (
        "All tasks by features (Fig. 3)",
        "Blue bars are read from bits, grey ones from numbers: where blue is as long as grey, the bits keep what the "
        "numbers knew. A bar that ends at the dashed line is no better than chance; // marks one that is cut off.",
    ),
    "embedding": (
        "t-SNE of the binary masks of single frames (Fig. 4)",
        "Points of one colour that lie together are frames whose masks alike tell the class; grey: the task does not "
        "apply.",
    ),
    "coefficients": (
        "Normalised coefficients of the strongest channels (Fig. 5)",
        "A row with few strong colours is read from few channels; blocks with many are where a signal shows. Rows of "
        "classes without any frame in the fitting stream are marked.",
    ),
    "speakers": (
        "Speaker verification (Fig. 6)",
        "The lower, the better; at the dashed line nothing of the voice is left.",
    ),
}


def write_markdown(results: Paper, path: Path) -> None:
    """Tables, each followed by its figure where it was drawn beside `path`."""
    parts: list[Sheet | str] = [
        f"# The paper's experiments\n\nNetwork `{results.network_hash[:12]}`; machine-readable: `paper.json`.\n",
        streams_sheet(results),
        "example",
        compact_sheet(results),
        "tasks_by_features",
        *(task_sheet(task, results.tasks_by_features) for task in results.tasks),
        *([] if results.embedding is None else [embedding_sheet(results.embedding)]),
        "embedding",
        blocks_sheet(results),
        "coefficients",
        speaker_sheet(results),
        "speakers",
        cost_sheet(results),
    ]
    text = [part.markdown() if isinstance(part, Sheet) else _figure(part, path.parent) for part in parts]
    if results.remarks:
        text.append("### Left out\n\n" + "".join(f"- {remark}\n" for remark in results.remarks))
    replace_file(path, "\n".join(filter(None, text)).encode())


def _figure(part: str, folder: Path) -> str:
    """A figure's name as a picture, nothing where there is none; other text as it is."""
    if part not in FIGURES:
        return part
    title, caption = FIGURES[part]
    return f"![{title}]({part}.png)\n\n*{title}.* {caption}\n" if (folder / f"{part}.png").exists() else ""


def streams_sheet(results: Paper) -> Sheet:
    def cells(name: str, split: SplitData) -> tuple[str, ...]:
        counts = (split.speakers, split.utterances, split.noise_recordings)
        return (name, number(split.minutes, 1), *map(str, counts), *(f"{n:,}" for n in split.frames.values()))

    headers: tuple[str, ...] = ("stream", "minutes", "speakers", "utterances", "noise recordings")
    headers += tuple(f"frames of {task.name}" for task in results.tasks)
    return Sheet("Streams", headers, [cells("train", results.train), cells("test", results.test)])


def compact_sheet(results: Paper) -> Sheet:
    """What Fig. 3 shows: balanced accuracy (AUC) of classes, R² (MAE) of quantities."""
    rows = []
    for name, label in tasks_by_features.LABELS.items():
        found = {row.task: row for row in results.tasks_by_features if row.features == name}
        if found:
            rows.append((label, *(_compact(found[task.name], task) for task in results.tasks)))
    headers = ("features", *(plots.title(task.name, task.unit) for task in results.tasks))
    return Sheet("All tasks by features: balanced accuracy (AUC), or R² (MAE)", headers, rows)


def _compact(row: TaskRow, task: Task) -> str:
    if row.score is None:
        return "–"
    second = number(row.score.mae, 2) if task.kind == "regression" else number(row.score.auc)
    return f"{number(tasks_by_features.headline(row.score))} ({second})"


def task_sheet(task: Task, rows: Sequence[TaskRow]) -> Sheet:
    """Every metric of one task."""
    metrics = QUANTITY_METRICS if task.kind == "regression" else CLASS_METRICS
    cells = [
        (
            tasks_by_features.LABELS[row.features],
            f"{row.dimensions:,}",
            *("–" if row.score is None else number(getattr(row.score, metric)) for metric in metrics),
            row.reason,
        )
        for row in rows
        if row.task == task.name
    ]
    headers = ("features", "dimensions", *(metric.replace("_", " ") for metric in metrics), "note")
    unit = task.unit if task.kind == "regression" else ", ".join(task.classes)
    return with_notes(Sheet(f"{plots.title(task.name)} ({unit})" if unit else plots.title(task.name), headers, cells))


def embedding_sheet(found: Embedding) -> Sheet:
    rows = [(plots.title(name), f"{value:.1%}", f"{found.chance[name]:.1%}") for name, value in found.purity.items()]
    title = (
        f"t-SNE of {found.frames:,} frames, {found.components} components with {found.variance:.0%} of the variance: "
        "ten nearest points of the same class"
    )
    return Sheet(title, ("task", "same class", "by chance"), rows)


def blocks_sheet(results: Paper) -> Sheet:
    found = results.coefficients
    headers = ("channels", *(f"block {block + 1}" for block in range(len(found.by_block))))
    rows = [
        ("informative", *map(str, found.informative_by_block)),
        (f"of the {len(found.channels)} strongest", *map(str, found.by_block)),
    ]
    return Sheet("Where the informative channels are", headers, rows)


def speaker_sheet(results: Paper) -> Sheet:
    rows = [
        (
            speakers.LABELS[row.features],
            row.backend,
            str(row.enrolment),
            "–" if row.eer is None else f"{row.eer:.1%}",
            f"{row.targets:,} : {row.impostors:,}",
            str(row.dimensions),
            row.reason,
        )
        for row in results.speakers
    ]
    data = results.speaker_data
    title = (
        f"Speaker verification: {data.train_utterances:,} utterances of {data.train_speakers} speakers for the back "
        f"end, {data.test_utterances:,} of {data.test_speakers} for trials, {data.enrollable} enrollable"
    )
    headers = ("features", "back end", "enrolment utterances", "EER", "trials", "dimensions", "note")
    return with_notes(Sheet(title, headers, rows))


def cost_sheet(results: Paper) -> Sheet:
    rows = [
        (
            row.method,
            str(row.outputs),
            f"{row.features:,}",
            number(row.additions_mean, 0),
            number(row.additions_p95, 0),
            f"{row.additions_max:,}",
            number(row.macs_mean, 0),
            f"{row.share_mean:.3%}",
            f"{row.share_all_active:.3%}",
        )
        for row in results.cost
    ]
    headers: tuple[str, ...] = (
        "method",
        "outputs",
        "mask bits",
        "additions, mean",
        "p95",
        "max",
        "MACs of the mean frame",
    )
    headers += ("share of it", "share with all channels active")
    return Sheet("Cost of reading all outputs, per frame of 16 ms", headers, rows)
