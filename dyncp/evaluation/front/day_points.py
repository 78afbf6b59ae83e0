# SPDX-License-Identifier: Apache-2.0
"""Quality on the talk spurts of a day against its mean MACs: networks, trained or to be trained, and their points."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, FiniteFloat

from dyncp.base.audio import Pcm, pad_to_the_end
from dyncp.base.config.experiment import Config, find_config, load_config
from dyncp.base.config.reading import StrictModel
from dyncp.base.errors import ConfigError
from dyncp.base.quality import Score
from dyncp.evaluation.front.candidates import Site
from dyncp.evaluation.front.points import FrontPoint
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers import reference
from dyncp.firmware.host.library import host_library
from dyncp.firmware.report.contents.day import SpurtQuality
from dyncp.train.day.day import Day
from dyncp.train.day.recipe import SPEECH

# Frames of a static network at once in the reference, whose memory grows with them.
AT_ONCE = 4096
STATIC = "static"
MANIFEST = "checkpoint.json"


class DayFrontRun(StrictModel):
    """One network of one seed, in integers: its cost on the day and the quality of the spurts."""

    name: str
    site: Site
    seed: int = Field(ge=0)
    hidden: int = Field(ge=1, description="conv channels per block")
    bundle_hash: str
    macs_mean: FiniteFloat = Field(description="per frame of the day")
    macs_speech: FiniteFloat = Field(description="per frame of a talk spurt")
    macs_rest: FiniteFloat = Field(description="per frame of all that is no speech")
    macs_all_active: int = Field(ge=1)
    weight_bytes: int = Field(ge=1, description="int8 weights of all layers, gates included")
    noisy: Score
    int8: Score
    int8_gain: Score


class DayFront(StrictModel):
    """Everything that `dyncp front --day` measured."""

    minutes: FiniteFloat
    day_seed: int
    recipe_hash: str
    audio_hash: str
    noisy: Score
    runs: list[DayFrontRun]
    points: list[FrontPoint] = Field(description="by ascending mean MACs of the day")


@dataclass(frozen=True)
class Entry:
    """A network of the front: a checkpoint's folder, or an experiment to train with `seeds` seeds."""

    name: str
    folder: Path | None
    config: Config | None

    def trained_with(self) -> Config:
        """What it was trained with, or is to be."""
        if self.folder is None:
            assert self.config is not None
            return self.config
        from dyncp.train.network.checkpoint import load_checkpoint

        return load_checkpoint(self.folder).config

    def experiment(self, seed: int) -> Config:
        """Of a seed. Seeds replace the configuration's own."""
        assert self.config is not None
        changed = self.config.model_dump()
        changed["training"]["seed"] = seed
        return Config.model_validate(changed)

    def trained_in(self, out: Path, seed: int) -> Path:
        return out / (self.name if seed == 1 else f"{self.name}-seed{seed}")


def parse_entries(texts: Sequence[str]) -> list[Entry]:
    """`runs/tiny`, `small`, `mine.toml`, `small:static12` → entries.

    A folder is a checkpoint; else it is the name of a preset or a TOML file, with `:staticH` the same experiment
    without gates and with H conv channels. Raises ConfigError for what is none of these, and for a name twice.
    """
    entries = [_entry(text) for text in texts]
    names = [entry.name for entry in entries]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ConfigError(f"--network {', '.join(sorted(twice))}: twice; results are told apart by their names")
    return entries


def _entry(text: str) -> Entry:
    folder = Path(text)
    if (folder / MANIFEST).is_file():
        return Entry(folder.name, folder, None)
    name, _, variant = text.partition(":")
    config, stem = load_config(name), find_config(name).stem
    if not variant:
        return Entry(stem, None, config)
    width = variant.removeprefix(STATIC)
    if not variant.startswith(STATIC) or not width.isdigit():
        raise ConfigError(f"--network {text}: behind the colon stands staticH, H being conv channels, as in static12")
    return Entry(f"{stem}-{variant}", None, _static(config, int(width), text))


def _static(config: Config, hidden: int, text: str) -> Config:
    """The experiment without gates; what the losses ask of gates no longer applies."""
    changed = config.model_dump()
    changed["network"] |= {"gate_site": "none", "hidden": hidden, "gate_period": 1, "gate_shared": "block"}
    changed["network"] |= {"block_cap": None, "frame_cap": None}
    changed["training"] |= {
        "auxiliary_weight": 0.0,
        "detection_weight": 0.0,
        "open_channels": 0,
        "lean": 0.0,
        "nested_widths": False,
    }
    try:
        return Config.model_validate(changed)
    except ValueError as error:
        raise ConfigError(f"--network {text}: {error}") from None


def day_run(
    name: str, seed: int, bundle: Bundle, day: Day, spurt_quality: Callable[[Pcm], SpurtQuality]
) -> DayFrontRun:
    """Measure a bundle, of a static network too, on `day`.

    `spurt_quality` scores the day's noisy audio, enhanced and aligned. Raises ToolchainError where there is no
    compiler.
    """
    framing = bundle.config.framing
    output, macs = _heard(bundle, pad_to_the_end(day.stream.noisy, framing))
    speech = day.conditions(framing) == SPEECH
    macs = macs[: len(speech)]
    quality = spurt_quality(output[framing.delay :][: len(day.stream.noisy)])
    config = bundle.config
    return DayFrontRun(
        name=name,
        site=config.gate_site,
        seed=seed,
        hidden=config.hidden,
        bundle_hash=bundle.identity,
        macs_mean=float(macs.mean()),
        macs_speech=_mean(macs, speech),
        macs_rest=_mean(macs, ~speech),
        macs_all_active=config.macs_with(config.blocks * config.gated),
        weight_bytes=sum(t.nbytes for tensor, t in bundle.tensors.items() if tensor.endswith(".weight")),
        noisy=quality.noisy,
        int8=quality.int8,
        int8_gain=quality.gain,
    )


def _heard(bundle: Bundle, pcm: Pcm) -> tuple[Pcm, NDArray[np.int64]]:
    """Output and MACs of every frame. A static network has no C: the reference computes it."""
    if bundle.config.gated:
        with host_library(bundle) as library:
            run = library.run(pcm)
        return run.output, run.macs
    output = static_output(bundle, pcm)
    return output, np.full(len(pcm) // bundle.config.hop, bundle.config.macs(0), np.int64)


def static_output(bundle: Bundle, pcm: Pcm, at_once: int = AT_ONCE) -> Pcm:
    """Int16 PCM [n · hop] enhanced by a static network, `at_once` frames at a time.

    A frame depends on no more than those of the receptive field, and on those that the transforms overlap with:
    each part is begun so much earlier, and is the same as in one piece.
    """
    hop, framing = bundle.config.hop, bundle.config.framing
    before = bundle.config.receptive_field - 1 + framing.overlaps - 1 + -(-framing.analysis // hop) - 1
    parts = []
    for start in range(0, len(pcm) // hop, at_once):
        first = max(0, start - before)
        run = reference.run(bundle, pcm[first * hop : (start + at_once) * hop])
        parts.append(run.output[(start - first) * hop :])
    return np.concatenate(parts)


def _mean(macs: NDArray[np.int64], chosen: NDArray[np.bool_]) -> float:
    return float(macs[chosen].mean()) if chosen.any() else 0.0


def audio_hash(day: Day) -> str:
    return hashlib.sha256(day.stream.noisy.astype("<i2").tobytes()).hexdigest()
