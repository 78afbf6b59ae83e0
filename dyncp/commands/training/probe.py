# SPDX-License-Identifier: Apache-2.0
"""`dyncp probe`: fit the signals that the masks give away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from dyncp.commands.shared.options import BundleFolder, CorpusFolder, Json, Redistributable
from dyncp.commands.shared.terminal import Terminal, make_console, warn

if TYPE_CHECKING:
    from dyncp.base.audio import Pcm
    from dyncp.base.scores import Score
    from dyncp.base.tasks import Task
    from dyncp.export.formats.bundle import Bundle
    from dyncp.train.corpora.recordings import Corpus
    from dyncp.train.probes.data import ProbeData
    from dyncp.train.probes.files import FloatProbes
    from dyncp.train.probes.linear import LinearProbe
    from dyncp.train.probes.observation import Observation


def probe(
    checkpoint: Annotated[Path, typer.Argument(help="Checkpoint folder that receives probes.safetensors.")],
    bundle: BundleFolder,
    corpus: CorpusFolder,
    redistributable: Redistributable = False,
    minutes: Annotated[float, typer.Option(help="Minutes of audio for fitting, and again for testing.")] = 30.0,
    signals: Annotated[
        str, typer.Option(help="Only these, such as `vad,snr_in`; by default all signals of the paper.")
    ] = "",
    target: Annotated[
        list[Path] | None, typer.Option(help="A target of your own, may be repeated (docs/targets.md).")
    ] = None,
    smoothing: Annotated[
        str, typer.Option(help="One-pole smoothing with coefficient 2^-K, such as `vad=2,snr_in=3`.")
    ] = "",
    period: Annotated[
        str,
        typer.Option(
            help="Smooth and decide in one frame of 2, 4, 8 or 16, such as `noise=4`: what changes slowly costs less."
        ),
    ] = "",
    balanced: Annotated[str, typer.Option(help="Weigh the classes of these tasks equally, such as `vad,noise`.")] = "",
    bits: Annotated[
        Literal["8", "16"] | None,
        typer.Option(help="Of the probes' weights; by default 8 where that costs no signal anything, else 16."),
    ] = None,
    features: Annotated[
        int | None,
        typer.Option(help="Mask bits to read at most, for all signals: fewer take less flash and work.", min=1),
    ] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder that caches labels which take long to compute.")] = None,
    json_output: Json = False,
) -> None:
    """Fit probes on the masks of BUNDLE's integer network, and add them to CHECKPOINT and BUNDLE."""
    from dyncp.base.files.outputs import check_folder_output
    from dyncp.base.tasks import Period
    from dyncp.export.formats.bundle import read_bundle, write_bundle
    from dyncp.export.formats.masks import channel_bits
    from dyncp.export.quantization.dead import bits_before
    from dyncp.export.quantization.probes import integer_scores, narrowest, quantize_probes
    from dyncp.train.corpora.corpus import load_corpus
    from dyncp.train.network.checkpoint import load_checkpoint
    from dyncp.train.probes.data import make_probe_data
    from dyncp.train.probes.files import combine, save_probes
    from dyncp.train.targets.user_targets import load_targets

    console = make_console(json_output=json_output)
    before = load_checkpoint(checkpoint).config.network
    for folder in (checkpoint, bundle, *([] if cache is None else [cache])):
        check_folder_output(folder, (), lambda _: True)
    model = read_bundle(bundle)
    recordings = load_corpus(corpus, redistributable)
    recordings.require("train", "test")
    targets = load_targets(target or [])
    tasks = _standard(recordings, signals)
    every = [*tasks, *(own.task for own in targets)]
    poles, alike = _counts("--smoothing", smoothing, every, range(8), "NAME=0 to NAME=7"), _alike(balanced, every)
    periods = _counts("--period", period, every, get_args(Period), "NAME=1, 2, 4, 8 or 16")

    def observe(pcm: Pcm) -> Observation:
        return _observe(console, model, pcm)

    framing = model.config.framing
    train, test = (
        make_probe_data(recordings, split, minutes, observe, tasks, targets, cache, framing=framing)
        for split in ("train", "test")
    )
    fitted = _fit(console, train, test, poles, periods, alike, features, strict=bool(signals))
    with console.status("rounding to integers"):
        positions = channel_bits(model.config).reshape(-1)
        probes = combine(fitted, positions)
        if bits is None:
            probes = narrowest(probes, model.config, train)
        else:
            probes = replace(probes, bits=8 if bits == "8" else 16)
        model.probes = quantize_probes(probes, probes.bits)
        scores = integer_scores(model.probes, model.config, test)
    # The checkpoint still has the channels that export let go.
    channel = bits_before(probes.channel, model, before)
    save_probes(checkpoint, replace(probes, channel=channel), scores, model.network_hash)
    write_bundle(model, bundle)
    stuck = _stuck(train)
    _print(console, probes, scores, stuck)
    described = {name: score.model_dump(exclude_none=True) for name, score in scores.items()}
    console.document({"features": len(probes.channel), "bits": probes.bits, **stuck, "scores": described})


def _standard(corpus: Corpus, signals: str) -> list[Task]:
    """The paper's tasks that the corpus has classes for, or those that were asked for."""
    from dyncp.train.targets.standard_tasks import Classes, standard_tasks

    classes = Classes.of(corpus.split("train"))
    if signals:
        return standard_tasks(classes, [name.strip() for name in signals.split(",")])
    for reason in classes.left_out().values():
        warn(f"left out: {reason}")
    return standard_tasks(classes)


def _counts(option: str, text: str, tasks: list[Task], known: Sequence[int], listed: str) -> dict[str, int]:
    """`vad=2,snr_in=3` → a number by task, one of those `known`, which are `listed`. Raises ConfigError."""
    from dyncp.base.errors import ConfigError

    names, given = [task.name for task in tasks], {}
    for entry in filter(None, text.split(",")):
        name, _, count = (part.strip() for part in entry.partition("="))
        if name not in names or count not in map(str, known):
            raise ConfigError(f"{option} {entry}: must be {listed}; the tasks are {', '.join(names)}")
        given[name] = int(count)
    return given


def _alike(text: str, tasks: list[Task]) -> set[str]:
    """`vad,noise` → the tasks whose classes weigh equally. Raises ConfigError."""
    from dyncp.base.errors import ConfigError

    names = [task.name for task in tasks if task.kind != "regression"]
    chosen = {name.strip() for name in text.split(",") if name.strip()}
    for name in sorted(chosen - set(names)):
        raise ConfigError(f"--balanced {name}: no task with classes; these have some: {', '.join(names)}")
    return chosen


def _observe(console: Console, model: Bundle, pcm: Pcm) -> Observation:
    from dyncp.base.audio import pad_to_the_end
    from dyncp.evaluation.engines.observe import observe

    frames = len(pad_to_the_end(pcm, model.config.framing)) // model.config.hop
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("running the integer network", total=frames)
        return observe(model, pcm, lambda frames: progress.advance(bar, frames), masks_only=True)


def _fit(
    console: Console,
    train: ProbeData,
    test: ProbeData,
    poles: dict[str, int],
    periods: dict[str, int],
    alike: set[str],
    features: int | None,
    strict: bool,
) -> list[LinearProbe]:
    """All probes that can be fitted and scored, on at most `features` mask bits where given; what cannot is an error
    with `strict`, else left out with a warning."""
    from dyncp.base.errors import ProbeError
    from dyncp.train.probes.linear import fit
    from dyncp.train.probes.selection import Fit, on_strongest

    values = train.observation.masks.reshape(train.observation.frames, -1)
    fits: list[Fit] = []
    fitted = []
    with Progress(console=console, transient=True) as progress:
        for task in progress.track(train.tasks, description="fitting"):
            told = {"smoothing": poles.get(task.name, task.smoothing), "period": periods.get(task.name, task.period)}
            timed = task.model_copy(update=told)
            try:
                if not test.used(task).any():
                    raise ProbeError(f"probe {task.name}: no frame of the test split has a label; add such recordings")
                labels, used = train.labels[task.name], train.used(task)
                again = partial(fit, values, labels, used, timed, task.name in alike)
                fitted.append(again())
                fits.append(again)
            except ProbeError as error:
                if strict:
                    raise
                warn(f"left out: {error}")
    if not fitted:
        raise ProbeError("probes: none can be fitted; use more or other audio")
    if features is None:
        return fitted
    with console.status("choosing mask bits"):
        return on_strongest(values, fits, fitted, features)


def _stuck(data: ProbeData) -> dict[str, int]:
    """Gates that never change while the stream lasts."""
    masks = data.observation.masks
    return {"always_on": int(masks.all(axis=0).sum()), "always_off": int((~masks.any(axis=0)).sum())}


def _print(console: Terminal, probes: FloatProbes, scores: dict[str, Score], stuck: dict[str, int]) -> None:
    classes = Table("task", "frames", "commonest", "accuracy", "balanced", "F1", "AUC")
    amounts = Table("task", "unit", "frames", "R²", "MAE", "RMSE", "MAE, IQR", "RMSE, IQR")
    for task in probes.tasks:
        result = scores[task.name]
        if task.kind == "regression":
            errors = (result.mae, result.rmse, result.mae_iqr, result.rmse_iqr)
            texts = (_text(result.r2, ".3f"), *(_text(error, ".2f") for error in errors))
            amounts.add_row(task.name, task.unit, str(result.frames), *texts)
        else:
            shares = (result.majority, result.accuracy, result.balanced_accuracy, result.f1)
            texts = (*(_text(share, ".1%") for share in shares), _text(result.auc, ".3f"))
            classes.add_row(task.name, str(result.frames), *texts)
    for table in (classes, amounts):
        if table.row_count:
            table.title = "speakers and noises never seen"
            console.result(table)
    console.result(
        f"{len(probes.channel)} mask bits, int{probes.bits} weights; gates: {stuck['always_on']} always on, "
        f"{stuck['always_off']} always off"
    )


def _text(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
