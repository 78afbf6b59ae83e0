# SPDX-License-Identifier: Apache-2.0
"""`dyncp train`."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from dyncp.base.errors import CheckpointError, ConfigError
from dyncp.commands.shared.options import CorpusFolder, Json, find_checkpoint, find_device
from dyncp.commands.shared.terminal import Terminal, make_console, warn
from dyncp.commands.training.interruption import interruptible

if TYPE_CHECKING:
    from dyncp.train.fitting.trainer import Trainer
    from dyncp.train.network.enhancer import Enhancer

# A missed target is reported from this distance on.
UTILIZATION_TOLERANCE = 0.02


def train(
    context: typer.Context,
    config: Annotated[str, typer.Argument(help="A TOML file, or the name of a preset such as paper.")],
    corpus: CorpusFolder,
    out: Annotated[Path, typer.Option(help="Checkpoint folder to write.")],
    redistributable: Annotated[
        bool, typer.Option(help="Use only files whose licence allows passing the network on.")
    ] = False,
    start: Annotated[
        Path | None, typer.Option(help="Checkpoint folder, or the name of a shipped one, to take initial weights from.")
    ] = None,
    integers: Annotated[
        bool,
        typer.Option(
            "--integers",
            help="Quantization-aware training: continue from --start, with the device's integer arithmetic.",
        ),
    ] = False,
    teacher: Annotated[
        Path | None,
        typer.Option(help="Another enhancer, as a program of torch.export, for training.teacher_weight of the target."),
    ] = None,
    resume: Annotated[bool, typer.Option(help="Continue from the last finished epoch in --out.")] = False,
    epochs: Annotated[
        int | None,
        typer.Option(help="Epochs in all, in place of training.epochs; with --resume, to train on for longer.", min=1),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "auto",
    compiled: Annotated[
        bool,
        typer.Option("--compile", help="Compile the network first; worthwhile for runs of more than some minutes."),
    ] = False,
    workers: Annotated[int, typer.Option(help="Processes that mix batches.", min=0)] = 1,
    json_output: Json = False,
) -> None:
    """Train a network on a corpus; writes a checkpoint folder after each epoch. Runs under torchrun too."""
    from dyncp.base.files.outputs import check_folder_output
    from dyncp.train import processes
    from dyncp.train.network.checkpoint import check_new

    if not resume and (out / "checkpoint.json").exists():
        raise CheckpointError(f"{out}: holds a checkpoint already; pass --resume or another folder")
    check_folder_output(out, (), lambda _: True)
    if integers and start is None and not resume:
        raise ConfigError("--integers: trains a network that was trained before; name it with --start")
    if integers and compiled:
        raise ConfigError("--integers: the device's integers are not compiled; leave out --compile")
    check_new(out)

    # A function of its own, so that the trainer is gone when the processes part.
    def fit(own_device: str) -> None:
        console = make_console(quiet=not processes.is_first(), json_output=json_output)
        with console.status("reading the corpus"):
            trained = _trained(out if resume else start)
            through = trained if integers else None
            trainer = _trainer(config, epochs, corpus, out, redistributable, own_device, compiled, through)
            if teacher is not None:
                trainer.learn_from(teacher)
        if trained is not None and not resume:
            trainer.start_from(trained)
        if resume:
            console.print(f"resuming after epoch {trainer.resume(other_epochs=epochs is not None)}")
        _run(trainer, console, workers)
        if processes.is_first():
            _summarize(out, trainer, console)

    with interruptible(context, out), processes.joined(find_device(device)) as own_device:
        fit(own_device)


def _trained(checkpoint: Path | None) -> Enhancer | None:
    if checkpoint is None:
        return None
    from dyncp.train.network.checkpoint import load_checkpoint

    return load_checkpoint(find_checkpoint(checkpoint)).network


def _trainer(
    config: str,
    epochs: int | None,
    corpus: list[Path],
    out: Path,
    redistributable: bool,
    device: str,
    compiled: bool,
    through_integers: Enhancer | None,
) -> Trainer:
    from dyncp.base.config.experiment import load_config, with_epochs
    from dyncp.train.corpora.corpus import load_corpus
    from dyncp.train.fitting.trainer import Trainer
    from dyncp.train.mixing.mixers import load_mixers
    from dyncp.train.mixing.pairs import CALIBRATION_CLIPS, EVERYDAY, make_pairs

    settings = with_epochs(load_config(config), epochs)
    recordings = load_corpus(corpus, redistributable)
    mixers = load_mixers(recordings, settings)
    if through_integers is None:
        return Trainer(settings, *mixers, out, device, compiled)
    from dyncp.export.integer_training.qat import IntegerTrainer

    calibration = [pair.noisy for pair in make_pairs(recordings, "train", CALIBRATION_CLIPS, EVERYDAY)]
    return IntegerTrainer(settings, *mixers, out, through_integers, calibration, device)


def _run(trainer: Trainer, console: Console, workers: int) -> None:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from dyncp.train.fitting.trainer import Progress as Step

    training = trainer.config.training
    steps = training.epochs * training.steps_per_epoch
    columns = (
        TextColumn("epoch {task.fields[epoch]}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.4f}  utilization {task.fields[utilization]:.3f}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        done = trainer.epoch * training.steps_per_epoch
        task = progress.add_task("", total=steps, completed=done, epoch=0, loss=0.0, utilization=1.0)

        def observe(step: Step) -> None:
            progress.update(task, completed=step.step, epoch=step.epoch, loss=step.loss, utilization=step.utilization)
            if step.validation_loss is not None:
                kinds = step.validation_shares
                console.print(
                    f"epoch {step.epoch:3d}  validation loss {step.validation_loss:.4f}  "
                    f"utilization {step.utilization:.3f} (aim {step.target_utilization:.3f})"
                    if kinds is None
                    else f"epoch {step.epoch:3d}  validation loss {step.validation_loss:.4f}  "
                    f"utilization in speech {kinds.speech:.3f}, at rest {kinds.rest:.3f}",
                    highlight=False,
                )

        trainer.run(observe, workers)


def _summarize(out: Path, trainer: Trainer, console: Terminal) -> None:
    from dyncp.train.network.checkpoint import read_manifest

    manifest = read_manifest(out)
    training = trainer.config.training
    if trainer.stopped_early:
        console.print(f"stopped after epoch {trainer.epoch}: {training.patience} epochs without a better validation")
    if manifest.epoch != trainer.epoch:
        console.print(f"the checkpoint is that of epoch {manifest.epoch}, the best on the validation clips")
    if trainer.config.network.gated and training.by_kind is None:
        blocks = "  ".join(f"{share:.2f}" for share in manifest.utilization)
        _report_utilization(fmean(manifest.utilization), training.target_utilization, f"by block {blocks}", console)
    elif training.by_kind and trainer.validated_shares:
        for kind in ("speech", "rest"):
            achieved, target = getattr(trainer.validated_shares, kind), getattr(training.by_kind, kind)
            _report_utilization(achieved, target, f"in frames of {kind}", console)
    console.document({"checkpoint": str(out), **manifest.model_dump(mode="json")})


def _report_utilization(achieved: float, target: float, where: str, console: Console) -> None:
    console.print(f"utilization {achieved:.3f} (target {target}), {where}", highlight=False)
    if abs(achieved - target) > UTILIZATION_TOLERANCE:
        warn(
            f"the target utilization was missed by {achieved - target:+.3f}; "
            "raise training.utilization_weight or train longer"
        )
