# SPDX-License-Identifier: Apache-2.0
"""Trains as `dyncp train` does and writes every step's loss and utilization: what torchrun starts in these tests.

python curve.py CONFIG CORPUS OUT [--compile] [--fail RANK]; a failing process raises in its third step.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import torch

from dyncp.base.config import load_config
from dyncp.train import processes
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.corpora.recordings import read_all
from dyncp.train.fitting.trainer import Progress, Trainer
from dyncp.train.mixing.clips import Mixer
from dyncp.train.targets.clip_labels import noise_categories, source_classes


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("config", "corpus", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--fail", type=int)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config, corpus = load_config(arguments.config), load_corpus(arguments.corpus)
    part, categories = corpus.split("train"), noise_categories(corpus)
    mixer = Mixer(read_all(part.speech), read_all(part.noise), config.mixing, source_classes(part, categories))
    curve = []

    def observe(progress: Progress) -> None:
        curve.append((progress.loss, progress.utilization))
        if progress.step == 3 and os.environ.get("RANK") == str(arguments.fail):
            raise RuntimeError("this process was told to fail")

    with processes.joined("cpu") as device:
        Trainer(config, mixer, mixer, arguments.out, device, arguments.compile).run(observe, workers=0)
        if processes.is_first():
            (arguments.out / "curve.json").write_text(json.dumps(curve))


if __name__ == "__main__":
    main()
