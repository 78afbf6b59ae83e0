# SPDX-License-Identifier: Apache-2.0
"""`dyncp export`: a checkpoint becomes integers, and what that costs is measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dyncp.commands.options import Checkpoint, CorpusFolder, Json, Redistributable, find_checkpoint
from dyncp.commands.quality import print_comparison, scored

CALIBRATION_CLIPS = 24


def export(
    checkpoint: Checkpoint,
    out: Annotated[Path, typer.Argument(help="Bundle folder to write.")],
    corpus: CorpusFolder,
    redistributable: Redistributable = False,
    clips: Annotated[int, typer.Option(help="Held-out clips for the comparison; 0 leaves it out.", min=0)] = 24,
    quality: Annotated[Path | None, typer.Option(help="Write the comparison to this JSON file.")] = None,
    json_output: Json = False,
) -> None:
    """Quantize a checkpoint, calibrated on the corpus, and compare float and int8 on speakers it never saw."""
    from dyncp.export.bundle import write_bundle
    from dyncp.export.fold import fold
    from dyncp.export.probes import quantize_probes
    from dyncp.export.quantize import quantize
    from dyncp.train.checkpoint import load_checkpoint
    from dyncp.train.corpus import load_corpus
    from dyncp.train.pairs import EVERYDAY, make_pairs
    from dyncp.train.probe_files import load_probes

    console = Console(stderr=True)
    source = load_checkpoint(find_checkpoint(checkpoint))
    recordings = load_corpus(corpus, redistributable)
    with console.status("calibrating"):
        folded = fold(source)
        calibration = [pair.noisy for pair in make_pairs(recordings, "train", CALIBRATION_CLIPS, EVERYDAY)]
        probes = load_probes(source.folder)
        bundle = quantize(folded, calibration, None if probes is None else quantize_probes(probes, probes.bits))
    write_bundle(bundle, out)
    console.print(f"bundle {out}, hash {bundle.hash[:16]}", highlight=False)
    if clips == 0:
        return
    comparison = scored(console, folded, bundle, make_pairs(recordings, "test", clips))
    print_comparison(console, comparison)
    if quality is not None:
        quality.parent.mkdir(parents=True, exist_ok=True)
        quality.write_text(comparison.model_dump_json(indent=2, by_alias=True) + "\n", encoding="utf-8")
    if json_output:
        print(comparison.model_dump_json(by_alias=True))
