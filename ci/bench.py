# SPDX-License-Identifier: Apache-2.0
"""`make bench`: speed of what a user waits for, each as a ratio that survives another machine.

Processor time on one core, or time on the wall for a GPU.

host library   times real time, and against the NumPy reference
training       frames per second of steps and evaluation in float32 and bfloat16, eager and compiled, on the CPU and
               on a GPU where there is one; against a plain PyTorch loop (ci/textbook.py) and against mixing
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
from bench_training import bench_training
from timing import fastest

from dyncp.export import reference
from dyncp.export.bundle import write_bundle
from dyncp.export.fold import fold
from dyncp.export.quantize import quantize
from dyncp.firmware.host import host_library
from dyncp.train.checkpoint import load_checkpoint
from dyncp.train.config import SAMPLE_RATE, load_config
from dyncp.train.corpus import load_corpus, read_all
from dyncp.train.demo_corpus import build_demo_corpus
from dyncp.train.mixing import Mixer
from dyncp.train.pairs import make_pairs

OUT = Path("build/bench")


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
    figures = {
        "host_times_real_time": seconds / host,
        "reference_times_real_time": seconds / numpy,
        "host_against_reference": numpy / host,
        **bench_training(config, mixer, OUT / "run"),
    }
    (OUT / "bench.json").write_text(json.dumps(figures, indent=2) + "\n")
    for name, value in figures.items():
        sys.stdout.write(f"{name:48s} {value:12.2f}\n")


if __name__ == "__main__":
    main()
