# SPDX-License-Identifier: Apache-2.0
"""A bundle over a day: its C library on the host tells MACs and audio, emulated cores tell instructions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dyncp.base.audio import Pcm, pad_to_the_end
from dyncp.base.config.framing import Framing
from dyncp.evaluation.day.cores import CoreCounts, count_day
from dyncp.evaluation.day.spurts import noise_left_db, spurt_quality
from dyncp.export.formats.bundle import Bundle
from dyncp.firmware.cost.estimate import NO_WAIT, UserBoard, estimate
from dyncp.firmware.cost.events import CycleEstimate
from dyncp.firmware.host.library import host_library
from dyncp.firmware.proof.records import Spread
from dyncp.firmware.report.contents.day import WHOLE, ConditionRow, DayRecord, MacsSpread
from dyncp.train.corpora.recordings import Corpus, Split
from dyncp.train.day.day import Day, make_day
from dyncp.train.day.recipe import CONDITIONS, DayConfig, load_day

SPOKEN_FRAMES = 192

Progress = Callable[[str], object]
"""Told what has begun."""


@dataclass(frozen=True)
class DayOptions:
    """Which day, and what to count on it."""

    split: Split = "test"
    minutes: float = 30.0
    seed: int = 0
    cores: Sequence[str] = ()
    board: UserBoard = NO_WAIT
    recipe: DayConfig | None = None


def measure_day(bundle: Bundle, corpus: Corpus, options: DayOptions, progress: Progress = lambda _: None) -> DayRecord:
    """Cost by condition and quality of the spurts of `bundle` on one day of `corpus`.

    Raises ConfigError for a corpus that lacks speech or noise and for an unknown core, AudioError for a bad recording
    and for a day without speech to score, ToolchainError where a compiler or emulator is missing or fails.
    """
    recipe = options.recipe or load_day()
    progress("mixing the day")
    framing = bundle.config.framing
    laid_out = make_day(corpus, options.split, options.minutes, recipe, options.seed)
    day = laid_out.at(framing.rate)
    samples = len(day.stream.noisy)
    padded = pad_to_the_end(day.stream.noisy, framing)
    progress("running it on the host")
    with host_library(bundle) as library:
        run = library.run(padded)
    enhanced = run.output[framing.delay :][:samples]
    condition = day.conditions(framing)
    heard = len(condition)
    cores: list[CoreCounts] = []
    if options.cores:
        progress(f"emulating {', '.join(options.cores)}")
        cores = count_day(bundle, padded, run, options.cores, _spoken(day, framing))
    cycles = next(
        (estimate(core.cycles, options.board, framing=framing) for core in cores if core.cycles is not None), None
    )
    progress("scoring the spurts")
    quality = spurt_quality(day, enhanced, lambda done, of: progress(f"scoring the spurts: {done} of {of}"))
    frames = [(name, condition == i) for i, name in enumerate(CONDITIONS)]
    table = _Table(run.macs[:heard], run.active[:heard], cores, cycles)
    rows = [
        table.row(name, chosen, noise_left_db(day, enhanced, CONDITIONS.index(name)))
        for name, chosen in frames
        if chosen.any()
    ]
    return DayRecord(
        bundle_hash=bundle.hash,
        recipe_hash=hashlib.sha256(recipe.model_dump_json().encode()).hexdigest(),
        audio_hash=_audio_hash(laid_out),
        split=options.split,
        seed=options.seed,
        minutes=options.minutes,
        channels=bundle.config.blocks * bundle.config.gated,
        macs_all_active=bundle.config.macs_with(bundle.config.blocks * bundle.config.gated),
        rows=[*rows, table.row(WHOLE, np.ones(heard, np.bool_), None)],
        cycles=cycles,
        balance={core.core: core.balance for core in cores},
        quality=quality,
    )


def _spoken(day: Day, framing: Framing) -> Pcm:
    """The beginning of the day's first conversation, of which every channel active takes about the same in any part."""
    first = next(stretch for stretch in day.stretches if stretch.kind == "conversation")
    pcm = day.stream.noisy.reshape(-1, framing.standard.hop)[first.frames][:SPOKEN_FRAMES].reshape(-1)
    return pcm[: len(pcm) // framing.hop * framing.hop]


def _audio_hash(day: Day) -> str:
    return hashlib.sha256(day.stream.noisy.astype("<i2").tobytes()).hexdigest()


@dataclass(frozen=True)
class _Table:
    """What was counted in every frame: macs, active [T]; the cores' counts have those of the delay besides."""

    macs: NDArray[np.int64]
    active: NDArray[np.int64]
    cores: Sequence[CoreCounts]
    cycles: CycleEstimate | None

    def row(self, name: str, chosen: NDArray[np.bool_], left_db: float | None) -> ConditionRow:
        """The row of the frames `chosen`, bool [T]."""
        macs = self.macs[chosen]
        p5, p95 = np.percentile(macs, (5, 95))
        price = self._price(chosen)
        energy = None if self.cycles is None else self.cycles.microjoules_per_frame
        return ConditionRow.model_validate(
            {
                "condition": name,
                "frames": int(chosen.sum()),
                "share": float(chosen.mean()),
                "macs": MacsSpread(mean=float(macs.mean()), p5=float(p5), p95=float(p95)),
                "active": float(self.active[chosen].mean()),
                "instructions": {
                    core.core: _spread(core.instructions[: len(self.macs)][chosen]) for core in self.cores
                },
                "cycles": None if price is None or self.cycles is None else self.cycles.estimate * price,
                "microjoules": None if price is None or energy is None else energy * price,
                "noise_left_db": left_db,
            }
        )

    def _price(self, chosen: NDArray[np.bool_]) -> float | None:
        """Instructions of a mean frame of these over those of the mean frame that cycles were estimated for."""
        for core in self.cores:
            if core.cycles is not None:
                return float(core.instructions[: len(self.macs)][chosen].mean() / core.instructions.mean())
        return None


def _spread(counts: NDArray[np.int64]) -> Spread:
    return Spread(mean=float(counts.mean()), p95=float(np.percentile(counts, 95)), max=int(counts.max()))
