# SPDX-License-Identifier: Apache-2.0
"""`dyncp evaluate`: how well a checkpoint and its bundle enhance speech that they never saw, and what masks tell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dyncp.commands.shared.options import Checkpoint, CorpusFolder, Json, Redistributable, find_checkpoint
from dyncp.commands.shared.quality import print_comparison, scored
from dyncp.commands.shared.terminal import Terminal, make_console

if TYPE_CHECKING:
    from pydantic import BaseModel

    from dyncp.base.quality import Comparison
    from dyncp.evaluation.quality.clean import CleanQuality
    from dyncp.evaluation.quality.gates import GateQuality
    from dyncp.evaluation.quality.levels import LevelTable
    from dyncp.export.formats.bundle import Bundle
    from dyncp.train.corpora.recordings import Corpus
    from dyncp.train.network.checkpoint import Checkpoint as Trained


def evaluate(
    checkpoint: Checkpoint,
    corpus: CorpusFolder,
    bundle: Annotated[
        Path | None,
        typer.Argument(help="The checkpoint's quantized bundle; without it, only the float network is scored."),
    ] = None,
    redistributable: Redistributable = False,
    split: Annotated[
        Literal["validation", "test"], typer.Option(help="Split that speakers and noises are taken from.")
    ] = "test",
    clips: Annotated[int, typer.Option(help="Mixtures of six seconds.", min=1)] = 100,
    clean: Annotated[
        bool, typer.Option("--clean", help="Clean speech put in instead: what is lost where nothing is to be removed.")
    ] = False,
    gates: Annotated[
        bool, typer.Option("--gates", help="What the gates' decisions cost in sound: told where speech is, all open.")
    ] = False,
    rooms: Annotated[
        bool, typer.Option("--rooms", help="The same mixtures, each heard in a room, whose late reflections are noise.")
    ] = False,
    levels: Annotated[str, typer.Option(help="Speech levels in dBFS to compare, such as `-40,-30,-20,-10`.")] = "",
    paper: Annotated[Path | None, typer.Option(help="Folder for the paper's experiments (docs/paper.md).")] = None,
    context: Annotated[
        Path | None, typer.Option(help="Folder for what temporal context gains the probes (docs/beyond.md).")
    ] = None,
    rivals: Annotated[
        Path | None,
        typer.Option(help="Folder for a comparison with today's detectors on the same audio (docs/beyond.md)."),
    ] = None,
    caps: Annotated[
        Path | None, typer.Option(help="Folder for quality against the cap on active channels (docs/network.md).")
    ] = None,
    cap: Annotated[str, typer.Option(help="The caps for --caps, in channels per block, such as `64,32,16`.")] = "",
    day: Annotated[bool, typer.Option("--day", help="Cost and quality over a day instead (docs/day.md).")] = False,
    cores: Annotated[
        str, typer.Option(help="Cores to count the day's instructions on, such as `cortex-m4,cortex-m55`.")
    ] = "",
    microwatts_per_mhz: Annotated[
        float | None, typer.Option(min=0.0, help="What your chip draws, for the day's energy on cortex-m4.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the day.", min=0)] = 0,
    peers: Annotated[bool, typer.Option("--peers", help="Enhancers that people use today beside it instead.")] = False,
    out: Annotated[Path | None, typer.Option(help="JSON file for the result of --day or --peers.")] = None,
    minutes: Annotated[
        float, typer.Option(help="Length of the day, or of each stream for --paper, --context and --rivals.", min=0.1)
    ] = 30.0,
    target: Annotated[
        list[Path] | None, typer.Option(help="A target of your own for these, may be repeated (docs/targets.md).")
    ] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder that caches labels which take long to compute.")] = None,
    json_output: Json = False,
) -> None:
    """Score a network by PESQ, STOI, ESTOI, SI-SDR and DNSMOS: noisy, float and int8, −5 to 15 dB SNR.

    With --paper, --context or --rivals it instead measures how well probes on the masks estimate the signals of unseen
    speakers and noises; with --caps, how quality falls as fewer channels may be active; with --day, what a frame costs
    and how speech sounds over a day of conversations, noise alone, quiet and silence; with --peers, the same clips
    through enhancers that people use today (docs/evaluation.md).
    """
    from dyncp.base.errors import BundleError, ConfigError
    from dyncp.commands.evaluation.more import check_result_file, check_results
    from dyncp.export.formats.bundle import read_bundle
    from dyncp.train.corpora.corpus import load_corpus
    from dyncp.train.network.checkpoint import load_checkpoint

    console = make_console(json_output=json_output)
    for name, folder in (("paper", paper), ("context", context), ("rivals", rivals), ("caps", caps)):
        if folder is not None:
            check_results(folder, name)
    if out is not None:
        check_result_file(out, {} if bundle is None else {"the bundle": bundle})
    trained = load_checkpoint(find_checkpoint(checkpoint))
    recordings = load_corpus(corpus, redistributable)
    integers = None if bundle is None else read_bundle(bundle)
    if cap and caps is None:
        raise ConfigError("--cap names the caps of a curve: give --caps, the folder to write it to, as well")
    if not day and (cores or microwatts_per_mhz is not None):
        raise ConfigError("--cores and --microwatts-per-mhz are for a day's instructions: give --day as well")
    if out is not None and day == peers:
        raise ConfigError("--out is the file of one result: give --day or --peers")
    others = bool(day or peers or levels or paper or context or rivals or caps)
    for name, given in (("clean", clean), ("gates", gates)):
        if given and (others or clean == gates):
            raise ConfigError(f"--{name} is a measurement of its own: leave out the options of the others")
    if rooms and (others or clean):
        raise ConfigError("--rooms is for the plain comparison and --gates: leave out the options of the others")
    if gates and bundle is not None:
        raise ConfigError("--gates measures the float network: leave out its BUNDLE")
    if peers:
        trained.config.network.framing.require_corpus_rate("--peers, whose enhancers hear 16 and 48 kHz,")
        from dyncp.commands.evaluation.peers import run_peers
        from dyncp.export.quantization.fold import fold

        console.document(run_peers(console, fold(trained), integers, recordings, split, clips, out))
        return
    if day:
        if integers is None:
            raise BundleError("--day measures an integer network: name its BUNDLE as well")
        if integers.config != trained.config.network:
            raise BundleError(f"{bundle}: its network is not the checkpoint's; export the checkpoint that is evaluated")
        from dyncp.commands.evaluation.day import parse_cores, run_day
        from dyncp.evaluation.day.measure import DayOptions
        from dyncp.firmware.cost.estimate import UserBoard

        board = UserBoard(microwatts_per_mhz=microwatts_per_mhz)
        options = DayOptions(split, minutes, seed, parse_cores(cores), board)
        console.document(run_day(console, integers, recordings, options, out))
        return
    if paper is None and context is None and rivals is None and caps is None:
        _quality(console, trained, integers, recordings, split, clips, levels, clean=clean, gates=gates, rooms=rooms)
        return
    if integers is None:
        raise BundleError("--paper, --context, --rivals and --caps read an integer network: name its BUNDLE as well")
    if caps is not None:
        from dyncp.commands.evaluation.caps import run_caps

        console.document(run_caps(console, integers, recordings, clips, cap, caps))
        return
    from dyncp.commands.evaluation.more import run_context, run_rivals
    from dyncp.commands.evaluation.paper import Streams, run_paper

    streams = Streams.make(console, integers, recordings, minutes, target or [], cache)
    results: dict[str, BaseModel] = {}
    if paper is not None:
        results["paper"] = run_paper(console, streams, trained, integers, paper)
    if context is not None:
        results["context"] = run_context(console, streams.train, streams.test, context)
    if rivals is not None:
        results["rivals"] = run_rivals(console, streams.train, streams.test, rivals)
    if len(results) == 1:
        console.document(*results.values())
    else:
        console.document({name: result.model_dump(mode="json") for name, result in results.items()})


def _quality(
    console: Terminal,
    trained: Trained,
    bundle: Bundle | None,
    corpus: Corpus,
    split: Literal["validation", "test"],
    clips: int,
    levels: str,
    *,
    clean: bool,
    gates: bool,
    rooms: bool,
) -> None:
    from dyncp.commands.evaluation.clean import run_clean
    from dyncp.commands.evaluation.gates import run_gates
    from dyncp.commands.evaluation.levels import parse_levels, print_levels, score_levels
    from dyncp.export.quantization.fold import fold
    from dyncp.train.mixing.pairs import EVALUATION, IN_ROOMS, make_pairs

    folded = fold(trained)
    result: Comparison | LevelTable | CleanQuality | GateQuality
    mixing = IN_ROOMS if rooms else EVALUATION
    if clean or gates:
        pairs = make_pairs(corpus, split, clips, mixing, folded.config.framing)
        result = run_clean(console, folded, bundle, pairs) if clean else run_gates(console, folded, pairs)
    elif levels:
        result = score_levels(console, folded, bundle, corpus, split, clips, parse_levels(levels))
        print_levels(console, result, folded.config.sample_rate)
    else:
        result = scored(console, folded, bundle, make_pairs(corpus, split, clips, mixing, folded.config.framing))
        print_comparison(console, result, folded.config.sample_rate)
    console.document(result)
