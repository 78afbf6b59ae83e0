# SPDX-License-Identifier: Apache-2.0
"""`dyncp front`: what dynamic pruning buys, against static networks under one protocol and one budget."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from dyncp.commands.shared.options import CorpusFolder, Json, Redistributable, find_checkpoint, find_device
from dyncp.commands.shared.quality import scored
from dyncp.commands.shared.terminal import Terminal, make_console

if TYPE_CHECKING:
    from dyncp.base.config.experiment import Config
    from dyncp.base.quality import Comparison
    from dyncp.evaluation.front.candidates import Protocol
    from dyncp.evaluation.front.points import Front
    from dyncp.export.formats.bundle import Bundle
    from dyncp.export.quantization.fold import FoldedNetwork
    from dyncp.train.corpora.recordings import Corpus
    from dyncp.train.mixing.pairs import Pair


def front(
    corpus: CorpusFolder,
    out: Annotated[Path, typer.Option(help="Folder for all trainings and for front.{json,md,png,svg}.")],
    redistributable: Redistributable = False,
    start: Annotated[
        Path,
        typer.Option(
            help="Checkpoint folder, or the name of a shipped one, from whose weights the dense network starts."
        ),
    ] = Path("paper"),
    steps: Annotated[int, typer.Option(help="Training steps of the dense network, and again of each candidate.")] = 500,
    seeds: Annotated[int, typer.Option(help="Number of trainings of each network.", min=1)] = 1,
    jobs: Annotated[
        int, typer.Option(help="Trainings in parallel, one thread each; a single one uses all cores.", min=1)
    ] = 2,
    clips: Annotated[int, typer.Option(help="Test mixtures of six seconds.", min=1)] = 100,
    only: Annotated[str, typer.Option(help="Train only these, such as `hidden0.25,static84`.")] = "",
    preset: Annotated[
        str, typer.Option(help="What all networks share: a TOML file or the name of a preset.")
    ] = "front",
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "auto",
    compiled: Annotated[bool, typer.Option("--compile", help="Compile each network before it trains.")] = False,
    day: Annotated[
        bool, typer.Option("--day", help="Quality on a day's talk spurts against its mean MACs, of each --network.")
    ] = False,
    network: Annotated[
        list[str] | None,
        typer.Option(
            help="With --day or --delay: a checkpoint's folder, or a preset or TOML file to train, as it is or without "
            "gates and with so many conv channels (`small:static12`). May be given several times."
        ),
    ] = None,
    minutes: Annotated[float, typer.Option(help="With --day or --delay: of the streams that are measured.")] = 30.0,
    delay: Annotated[
        bool, typer.Option("--delay", help="Quality against latency: the presets `delay4` … `delay32`, or --network.")
    ] = False,
    json_output: Json = False,
) -> None:
    """Train, quantize and score static and dynamic networks: quality against MACs per frame (docs/front.md).

    What OUT already holds of this experiment is not trained again, and is scored with the rest.
    """
    from dyncp.base.errors import ConfigError
    from dyncp.commands.evaluation.more import check_results
    from dyncp.commands.fronts import day as front_day
    from dyncp.commands.fronts import delay as front_delay
    from dyncp.evaluation.front.candidates import DENSE, Protocol, parse_candidates, train_into
    from dyncp.evaluation.front.day_points import parse_entries
    from dyncp.evaluation.front.delay_points import NETWORKS
    from dyncp.train.corpora.corpus import load_corpus

    console = make_console(json_output=json_output)
    if day and delay:
        raise ConfigError("--day and --delay: give one; each is a figure of its own")
    if not delay and day != bool(network):
        raise ConfigError("--day and --network: give both; --network says which networks to measure on the day")
    check_results(out, front_day.RESULTS if day else front_delay.RESULTS if delay else "front")
    entries = parse_entries(network or (NETWORKS if delay else ()))
    protocol = Protocol.make(steps, out, preset)
    for config in (protocol.shared, *(entry.trained_with() for entry in entries)):
        # Narrow-band scores, and the SNRs of narrower signals, stand on other scales.
        config.network.framing.require_corpus_rate("a front, whose points are compared,")
    wanted = [protocol.run(candidate, seed) for candidate in parse_candidates(only) for seed in range(1, seeds + 1)]
    recordings = load_corpus(corpus, redistributable)
    recordings.require("train", "validation", "test")
    train = partial(
        train_into, corpus=corpus, redistributable=redistributable, device=find_device(device), compiled=compiled
    )
    if day or delay:
        train_all = partial(_train, console, train, jobs=jobs)
        found = (
            front_day.front_of_day(console, entries, recordings, out, find_checkpoint(start), seeds, minutes, train_all)
            if day
            else front_delay.front_of_delay(
                console, entries, recordings, out, seeds, clips, minutes, train_all, partial(_compared, console)
            )
        )
        console.document(found)
        return
    dense = out / DENSE
    _train(console, train, [(dense, protocol.dense(), find_checkpoint(start))], 1)
    _train(console, train, [(run.folder, run.config, dense) for run in wanted], jobs)
    result = _score(console, protocol, recordings, clips)
    _write(console, result, out)
    console.document(result)


def _train(
    console: Console,
    train: Callable[[Path, Config, Path | None], None],
    tasks: Sequence[tuple[Path, Config, Path | None]],
    jobs: int,
) -> None:
    """`train` each (folder, experiment, checkpoint to start from if any) that is not complete yet, `jobs` at a time."""
    from joblib import Parallel, delayed, parallel_config

    from dyncp.evaluation.front.candidates import is_finished

    missing = [task for task in tasks if not is_finished(task[0], task[1])]
    if not missing:
        return
    names = ", ".join(folder.name for folder, _, _ in missing)
    console.print(f"training {names}", highlight=False, soft_wrap=True)
    with console.status("training"), parallel_config("loky", n_jobs=jobs, inner_max_num_threads=1):
        Parallel()(delayed(train)(*task) for task in missing)


def _score(console: Console, protocol: Protocol, corpus: Corpus, clips: int) -> Front:
    """Quantize every network whose training is complete, and score it on the same test mixtures."""
    from dyncp.evaluation.front.points import Front, front_points, front_run
    from dyncp.export.quantization.fold import fold
    from dyncp.export.quantization.quantize import quantize
    from dyncp.train.mixing.pairs import CALIBRATION_CLIPS, EVERYDAY, make_pairs
    from dyncp.train.network.checkpoint import load_checkpoint

    calibration = [pair.noisy for pair in make_pairs(corpus, "train", CALIBRATION_CLIPS, EVERYDAY)]
    pairs = make_pairs(corpus, "test", clips)
    runs = []
    for run in protocol.finished():
        folded = fold(load_checkpoint(run.folder))
        with console.status(f"calibrating {run.folder.name}"):
            bundle = quantize(folded, calibration)
        comparison = _compared(console, run.folder, folded, bundle, pairs)
        runs.append(front_run(run, bundle, comparison))
    return Front(steps=protocol.steps, clips=clips, noisy=comparison.noisy, runs=runs, points=front_points(runs))


def _compared(
    console: Console, folder: Path, folded: FoldedNetwork, bundle: Bundle, pairs: Sequence[Pair]
) -> Comparison:
    """The network's scores; kept in its folder, and read from there as long as neither it nor the audio changes."""
    from dyncp.base.files import replace_file
    from dyncp.base.quality import Comparison

    digest = hashlib.sha256(f"{folded.source} {bundle.network_hash}".encode())
    for pair in pairs:
        digest.update(pair.clean.tobytes() + pair.noisy.tobytes())
    kept = folder / f"scores-{digest.hexdigest()[:16]}.json"
    if kept.exists():
        return Comparison.model_validate_json(kept.read_bytes())
    comparison = scored(console, folded, bundle, pairs, folder.name)
    replace_file(kept, comparison.model_dump_json(by_alias=True).encode())
    return comparison


def _write(console: Terminal, result: Front, out: Path) -> None:
    from dyncp.commands.evaluation.more import write_results
    from dyncp.commands.fronts.results import draw_front, front_sheet

    write_results(console, out, "front", [front_sheet(result)], result.model_dump(mode="json", by_alias=True))
    draw_front(result, out)
