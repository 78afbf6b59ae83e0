# SPDX-License-Identifier: Apache-2.0
"""`dyncp probe`: fit the signals that the masks give away."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from dyncp.commands.options import BundleFolder, CorpusFolder, Json, Redistributable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dyncp.export.bundle import Bundle
    from dyncp.train.pairs import Pair
    from dyncp.train.probes import BinaryScores, FloatProbes

    Bits = NDArray[np.bool_]


def probe(
    checkpoint: Annotated[Path, typer.Argument(help="Checkpoint folder that receives probes.safetensors.")],
    bundle: BundleFolder,
    corpus: CorpusFolder,
    redistributable: Redistributable = False,
    minutes: Annotated[float, typer.Option(help="Minutes of mixtures for fitting; a third more to test.")] = 30.0,
    json_output: Json = False,
) -> None:
    """Fit voice activity on the masks of BUNDLE's integer network, and add it to CHECKPOINT and BUNDLE."""
    from dyncp.export.bundle import read_bundle, write_bundle
    from dyncp.export.masks import channel_bits
    from dyncp.export.probes import integer_scores, narrowest, quantize_probes
    from dyncp.train.corpus import load_corpus
    from dyncp.train.pairs import EVERYDAY, make_pairs
    from dyncp.train.probes import fit_binary, save_probes
    from dyncp.train.tasks import VOICE_ACTIVITY

    console = Console(stderr=True)
    model = read_bundle(bundle)
    recordings = load_corpus(corpus, redistributable)
    count = max(2, round(minutes * 60 / EVERYDAY.clip_s))
    with console.status("running the integer network"):
        active, labels = frames(model, make_pairs(recordings, "train", count, EVERYDAY))
        unseen, unseen_labels = frames(model, make_pairs(recordings, "test", max(2, count // 3), EVERYDAY))
    with console.status("fitting"):
        positions = channel_bits(model.config).reshape(-1)
        fitted = fit_binary(active.reshape(len(active), -1), labels, positions, VOICE_ACTIVITY)
        probes = narrowest(fitted, model.config, active, labels)
    model.probes = quantize_probes(probes, probes.bits)
    scores = integer_scores(model.probes, model.config, unseen, unseen_labels)
    save_probes(checkpoint, probes, {"vad": asdict(scores)}, model.hash)
    write_bundle(model, bundle)
    _print(console, probes, scores)
    if json_output:
        print(json.dumps({"features": len(probes.channel), "bits": probes.bits, "vad": asdict(scores)}))


def frames(bundle: Bundle, pairs: list[Pair]) -> tuple[Bits, Bits]:
    """Masks [T, blocks, N] of the host library, each pair a fresh stream, and voice activity [T]."""
    import numpy as np

    from dyncp.export.masks import unpack_masks
    from dyncp.firmware.host import host_library
    from dyncp.train.targets import voice_activity

    with host_library(bundle) as library:
        masks = [unpack_masks(library.run(pair.noisy).masks, bundle.config) for pair in pairs]
    return np.concatenate(masks), np.concatenate([voice_activity(pair.clean / 32768) for pair in pairs])


def _print(console: Console, probes: FloatProbes, scores: BinaryScores) -> None:
    table = Table(
        "task", "frames", "speech", "accuracy", "balanced", "F1", "AUC", title="speakers and noises never seen"
    )
    shares = (scores.positive_share, scores.accuracy, scores.balanced_accuracy, scores.f1)
    table.add_row("vad", str(scores.frames), *(f"{share:.1%}" for share in shares), f"{scores.auc:.3f}")
    console.print(table)
    console.print(f"{len(probes.channel)} mask bits, int{probes.bits} weights", highlight=False)
