# SPDX-License-Identifier: Apache-2.0
"""`dyncp evaluate`: how well a checkpoint and its bundle enhance speech that they never saw."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from dyncp.commands.export import print_comparison
from dyncp.commands.options import BundleFolder, Checkpoint, CorpusFolder, Json, Redistributable, find_checkpoint


def evaluate(
    checkpoint: Checkpoint,
    bundle: BundleFolder,
    corpus: CorpusFolder,
    redistributable: Redistributable = False,
    clips: Annotated[int, typer.Option(help="Mixtures of six seconds.", min=1)] = 100,
    json_output: Json = False,
) -> None:
    """PESQ-WB, STOI and SI-SDR of noisy, float and int8 on the corpus's test split, −5 to 15 dB SNR."""
    from dyncp.export.bundle import read_bundle
    from dyncp.export.compare import compare
    from dyncp.export.fold import fold
    from dyncp.train.checkpoint import load_checkpoint
    from dyncp.train.corpus import load_corpus
    from dyncp.train.pairs import make_pairs

    console = Console(stderr=True)
    folded = fold(load_checkpoint(find_checkpoint(checkpoint)))
    recordings = load_corpus(corpus, redistributable)
    with console.status("enhancing and scoring"):
        pairs = make_pairs(recordings, "test", clips)
        comparison = compare(folded, read_bundle(bundle), [(pair.clean, pair.noisy) for pair in pairs])
    print_comparison(console, comparison)
    if json_output:
        print(comparison.model_dump_json(by_alias=True))
