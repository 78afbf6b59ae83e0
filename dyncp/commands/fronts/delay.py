# SPDX-License-Identifier: Apache-2.0
"""`dyncp front --delay`: what shorter frames cost, in quality and voice activity, at one cost a second."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dyncp.commands.shared.terminal import Terminal, warn

if TYPE_CHECKING:
    from dyncp.base.audio import Pcm
    from dyncp.base.config.experiment import Config
    from dyncp.base.quality import Comparison, Score
    from dyncp.evaluation.front.day_points import Entry
    from dyncp.evaluation.front.delay_points import DelayCurve, DelayRun
    from dyncp.evaluation.plotting.sheet import Sheet
    from dyncp.export.formats.bundle import Bundle
    from dyncp.export.quantization.fold import FoldedNetwork
    from dyncp.train.corpora.recordings import Corpus, Split
    from dyncp.train.mixing.pairs import Pair
    from dyncp.train.probes.data import ProbeData
    from dyncp.train.probes.observation import Observation

RESULTS = "front-delay"
# Of the table, which has to fit a terminal; the JSON holds everything.
HEADERS = ("network", "ms", "MMAC/s", "PESQ-WB", "ESTOI", "SI-SDR, dB", "OVRL", "VAD, AUC")
METRICS = (("pesq", 3), ("estoi", 3), ("si_sdr", 2), ("ovrl", 3))
PANELS = (("pesq", "PESQ-WB, gain"), ("estoi", "ESTOI, gain"), ("si_sdr", "SI-SDR, gain, dB"))


def front_of_delay(
    console: Terminal,
    entries: Sequence[Entry],
    corpus: Corpus,
    out: Path,
    seeds: int,
    clips: int,
    minutes: float,
    train_all: Callable[[Sequence[tuple[Path, Config, None]]], None],
    compared: Callable[[Path, FoldedNetwork, Bundle, Sequence[Pair]], Comparison],
) -> DelayCurve:
    """Train what is missing, measure every network, print the table and write OUT/front-delay.{md,json,png,svg}."""
    from dyncp.base.errors import ConfigError
    from dyncp.commands.evaluation.more import write_results
    from dyncp.evaluation.front.delay_points import DelayCurve
    from dyncp.train.network.checkpoint import load_checkpoint

    for entry in entries:
        config = entry.config if entry.folder is None else load_checkpoint(entry.folder).config
        if config is not None and config.network.gate_site == "none":
            raise ConfigError(f"--delay {entry.name}: has no gates, so that no mask tells voice activity")
    wanted = [(entry, seed) for entry in entries if entry.config is not None for seed in range(1, seeds + 1)]
    train_all([(entry.trained_in(out, seed), entry.experiment(seed), None) for entry, seed in wanted])
    networks = [(entry.name, entry.folder) for entry in entries if entry.folder is not None]
    networks += [(entry.name, entry.trained_in(out, seed)) for entry, seed in wanted]
    runs, noisy = [], None
    for name, folder in networks:
        seed = load_checkpoint(folder).config.training.seed
        run, noisy = _measured(console, name, seed, folder, corpus, clips, minutes, compared)
        runs.append(run)
    assert noisy is not None
    runs.sort(key=lambda run: (run.latency_ms, run.name, run.seed))
    curve = DelayCurve(clips=clips, minutes=minutes, noisy=noisy, runs=runs)
    write_results(console, out, RESULTS, [delay_sheet(curve)], curve.model_dump(mode="json"))
    draw_delay(curve, out)
    return curve


def _measured(
    console: Terminal,
    name: str,
    seed: int,
    folder: Path,
    corpus: Corpus,
    clips: int,
    minutes: float,
    compared: Callable[[Path, FoldedNetwork, Bundle, Sequence[Pair]], Comparison],
) -> tuple[DelayRun, Score]:
    """The network and the noisy clips' scores."""
    from dyncp.base.errors import ProbeError
    from dyncp.evaluation.front.delay_points import delay_run, voice_activity_of
    from dyncp.export.quantization.fold import fold
    from dyncp.export.quantization.quantize import quantize
    from dyncp.train.mixing.pairs import CALIBRATION_CLIPS, EVERYDAY, make_pairs
    from dyncp.train.network.checkpoint import load_checkpoint

    checkpoint = load_checkpoint(folder)
    folded, framing = fold(checkpoint), checkpoint.config.network.framing
    with console.status(f"calibrating {folder.name}"):
        calibration = make_pairs(corpus, "train", CALIBRATION_CLIPS, EVERYDAY, framing)
        bundle = quantize(folded, [pair.noisy for pair in calibration])
    # Named, though it is not written.
    bundle.hash = bundle.identity
    comparison = compared(folder, folded, bundle, make_pairs(corpus, "test", clips, framing=framing))
    with console.status(f"voice activity of {folder.name}"):
        train, test = _stream(bundle, corpus, "train", minutes), _stream(bundle, corpus, "test", minutes)
        try:
            voice_activity = voice_activity_of(bundle, train, test)
        except ProbeError as error:
            warn(f"{name}: {error}")
            voice_activity = None
    return delay_run(name, seed, bundle, comparison, voice_activity), comparison.noisy


def _stream(bundle: Bundle, corpus: Corpus, split: Split, minutes: float) -> ProbeData:
    from dyncp.base.tasks import VOICE_ACTIVITY
    from dyncp.evaluation.engines.observe import observe
    from dyncp.train.probes.data import make_probe_data

    def masks(pcm: Pcm) -> Observation:
        return observe(bundle, pcm, masks_only=True)

    framing = bundle.config.framing
    return make_probe_data(corpus, split, minutes, masks, [VOICE_ACTIVITY], framing=framing)


def delay_sheet(curve: DelayCurve) -> Sheet:
    """One row for each network and seed, by ascending latency."""
    from dyncp.evaluation.plotting.sheet import Sheet, number

    noisy = [number(getattr(curve.noisy, name), digits) for name, digits in METRICS]
    rows = [("noisy", "", "", *noisy, "")]
    for run in curve.runs:
        scores = [number(getattr(run.int8, name), digits) for name, digits in METRICS]
        heard = None if run.voice_activity is None else run.voice_activity.auc
        rows.append((run.name, f"{run.latency_ms:g}", f"{run.mmacs_mean:.2f}", *scores, number(heard)))
    title = f"Quality against latency, {curve.clips} clips, {curve.minutes:g} minutes of voice activity"
    return Sheet(title, HEADERS, rows)


def draw_delay(curve: DelayCurve, out: Path) -> None:
    """What the integer networks gain, and how well their masks tell speech, over the latency."""
    from dyncp.evaluation.plotting.plots import COLOURS, drawn

    latencies = [run.latency_ms for run in curve.runs]
    series = [(label, [getattr(run.int8_gain, metric) for run in curve.runs]) for metric, label in PANELS]
    series.append(("voice activity, ROC-AUC", [_auc(run) for run in curve.runs]))
    with drawn(out, RESULTS, 10.0, 2.8) as figure:
        for axes, (label, values) in zip(figure.subplots(1, len(series)), series, strict=True):
            axes.plot(latencies, values, "o-", color=COLOURS[0], markersize=5)
            axes.set_xscale("log", base=2)
            ticks = sorted(set(latencies))
            axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
            axes.minorticks_off()
            axes.set_xlabel("latency, ms")
            axes.set_title(label)
            axes.grid(True)


def _auc(run: DelayRun) -> float:
    heard = run.voice_activity
    return float("nan") if heard is None or heard.auc is None else heard.auc
