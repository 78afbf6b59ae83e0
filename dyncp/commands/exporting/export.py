# SPDX-License-Identifier: Apache-2.0
"""`dyncp export`: a checkpoint becomes integers, and what that costs is measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dyncp.commands.shared.options import Checkpoint, CorpusFolder, Json, Redistributable, find_checkpoint
from dyncp.commands.shared.quality import print_comparison, scored
from dyncp.commands.shared.terminal import make_console

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def export(
    checkpoint: Checkpoint,
    out: Annotated[Path, typer.Argument(help="Bundle folder to write.")],
    corpus: CorpusFolder,
    redistributable: Redistributable = False,
    clips: Annotated[int, typer.Option(help="Held-out clips for the comparison; 0 for no comparison.", min=0)] = 24,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Calibrate the scales anew, even if the checkpoint brings its own.")
    ] = False,
    keep_dead_gates: Annotated[
        bool, typer.Option("--keep-dead-gates", help="Keep gates on hidden channels that never open in calibration.")
    ] = False,
    quality: Annotated[Path | None, typer.Option(help="Write the comparison to this JSON file.")] = None,
    json_output: Json = False,
) -> None:
    """Quantize a checkpoint to a bundle, and compare float and int8 on unseen speakers.

    Scales are calibrated on the corpus, unless the checkpoint was trained through its integers and brings them.
    """
    from dyncp.base.errors import BundleError
    from dyncp.base.files import replace_file
    from dyncp.base.files.outputs import check_outputs, check_own_folder
    from dyncp.export.formats.bundle import FILES, write_bundle
    from dyncp.export.quantization.fold import fold
    from dyncp.export.quantization.from_checkpoint import quantize_checkpoint
    from dyncp.train.corpora.corpus import load_corpus
    from dyncp.train.mixing.pairs import CALIBRATION_CLIPS, EVERYDAY, make_pairs
    from dyncp.train.network.checkpoint import load_checkpoint

    console = make_console(json_output=json_output)
    inputs = {"the checkpoint": find_checkpoint(checkpoint)} | {f"the corpus {folder}": folder for folder in corpus}
    check_own_folder(out, FILES, BundleError, inputs)
    if quality is not None:
        check_outputs({"--quality": quality}, {"the bundle": out})
    source = load_checkpoint(find_checkpoint(checkpoint))
    framing = source.config.network.framing
    recordings = load_corpus(corpus, redistributable)
    if clips:
        recordings.require("test")

    def calibration() -> list[NDArray[np.int16]]:
        return [pair.noisy for pair in make_pairs(recordings, "train", CALIBRATION_CLIPS, EVERYDAY, framing)]

    with console.status("quantizing"):
        bundle = quantize_checkpoint(source, calibration, not calibrate, keep_dead_gates)
    write_bundle(bundle, out)
    if bundle.kept is not None:
        before, blocks = source.network.config.hidden, bundle.config.blocks
        gone = (before - bundle.config.hidden) * blocks
        console.print(f"{gone} of {before * blocks} gates never open in calibration and left", highlight=False)
    console.print(f"bundle {out}, hash {bundle.hash[:16]}", highlight=False)
    if clips == 0:
        console.document({"bundle": str(out), "hash": bundle.hash})
        return
    pairs = make_pairs(recordings, "test", clips, framing=framing)
    comparison = scored(console, fold(source), bundle, pairs)
    print_comparison(console, comparison, framing.rate)
    if quality is not None:
        replace_file(quality, (comparison.model_dump_json(indent=2, by_alias=True) + "\n").encode())
    console.document(comparison)
