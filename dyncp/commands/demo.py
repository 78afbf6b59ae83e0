# SPDX-License-Identifier: Apache-2.0
"""`dyncp demo`: real speech through the whole chain, with the shipped checkpoint."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from dyncp.commands import enhance, export, generate, report, validate
from dyncp.commands.options import find_checkpoint

if TYPE_CHECKING:
    from dyncp.train.streams import Stream

SECONDS = 12.0
SNR_DB = 5.0
PAUSE_S = 1.0


def demo(
    out: Annotated[Path, typer.Option(help="Folder for everything that the demo makes.")] = Path("build/demo"),
    checkpoint: Annotated[Path, typer.Option(help="Checkpoint folder, or name of a shipped one.")] = Path("small"),
    seconds: Annotated[float, typer.Option(help="Length of the audio that every core processes.", min=6.0)] = SECONDS,
) -> None:
    """Debian's voices in noise → export → generate → validate on five cores → report."""
    from dyncp.train.audio import write_pcm
    from dyncp.train.demo_corpus import build_demo_corpus

    console = Console(stderr=True)
    started = time.monotonic()
    corpus = build_demo_corpus(out / "corpus")
    bundle, quality, audio, truth = out / "bundle", out / "quality.json", out / "noisy.wav", out / "truth.csv"
    console.rule("export")
    export.export(find_checkpoint(checkpoint), bundle, corpus, clips=12, quality=quality)
    console.rule("generate")
    generate.generate(bundle, out / "library")
    console.rule("enhance")
    stream = noisy_speech(corpus, seconds)
    write_pcm(audio, stream.noisy)
    enhance.enhance(audio, out / "enhanced.wav", bundle, plot=out / "signals.png")
    console.print(f"{out / 'enhanced.wav'}, its signals in {out / 'enhanced.csv'}, drawn in {out / 'signals.png'}")
    with console.status("ground truth"):
        write_stream_truth(truth, stream, out / "enhanced.wav", bundle)
    console.rule("validate")
    record = validate.prove(console, bundle, audio, out / "validation", library=out / "library", cycles=True)
    console.rule("report")
    report.report(bundle, out / "validation", out, quality, truth)
    console.print(f"all of it took {time.monotonic() - started:.0f} s", highlight=False)
    if not record.exact:
        raise typer.Exit(1)


def noisy_speech(corpus: Path, seconds: float) -> Stream:
    """Two unseen speakers in turn, a pause between and around them, in two noises in turn, at 5 dB SNR."""
    import numpy as np

    from dyncp.train.audio import active_rms, to_pcm
    from dyncp.train.config import HOP, SAMPLE_RATE
    from dyncp.train.corpus import load_corpus, read_recording
    from dyncp.train.streams import Segment, Stream

    test = load_corpus(corpus).split("test")
    hops, pause = round(seconds * SAMPLE_RATE / HOP), round(PAUSE_S * SAMPLE_RATE / HOP)
    clean, noise = np.zeros((2, hops * HOP), np.int16)
    speech, noises = [], []
    for start, stop, voice, background in zip((0, hops // 2), (hops // 2, hops), test.speech, test.noise, strict=False):
        spoken = read_recording(voice)[: (stop - start - 2 * pause) * HOP]
        speech.append(Segment(voice, start + pause, -(-len(spoken) // HOP)))
        noises.append(Segment(background, start, stop - start))
        clean[speech[-1].start * HOP :][: len(spoken)] = spoken
        turn = noises[-1].samples
        level = active_rms(clean[turn] / 32768) * 10 ** (-SNR_DB / 20)
        sound = np.resize(read_recording(background) / 32768, turn.stop - turn.start)
        noise[turn] = to_pcm(sound * level / np.sqrt(np.mean(sound**2)))
    noisy = np.clip(clean.astype(np.int32) + noise, -32768, 32767).astype(np.int16)
    return Stream(clean, noisy - clean, noisy, tuple(speech), tuple(noises))


def write_stream_truth(path: Path, stream: Stream, enhanced: Path, bundle: Path) -> None:
    """The true values of the bundle's signals, as far as the stream's recordings and its clean speech tell them."""
    from dyncp.export.bundle import read_bundle
    from dyncp.export.truth import write_truth
    from dyncp.train.audio import read_pcm
    from dyncp.train.labels import make_labels
    from dyncp.train.standard_tasks import STANDARD_NAMES, Classes

    probes = read_bundle(bundle).probes
    tasks = [task for task in probes.tasks if task.name in STANDARD_NAMES] if probes else []
    names = {task.name: tuple(task.classes) for task in tasks}
    classes = Classes(*(names.get(task, ()) for task in ("gender", "accent", "noise")))
    labels = make_labels(stream, read_pcm(enhanced), classes, {"vad", *names}, n_jobs=1, progress=False)
    write_truth(path, tasks, labels)
