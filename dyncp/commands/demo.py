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
    from dyncp.train.audio import Pcm

SECONDS = 12.0
SNR_DB = 5.0


def demo(
    out: Annotated[Path, typer.Option(help="Folder for everything that the demo makes.")] = Path("build/demo"),
    checkpoint: Annotated[Path, typer.Option(help="Checkpoint folder, or the name of a shipped one.")] = Path("paper"),
    seconds: Annotated[float, typer.Option(help="Length of the audio that every core processes.", min=6.0)] = SECONDS,
) -> None:
    """Debian's voices in noise → export → generate → validate on five cores → report."""
    from dyncp.train.audio import write_pcm
    from dyncp.train.demo_corpus import build_demo_corpus

    console = Console(stderr=True)
    started = time.monotonic()
    corpus = build_demo_corpus(out / "corpus")
    bundle, quality, audio = out / "bundle", out / "quality.json", out / "noisy.wav"
    console.rule("export")
    export.export(find_checkpoint(checkpoint), bundle, corpus, clips=12, quality=quality)
    console.rule("generate")
    generate.generate(bundle, out / "library")
    console.rule("enhance")
    write_pcm(audio, noisy_speech(corpus, seconds))
    enhance.enhance(audio, out / "enhanced.wav", bundle)
    console.print(f"{out / 'enhanced.wav'} and its signals in {out / 'enhanced.csv'}", highlight=False, soft_wrap=True)
    console.rule("validate")
    record = validate.prove(console, bundle, audio, out / "validation", library=out / "library")
    console.rule("report")
    report.report(bundle, out / "validation", out, quality)
    console.print(f"all of it took {time.monotonic() - started:.0f} s", highlight=False)
    if not record.exact:
        raise typer.Exit(1)


def noisy_speech(corpus: Path, seconds: float) -> Pcm:
    """Two unseen speakers in turn, a pause between and around them, in two noises in turn, at 5 dB SNR."""
    import numpy as np

    from dyncp.train.audio import active_rms, read_pcm, to_pcm
    from dyncp.train.config import SAMPLE_RATE
    from dyncp.train.corpus import load_corpus

    test = load_corpus(corpus).split("test")
    turn = round(seconds * SAMPLE_RATE / 2)
    pause = SAMPLE_RATE
    parts = []
    for speech, noise in zip(test.speech[:2], test.noise, strict=False):
        talk = np.zeros(turn)
        spoken = read_pcm(speech.path)[: turn - 2 * pause] / 32768
        talk[pause : pause + len(spoken)] = spoken
        background = np.resize(read_pcm(noise.path) / 32768, turn)
        level = active_rms(talk) * 10 ** (-SNR_DB / 20) / np.sqrt(np.mean(background**2))
        parts.append(talk + level * background)
    return to_pcm(np.concatenate(parts))
