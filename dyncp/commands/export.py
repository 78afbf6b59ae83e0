# SPDX-License-Identifier: Apache-2.0
"""`dyncp export`: a checkpoint becomes integers, and what that costs is measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from dyncp.commands.options import Checkpoint, CorpusFolder, Json, Redistributable, find_checkpoint

if TYPE_CHECKING:
    from dyncp.export.compare import Comparison

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
    from dyncp.export.compare import compare
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
    with console.status("comparing float and int8"):
        pairs = make_pairs(recordings, "test", clips)
        comparison = compare(folded, bundle, [(pair.clean, pair.noisy) for pair in pairs])
    print_comparison(console, comparison)
    if quality is not None:
        quality.parent.mkdir(parents=True, exist_ok=True)
        quality.write_text(comparison.model_dump_json(indent=2, by_alias=True) + "\n", encoding="utf-8")
    if json_output:
        print(comparison.model_dump_json(by_alias=True))


def print_comparison(console: Console, comparison: Comparison) -> None:
    table = Table("", "noisy", "float", "int8", title=f"{comparison.clips} clips, speakers and noises never seen")
    for label, field, digits in (("PESQ-WB", "pesq", 3), ("STOI", "stoi", 3), ("SI-SDR, dB", "si_sdr", 2)):
        scores = (comparison.noisy, comparison.float_, comparison.int8)
        table.add_row(label, *(f"{getattr(score, field):.{digits}f}" for score in scores))
    console.print(table)
    console.print(
        f"int8 against float: SI-SDR {comparison.agreement_db:.1f} dB, "
        f"{comparison.differing_mask_bits:.2%} of mask bits differ "
        f"({comparison.differing_informative_bits:.2%} of the {comparison.informative_masks} informative ones), "
        f"utilization {comparison.utilization_int8:.3f} (float {comparison.utilization_float:.3f})",
        highlight=False,
        soft_wrap=True,
    )
    stuck = comparison.always_on + comparison.always_off
    console.print(
        f"gates: {comparison.always_on} always on, {comparison.always_off} always off, "
        f"{comparison.informative_masks} informative"
        + ("" if stuck == 0 else " (a gate that never changes costs its 1×1 row for nothing)"),
        highlight=False,
        soft_wrap=True,
    )
