# SPDX-License-Identifier: Apache-2.0
"""`dyncp front --day`: networks of any kind, quality on a day's talk spurts against their mean MACs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from dyncp.commands.shared.terminal import Terminal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dyncp.base.audio import Pcm
    from dyncp.base.config.experiment import Config
    from dyncp.evaluation.front.day_points import DayFront, DayFrontRun, Entry
    from dyncp.export.formats.bundle import Bundle
    from dyncp.firmware.report.contents.day import SpurtQuality
    from dyncp.train.corpora.recordings import Corpus
    from dyncp.train.day.day import Day

RESULTS = "front-day"


def front_of_day(
    console: Terminal,
    entries: Sequence[Entry],
    corpus: Corpus,
    out: Path,
    start: Path,
    seeds: int,
    minutes: float,
    train_all: Callable[[Sequence[tuple[Path, Config, Path]]], None],
) -> DayFront:
    """Train what is missing, measure every network, print the table and write OUT/front-day.{md,json,png,svg}."""
    from dyncp.commands.evaluation.more import write_results
    from dyncp.commands.fronts.results import day_front_sheet, draw_day_front
    from dyncp.evaluation.front.day_points import DayFront, audio_hash
    from dyncp.evaluation.front.points import front_points
    from dyncp.train.day.day import make_day
    from dyncp.train.day.recipe import load_day
    from dyncp.train.mixing.pairs import CALIBRATION_CLIPS, EVERYDAY, make_pairs

    wanted = [(entry, seed) for entry in entries if entry.config is not None for seed in range(1, seeds + 1)]
    train_all([(entry.trained_in(out, seed), entry.experiment(seed), start) for entry, seed in wanted])
    networks = [(entry.name, _seed(entry), entry.folder) for entry in entries if entry.folder is not None]
    networks += [(entry.name, seed, entry.trained_in(out, seed)) for entry, seed in wanted]
    recipe = load_day()
    with console.status("mixing the day"):
        day = make_day(corpus, "test", minutes, recipe)
    calibration = [pair.noisy for pair in make_pairs(corpus, "train", CALIBRATION_CLIPS, EVERYDAY)]
    runs = []
    for name, seed, folder in networks:
        with console.status(f"calibrating {folder.name}"):
            bundle = _bundle(folder, calibration)
        runs.append(_measured(console, out, name, seed, bundle, day))
    result = DayFront(
        minutes=minutes,
        day_seed=0,
        recipe_hash=hashlib.sha256(recipe.model_dump_json().encode()).hexdigest(),
        audio_hash=audio_hash(day),
        noisy=runs[0].noisy,
        runs=runs,
        points=front_points(runs),
    )
    write_results(console, out, RESULTS, [day_front_sheet(result)], result.model_dump(mode="json"))
    draw_day_front(result, out)
    return result


def _seed(entry: Entry) -> int:
    from dyncp.train.network.checkpoint import load_checkpoint

    assert entry.folder is not None
    return load_checkpoint(entry.folder).config.training.seed


def _bundle(folder: Path, calibration: Sequence[NDArray[np.int16]]) -> Bundle:
    from dyncp.export.quantization.from_checkpoint import quantize_checkpoint
    from dyncp.train.network.checkpoint import load_checkpoint

    bundle = quantize_checkpoint(load_checkpoint(folder), lambda: calibration)
    # Named, though it is not written.
    bundle.hash = bundle.identity
    return bundle


def _measured(console: Console, out: Path, name: str, seed: int, bundle: Bundle, day: Day) -> DayFrontRun:
    """Kept in OUT, and read from there as long as neither the network nor the day changes."""
    from dyncp.base.files import replace_file
    from dyncp.evaluation.day.spurts import spurt_quality
    from dyncp.evaluation.front.day_points import DayFrontRun, audio_hash, day_run

    digest = hashlib.sha256(f"{bundle.identity} {audio_hash(day)} {name} {seed}".encode()).hexdigest()
    kept = out / f"day-{digest[:16]}.json"
    if kept.exists():
        return DayFrontRun.model_validate_json(kept.read_bytes())
    with console.status(f"measuring {name}") as status:

        def scored(enhanced: Pcm) -> SpurtQuality:
            return spurt_quality(day, enhanced, lambda done, of: status.update(f"{name}: scored {done} of {of}"))

        run = day_run(name, seed, bundle, day, scored)
    out.mkdir(parents=True, exist_ok=True)
    replace_file(kept, run.model_dump_json().encode())
    return run
