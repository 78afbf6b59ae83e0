# SPDX-License-Identifier: Apache-2.0
"""Trains as `dyncp train` does and writes every step's loss and utilization: what torchrun starts in these tests.

python curve.py CONFIG CORPUS OUT [--compile] [--fail RANK] [--diverge RANK] [--keep]

A failing process raises in its third step; a diverging one has audio that is not finite in the third of epoch 2.
A thread gets Python's lock only where another gives it away: who waits for a thread with the lock in hand hangs.
--keep has the trainer outlive its processes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import torch

from dyncp.base.config.experiment import load_config
from dyncp.train import processes
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.corpora.recordings import read_all
from dyncp.train.fitting.trainer import Progress, Trainer
from dyncp.train.mixing.clips import Batch, Mixer
from dyncp.train.targets.clip_labels import noise_categories, source_classes


class Poisonable(Mixer):
    """Its audio stops being finite when it is told so."""

    poisoned = False

    def batch(self, size: int | range, seed: tuple[int, ...]) -> Batch:
        batch = super().batch(size, seed)
        if self.poisoned:
            batch.noisy[0, 1000] = torch.nan
        return batch


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("config", "corpus", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--fail", type=int)
    parser.add_argument("--diverge", type=int)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    sys.setswitchinterval(1000)
    config, corpus = load_config(arguments.config), load_corpus(arguments.corpus)
    part, categories = corpus.split("train"), noise_categories(corpus)
    mixer = Poisonable(read_all(part.speech), read_all(part.noise), config.mixing, source_classes(part, categories))
    curve = []

    def observe(progress: Progress) -> None:
        curve.append((progress.loss, progress.utilization))
        if progress.step == 3 and os.environ.get("RANK") == str(arguments.fail):
            raise RuntimeError("this process was told to fail")
        if progress.step == config.training.steps_per_epoch + 2 and os.environ.get("RANK") == str(arguments.diverge):
            mixer.poisoned = True

    with processes.joined("cpu") as device:
        trainer = Trainer(config, mixer, mixer, arguments.out, device, arguments.compile)
        trainer.run(observe, workers=0)
        if not arguments.keep:
            del trainer
        if processes.is_first():
            (arguments.out / "curve.json").write_text(json.dumps(curve))


if __name__ == "__main__":
    main()
