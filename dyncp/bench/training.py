# SPDX-License-Identifier: Apache-2.0
"""Speed of training steps and of evaluation, in frames per second and against the textbook's loop; and of mixing."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from dyncp.base.config.experiment import Config
from dyncp.base.config.framing import HOP
from dyncp.bench.textbook import Loop
from dyncp.bench.timing import fastest
from dyncp.train.fitting.trainer import Trainer
from dyncp.train.mixing.clips import Mixer

# What a step of each variant is called, its precision, and whether it is compiled.
VARIANTS = (("float32", False), ("float32", True), ("bfloat16", False), ("bfloat16", True))


def bench_training(config: Config, mixer: Mixer, sharded: Mixer, folder: Path) -> dict[str, float]:
    """Figures by name, for the CPU on one thread, and for the GPU where there is one.

    `mixer` holds its recordings in memory, `sharded` reads those of shards as it needs them.
    """
    figures = _bench_mixing(config, mixer)
    shards = _bench_mixing(config, sharded)
    figures |= {f"shards_{name}": value for name, value in shards.items()}
    figures["shards_mixing_against_memory"] = figures["mixing_s"] / shards["mixing_s"]
    for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
        figures |= _bench_device(config, mixer, folder, device, max(figures["mixing_s"], shards["mixing_s"]))
    return figures


def _bench_mixing(config: Config, mixer: Mixer) -> dict[str, float]:
    seconds = fastest(lambda: mixer.batch(config.training.batch, (0,)))
    return {"mixing_s": seconds, "mixing_frames_per_s": _frames(config, mixer) / seconds}


def _bench_device(config: Config, mixer: Mixer, folder: Path, device: str, mixing: float) -> dict[str, float]:
    """Names are DEVICE_PRECISION[_compiled]_WHAT; `against_textbook` is how many times as fast.

    `against_mixing`: how many batches one worker mixes while a step takes place; below 1, steps wait for it.
    """
    batch = mixer.batch(config.training.batch, (0,))
    frames = _frames(config, mixer)
    loop = Loop(config, device)
    textbook = _steady(lambda: loop.step(batch), device)
    loop.network.eval()
    textbook_evaluation = _steady(
        lambda: _evaluate(lambda: loop.forward(batch.noisy, batch.clean, batch.level)), device
    )
    figures = {f"{device}_textbook_step_frames_per_s": frames / textbook}
    for precision, compiled in VARIANTS:
        training = config.training.model_copy(update={"precision": precision})
        trainer = Trainer(config.model_copy(update={"training": training}), mixer, mixer, folder, device, compiled)
        step = _steady(partial(trainer.step, batch, 0), device)
        name = f"{device}_{precision}" + "_compiled" * compiled
        figures[f"{name}_step_frames_per_s"] = frames / step
        figures[f"{name}_step_against_textbook"] = textbook / step
        figures[f"{name}_step_against_mixing"] = step / mixing
        trainer.network.eval()
        evaluation = _steady(partial(_evaluate, partial(trainer.loss, batch)), device)
        figures[f"{name}_evaluation_frames_per_s"] = frames / evaluation
        figures[f"{name}_evaluation_against_textbook"] = textbook_evaluation / evaluation
    return figures


def _frames(config: Config, mixer: Mixer) -> float:
    """Of 16 ms, in one batch."""
    return config.training.batch * mixer.samples / HOP


def _steady(work: Callable[[], object], device: str) -> float:
    """Seconds of `work`, once it has been compiled and the GPU has caught up."""

    def finished() -> None:
        work()
        if device == "cuda":
            torch.cuda.synchronize()

    finished()
    return fastest(finished, time.process_time if device == "cpu" else time.perf_counter)


@torch.no_grad()
def _evaluate(work: Callable[[], object]) -> None:
    work()
