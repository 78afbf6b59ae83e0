# SPDX-License-Identifier: Apache-2.0
"""`make bench`: speed of what a user waits for, each as a ratio that survives another machine.

Processor time on one core, or time on the wall for a GPU.

host library   times real time, and against the NumPy reference
training       frames per second of steps and evaluation in float32 and bfloat16, eager and compiled, on the CPU and
               on a GPU where there is one; against a plain PyTorch loop (dyncp/bench/textbook.py) and against mixing
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from dyncp.base.config.experiment import Config, load_config
from dyncp.base.config.framing import SAMPLE_RATE
from dyncp.base.files import replace_file
from dyncp.base.paths import CHECKPOINTS
from dyncp.bench.timing import fastest
from dyncp.bench.training import bench_training
from dyncp.export.formats.bundle import write_bundle
from dyncp.export.integers import reference
from dyncp.export.quantization.fold import fold
from dyncp.export.quantization.quantize import quantize
from dyncp.firmware.host.library import host_library
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.corpora.demo_corpus import build_demo_corpus
from dyncp.train.corpora.recordings import Corpus
from dyncp.train.corpora.sharding import shard_corpus
from dyncp.train.corpora.sources import read_sources
from dyncp.train.mixing.clips import Mixer
from dyncp.train.mixing.pairs import make_pairs
from dyncp.train.network.checkpoint import load_checkpoint

OUT = Path("build/bench")


def main() -> None:
    torch.set_num_threads(1)
    corpus = load_corpus(build_demo_corpus(OUT / "corpus"))
    checkpoint = load_checkpoint(CHECKPOINTS / "paper")
    pcm = np.concatenate([pair.noisy for pair in make_pairs(corpus, "test", 4)])
    bundle = quantize(fold(checkpoint), [pcm])
    write_bundle(bundle, OUT / "bundle")
    seconds = len(pcm) / SAMPLE_RATE
    with host_library(bundle) as library:
        host = fastest(lambda: library.run(pcm))
    numpy = fastest(lambda: reference.run(bundle, pcm))

    config = load_config("paper")
    with tempfile.TemporaryDirectory(dir=OUT) as folder:
        shard_corpus(OUT / "corpus", Path(folder) / "shards")
        mixer, sharded = (_mixer(each, config) for each in (corpus, load_corpus(Path(folder) / "shards")))
        training = bench_training(config, mixer, sharded, OUT / "run")
    figures = {
        "host_times_real_time": seconds / host,
        "reference_times_real_time": seconds / numpy,
        "host_against_reference": numpy / host,
        **training,
    }
    replace_file(OUT / "bench.json", (json.dumps(figures, indent=2) + "\n").encode())
    for name, value in figures.items():
        sys.stdout.write(f"{name:48s} {value:12.2f}\n")


def _mixer(corpus: Corpus, config: Config) -> Mixer:
    sources = read_sources(corpus.split("train"))
    return Mixer(sources.speech, sources.noise, config.mixing)


if __name__ == "__main__":
    main()
