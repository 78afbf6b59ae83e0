# SPDX-License-Identifier: Apache-2.0
"""`dyncp demo`: real speech through the whole chain, with the shipped checkpoint."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dyncp.commands.evaluation.day import run_day
from dyncp.commands.exporting import export
from dyncp.commands.firmware import enhance, generate, report, validate
from dyncp.commands.firmware.enhancing.one import Job
from dyncp.commands.shared.options import Json, find_checkpoint
from dyncp.commands.shared.terminal import Terminal, make_console

if TYPE_CHECKING:
    from dyncp.train.streams.streams import Stream

SECONDS = 12.0
QUALITY, DAY = "quality.json", "day.json"
DAY_MINUTES = 2.0
DAY_CORE = "cortex-m4"


def demo(
    out: Annotated[Path, typer.Option(help="Folder for everything that the demo writes.")] = Path("build/demo"),
    checkpoint: Annotated[Path, typer.Option(help="Checkpoint folder, or the name of a shipped one.")] = Path("small"),
    seconds: Annotated[float, typer.Option(help="Length of the audio that every core processes.", min=6.0)] = SECONDS,
    json_output: Json = False,
) -> None:
    """The whole chain on real speech: export, generate, enhance, validate on five cores, report.

    --json prints the report's figures (docs/report.md).
    """
    from dyncp.firmware.report.contents.schema import Report
    from dyncp.firmware.report.writing import REPORT_JSON

    console = make_console(json_output=json_output)
    with console.parts():
        exact = _run(console, out, checkpoint, seconds)
    if json_output:
        console.document(Report.model_validate_json((out / REPORT_JSON).read_bytes()))
    if not exact:
        raise typer.Exit(1)


def _run(console: Terminal, out: Path, checkpoint: Path, seconds: float) -> bool:
    """Everything, into the folder `out`; whether every core was exact."""
    from dyncp.base.audio import write_pcm
    from dyncp.base.files.outputs import check_folder_output
    from dyncp.evaluation.day.measure import DayOptions
    from dyncp.export.formats.bundle import read_bundle
    from dyncp.train.corpora.corpus import load_corpus
    from dyncp.train.corpora.demo_corpus import build_demo_corpus
    from dyncp.train.streams.demo import noisy_speech

    sounds = ("noisy.wav", "clean.wav", "enhanced.wav")
    names = ("bundle", "corpus", "library", *sounds, QUALITY, "signals.png", "truth.csv", DAY)
    check_folder_output(out, names, lambda folder: (folder / "corpus" / "speech.csv").is_file())
    started = time.monotonic()
    corpus = build_demo_corpus(out / "corpus")
    bundle, quality, truth, day = out / "bundle", out / QUALITY, out / "truth.csv", out / DAY
    audio, clean = out / "noisy.wav", out / "clean.wav"
    console.rule("export")
    export.export(find_checkpoint(checkpoint), bundle, [corpus], clips=12, quality=quality)
    console.rule("generate")
    generate.generate(bundle, out / "library")
    console.rule("enhance")
    stream = noisy_speech(corpus, seconds)
    write_pcm(audio, stream.noisy)
    write_pcm(clean, stream.clean)
    enhance.enhance_file(bundle, Job(audio, out / "enhanced.wav", out / "enhanced.csv", out / "signals.png"))
    with console.status("ground truth"):
        write_stream_truth(truth, stream, out / "enhanced.wav", bundle)
    console.rule("validate")
    record = validate.prove(console, bundle, audio, out / "validation", library=out / "library", cycles=True)
    console.rule("day")
    run_day(console, read_bundle(bundle), load_corpus(corpus), DayOptions("test", DAY_MINUTES, cores=[DAY_CORE]), day)
    console.rule("report")
    report.report(bundle, out / "validation", out, quality, truth, clean, day)
    console.print(f"all of it took {time.monotonic() - started:.0f} s", highlight=False)
    return record.exact


def write_stream_truth(path: Path, stream: Stream, enhanced: Path, bundle: Path) -> None:
    """The true values of the bundle's signals, as far as the stream's recordings and its clean speech tell them."""
    from dyncp.base.audio import read_pcm
    from dyncp.export.formats.bundle import read_bundle
    from dyncp.export.integers.truth import write_truth
    from dyncp.train.targets.labels import make_labels
    from dyncp.train.targets.standard_tasks import STANDARD_NAMES, Classes

    model = read_bundle(bundle)
    probes, framing = model.probes, model.config.framing
    stream = stream.cut_for(framing)
    tasks = [task for task in probes.tasks if task.name in STANDARD_NAMES] if probes else []
    names = {task.name: tuple(task.classes) for task in tasks}
    classes = Classes(*(names.get(task, ()) for task in ("gender", "accent", "noise")))
    heard = read_pcm(enhanced)[: len(stream.noisy)]
    labels = make_labels(stream, heard, classes, {"vad", *names}, n_jobs=1, progress=False)
    write_truth(path, tasks, labels, framing)
