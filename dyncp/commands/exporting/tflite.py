# SPDX-License-Identifier: Apache-2.0
"""`dyncp tflite`: the streaming step as int8 TFLite, set against our integers on the same audio."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from dyncp.commands.shared.options import Checkpoint, Json, Redistributable, find_checkpoint
from dyncp.commands.shared.quality import metrics_of
from dyncp.commands.shared.terminal import Terminal, make_console

if TYPE_CHECKING:
    from dyncp.evaluation.quality.tflite_compare import TfliteComparison

MODEL, COMPARISON = "step.tflite", "comparison.json"


def tflite(
    checkpoint: Checkpoint,
    out: Annotated[Path, typer.Argument(help=f"Folder for {MODEL} and {COMPARISON}.")],
    corpus: Annotated[Path | None, typer.Option(help="Corpus folder; Debian's voices by default.")] = None,
    redistributable: Redistributable = False,
    clips: Annotated[int, typer.Option(help="Held-out clips for the comparison.", min=1)] = 12,
    calibration_clips: Annotated[int, typer.Option(help="Clips of 8 s to calibrate both with.", min=1)] = 6,
    json_output: Json = False,
) -> None:
    """Convert one frame of a stream to int8 TFLite, and compare (docs/interchange.md). Needs the extra `tflite`."""
    import tempfile

    import numpy as np

    from dyncp.base.errors import InterchangeError
    from dyncp.base.files import replace_folder
    from dyncp.base.files.outputs import check_own_folder
    from dyncp.codegen.accounting import memory
    from dyncp.evaluation.quality.tflite_compare import Sizes, compare_tflite
    from dyncp.export.integers.run import hops
    from dyncp.export.interchange.onnx_graph import state_shapes
    from dyncp.export.interchange.tflite import arena, convert
    from dyncp.export.quantization.fold import fold
    from dyncp.export.quantization.quantize import quantize
    from dyncp.export.transforms import stft
    from dyncp.train.corpora.corpus import load_corpus
    from dyncp.train.corpora.demo_corpus import build_demo_corpus
    from dyncp.train.mixing.pairs import EVERYDAY, make_pairs
    from dyncp.train.network.checkpoint import load_checkpoint

    console = make_console(json_output=json_output)
    check_own_folder(out, {MODEL, COMPARISON}, InterchangeError, {} if corpus is None else {"the corpus": corpus})
    folded = fold(load_checkpoint(find_checkpoint(checkpoint)))
    framing = folded.config.framing
    with tempfile.TemporaryDirectory(prefix="dyncp-") as voices:
        recordings = load_corpus(corpus or build_demo_corpus(Path(voices)), redistributable)
        recordings.require("train", "test")
        calibration = [pair.noisy for pair in make_pairs(recordings, "train", calibration_clips, EVERYDAY, framing)]
        pairs = [(pair.clean, pair.noisy) for pair in make_pairs(recordings, "test", clips, framing=framing)]
    with console.status("quantizing"):
        bundle = quantize(folded, calibration)
    heard = hops(np.concatenate(calibration), framing.hop)
    features = stft.compress(stft.analyse(heard, framing), folded.config.bands).astype(np.float32)
    with console.status("converting"):
        model = convert(folded, features)
    ours = memory(bundle)
    # What a stream keeps between two steps must lie outside the arena: inside, the next step's inputs are overwritten.
    states = sum(int(np.prod(shape)) for shape in state_shapes(folded.config).values())
    sizes = (
        Sizes(constant_bytes=ours.weights + ours.tables, working_bytes=ours.state_total),
        Sizes(constant_bytes=len(model), working_bytes=arena(model) + states),
    )
    with console.status("comparing"):
        comparison = compare_tflite(folded, bundle, model, pairs, sizes, len(features))
    print_comparison(console, comparison, framing.rate)
    document = comparison.model_dump_json(indent=2, by_alias=True) + "\n"
    replace_folder(out, {MODEL: model, COMPARISON: document.encode()}, {MODEL, COMPARISON}, InterchangeError)
    console.document(comparison)


def print_comparison(console: Terminal, comparison: TfliteComparison, rate: int) -> None:
    ours, other = comparison.ours, comparison.tflite
    table = Table("", "noisy", "float", "ours", "TFLite", title=f"{comparison.clips} clips never seen")
    for label, field, digits in metrics_of(comparison.noisy, rate):
        scores = (comparison.noisy, comparison.float_, ours.score, other.score)
        table.add_row(label, *(f"{getattr(score, field):.{digits}f}" for score in scores))
    table.add_row("agreement with float, dB", "", "", f"{ours.agreement_db:.1f}", f"{other.agreement_db:.1f}")
    table.add_row("differing mask bits", "", "", f"{ours.differing_mask_bits:.2%}", f"{other.differing_mask_bits:.2%}")
    table.add_row("utilization", "", "", f"{ours.utilization:.3f}", f"{other.utilization:.3f}")
    table.add_row("constants, bytes", "", "", f"{ours.constant_bytes:,}", f"{other.constant_bytes:,}")
    table.add_row("working memory, bytes", "", "", f"{ours.working_bytes:,}", f"{other.working_bytes:,}")
    console.result(table)
    for kind, uses in comparison.operators.items():
        console.print(f"{kind}: {'; '.join(uses)}", highlight=False)
