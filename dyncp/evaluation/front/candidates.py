# SPDX-License-Identifier: Apache-2.0
"""The front of quality against cost: which networks are compared, and what each of them is trained with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Literal

from dyncp.base.config.experiment import Config, load_config
from dyncp.base.errors import CheckpointError, ConfigError

Site = Literal["output", "hidden", "none"]

STATIC_HIDDEN = (56, 84, 120, 152, 178, 256)
TARGETS = (0.1, 0.25, 0.5)
# Dynamic networks that are narrow first: a static network leaves little to gain from pruning what no frame needs.
NARROW_HIDDEN = (84, 120, 152)
NARROW_TARGET = 0.25
# Of the gates' bottleneck, beside the preset's: in a narrow network, gates are a large part of the cost.
NARROW_GATE = 4
# Share of the steps in which gates close from all open to the target.
RAMP = 0.3
EPOCHS = 2
DENSE = "dense"


@dataclass(frozen=True)
class Candidate:
    """One network of the front: of `hidden` conv channels, or full width, static or pruning itself to `target`."""

    name: str
    site: Site
    hidden: int | None = None
    target: float | None = None
    gate: int | None = None

    def config(self, shared: Config, steps: int, seed: int) -> Config:
        """Its experiment: what all share, this network's width or gates, half of `steps` in each epoch."""
        network: dict[str, object] = {"gate_site": self.site}
        training: dict[str, object] = {"seed": seed, "epochs": EPOCHS, "steps_per_epoch": steps // EPOCHS}
        if self.hidden is not None:
            network["hidden"] = self.hidden
        if self.gate is not None:
            network["gate"] = self.gate
        if self.target is not None:
            training |= {"target_utilization": self.target, "utilization_ramp": RAMP}
        return _changed(shared, network, training)


CANDIDATES = (
    *(Candidate(f"static{hidden}", "none", hidden=hidden) for hidden in STATIC_HIDDEN),
    *(Candidate(f"output{target:g}", "output", target=target) for target in TARGETS),
    *(Candidate(f"hidden{target:g}", "hidden", target=target) for target in TARGETS),
    *(
        Candidate(f"narrow{hidden}-output{NARROW_TARGET:g}", "output", hidden=hidden, target=NARROW_TARGET)
        for hidden in NARROW_HIDDEN
    ),
    *(
        Candidate(f"narrow{hidden}-gate{NARROW_GATE}", "output", hidden=hidden, target=NARROW_TARGET, gate=NARROW_GATE)
        for hidden in NARROW_HIDDEN
    ),
)


@dataclass(frozen=True)
class Run:
    """One candidate trained with one seed, in one folder."""

    candidate: Candidate
    seed: int
    config: Config
    folder: Path


@dataclass(frozen=True)
class Protocol:
    """What a front is made under; `shared` is the preset, `out` the folder that holds all trainings."""

    shared: Config
    steps: int
    out: Path

    @classmethod
    def make(cls, steps: int, out: Path, preset: str | Path = "front") -> Protocol:
        """Raises ConfigError for steps that are not shared equally by the epochs of a candidate."""
        if steps < EPOCHS or steps % EPOCHS:
            raise ConfigError(f"--steps {steps}: must be a positive multiple of {EPOCHS}")
        return cls(load_config(preset), steps, out)

    def dense(self) -> Config:
        """Of the network that every candidate starts from: full width, no gates, one epoch."""
        return _changed(self.shared, {"gate_site": "none"}, {"epochs": 1, "steps_per_epoch": self.steps})

    def run(self, candidate: Candidate, seed: int) -> Run:
        name = candidate.name if seed == 1 else f"{candidate.name}-seed{seed}"
        return Run(candidate, seed, candidate.config(self.shared, self.steps, seed), self.out / name)

    def finished(self) -> Iterator[Run]:
        """Every candidate's runs that have ended under this protocol, seed after seed from 1 on."""
        for candidate in CANDIDATES:
            for seed in count(1):
                run = self.run(candidate, seed)
                if not run.folder.exists():
                    break
                if is_finished(run.folder, run.config):
                    yield run


def _changed(shared: Config, network: dict[str, object], training: dict[str, object]) -> Config:
    # Validated anew, which `model_copy` does not do.
    changed = shared.model_dump()
    changed["network"] |= network
    changed["training"] |= training
    return Config.model_validate(changed)


def parse_candidates(text: str) -> Sequence[Candidate]:
    """`hidden0.25,static84` → candidates, all for an empty text. Raises ConfigError."""
    if not text:
        return CANDIDATES
    known = {candidate.name: candidate for candidate in CANDIDATES}
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in known]:
        raise ConfigError(f"--only {', '.join(unknown)}: no such network; there are {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)]


def is_finished(folder: Path, config: Config) -> bool:
    """Whether the folder holds the last epoch of exactly this experiment. Raises CheckpointError if it is broken."""
    from dyncp.train.network.checkpoint import MANIFEST, load_checkpoint

    if not (folder / MANIFEST).exists():
        return False
    checkpoint = load_checkpoint(folder)
    return checkpoint.config == config and checkpoint.manifest.epoch == config.training.epochs


def train_into(
    folder: Path,
    config: Config,
    start: Path | None,
    corpus: list[Path],
    redistributable: bool,
    device: str,
    compiled: bool,
) -> None:
    """Train to the end, from the weights of the checkpoint `start` or from none; an interrupted one is taken up again.

    Raises CheckpointError where the folder holds another experiment.
    """
    from dyncp.train.corpora.corpus import load_corpus
    from dyncp.train.fitting.trainer import Trainer
    from dyncp.train.mixing.mixers import load_mixers
    from dyncp.train.network.checkpoint import CONFIG, MANIFEST, load_checkpoint

    begun = (folder / MANIFEST).exists()
    if begun and load_checkpoint(folder).config != config:
        raise CheckpointError(
            f"{folder / CONFIG}: is another experiment than this front's; name another --out, or the --steps it had"
        )
    trainer = Trainer(config, *load_mixers(load_corpus(corpus, redistributable), config), folder, device, compiled)
    if begun:
        trainer.resume()
    elif start is not None:
        trainer.start_from(load_checkpoint(start).network)
    # Mixes in its own process: as many trainings run side by side as there are cores.
    trainer.run(lambda _: None, workers=0)
