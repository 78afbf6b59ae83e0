# SPDX-License-Identifier: Apache-2.0
"""`make bench`: speed of what a user waits for, each as a ratio that survives another machine.

host library    times real time on one core, and against the NumPy reference
training step   against the time that its batch takes to mix
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from dyncp.export import reference
from dyncp.export.bundle import write_bundle
from dyncp.export.fold import fold
from dyncp.export.quantize import quantize
from dyncp.firmware.host import host_library
from dyncp.train.checkpoint import load_checkpoint
from dyncp.train.config import SAMPLE_RATE, load_config
from dyncp.train.corpus import load_corpus, read_all
from dyncp.train.demo_corpus import build_demo_corpus
from dyncp.train.fit import Trainer
from dyncp.train.mixing import Mixer
from dyncp.train.pairs import make_pairs

OUT = Path("build/bench")
REPEATS = 5


def fastest(work: Callable[[], object]) -> float:
    """Seconds of the fastest of a few runs: the one that other programs disturbed least."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    torch.set_num_threads(1)
    corpus = load_corpus(build_demo_corpus(OUT / "corpus"))
    checkpoint = load_checkpoint(Path("train/checkpoints/paper"))
    pcm = np.concatenate([pair.noisy for pair in make_pairs(corpus, "test", 4)])
    bundle = quantize(fold(checkpoint), [pcm])
    write_bundle(bundle, OUT / "bundle")
    seconds = len(pcm) / SAMPLE_RATE
    with host_library(bundle) as library:
        host = fastest(lambda: library.run(pcm))
    numpy = fastest(lambda: reference.run(bundle, pcm))

    config = load_config("paper")
    part = corpus.split("train")
    mixer = Mixer(read_all(part.speech), read_all(part.noise), config.mixing)
    trainer = Trainer(config, mixer, mixer, OUT / "run")
    batch = mixer.batch(config.training.batch, (0,))
    mixing = fastest(lambda: mixer.batch(config.training.batch, (0,)))
    step = fastest(lambda: trainer.step(batch, 0))

    figures = {
        "host_times_real_time": seconds / host,
        "reference_times_real_time": seconds / numpy,
        "host_against_reference": numpy / host,
        "training_step_s": step,
        "training_step_against_mixing": step / mixing,
    }
    (OUT / "bench.json").write_text(json.dumps(figures, indent=2) + "\n")
    for name, value in figures.items():
        sys.stdout.write(f"{name:32s} {value:10.2f}\n")


if __name__ == "__main__":
    main()
