# SPDX-License-Identifier: Apache-2.0
"""`make bundles`: every checkpoint of train/checkpoints as a bundle in dyncp/networks, with NAME.json beside it.

Scales are the checkpoint's own, or are calibrated on the demo's corpus, as `dyncp demo` does. Cost is counted on an
emulated Cortex-M4 on the demo's audio. The same checkpoint gives the same hashes and counts each time. Names after the
command restrict it to those networks; `--check` writes nothing, and fails where a hash differs or a figure is off by
over 1 %.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from safetensors import safe_open

from dyncp.base.audio import Pcm
from dyncp.base.errors import ToolchainError
from dyncp.base.files import replace_file
from dyncp.base.files.reading import parse_json
from dyncp.base.paths import CHECKPOINTS, NETWORKS, shipped_networks
from dyncp.base.scores import Score
from dyncp.bench.shipping.card import read_quality
from dyncp.codegen.generate import generate
from dyncp.export.formats.bundle import Bundle, read_bundle, write_bundle
from dyncp.export.formats.shipped import (
    CoreFigures,
    MacsOfFrame,
    NetworkFigures,
    figures_document,
    figures_path,
    read_figures,
)
from dyncp.export.quantization.from_checkpoint import quantize_checkpoint
from dyncp.firmware.proof.validate import validate
from dyncp.firmware.report.build import build_report
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.corpora.demo_corpus import build_demo_corpus
from dyncp.train.mixing.pairs import CALIBRATION_CLIPS, EVERYDAY, make_pairs
from dyncp.train.network.checkpoint import CARD, PROBES, load_checkpoint
from dyncp.train.streams.demo import SECONDS, noisy_speech

COMMAND = "make bundles"
OUT = Path("build/bundles")
CORE = "cortex-m4"
OPTIMIZE = "-O3"
TOLERANCE = 0.01


@dataclass(frozen=True)
class Sounds:
    """Of the demo's corpus."""

    calibration: list[Pcm]
    noisy: Pcm
    """int16 [n · 256]: what is counted on."""


def demo_sounds(folder: Path) -> Sounds:
    corpus = build_demo_corpus(folder)
    pairs = make_pairs(load_corpus(corpus), "train", CALIBRATION_CLIPS, EVERYDAY)
    return Sounds([pair.noisy for pair in pairs], noisy_speech(corpus, SECONDS).noisy)


def make_bundle(name: str, sounds: Sounds) -> Bundle:
    """The bundle of a shipped checkpoint, its probes included."""
    return quantize_checkpoint(load_checkpoint(CHECKPOINTS / name), lambda: sounds.calibration)


def measure(name: str, bundle: Bundle, noisy: Pcm, work: Path) -> NetworkFigures:
    """Everything that is built stays in the folder `work`. Raises ToolchainError where the core is not bit-exact."""
    write_bundle(bundle, work / "bundle")
    record = validate(bundle, generate(bundle, work / "library"), noisy, work, boards=[CORE], trace=False)
    if not record.exact:
        raise ToolchainError(f"{work}: not bit-exact, so its counts mean nothing; run dyncp validate")
    report = build_report(bundle, work)
    (core,) = report.targets
    flash, ram, macs = core.memory.flash, core.memory.ram, report.macs.per_frame
    return NetworkFigures(
        command=COMMAND,
        checkpoint_sha256=load_checkpoint(CHECKPOINTS / name).sha256,
        bundle_hash=bundle.hash,
        network_hash=bundle.network_hash,
        hop_ms=1000 / bundle.config.framing.frames_per_second,
        latency_ms=bundle.config.framing.latency_ms,
        quality=read_quality(CHECKPOINTS / name / CARD, name),
        signals=probe_scores(CHECKPOINTS / name / PROBES),
        macs=MacsOfFrame(mean=macs.mean, max=macs.max, none_active=macs.none_active, all_active=macs.all_active),
        core=CoreFigures(
            name=core.name,
            compiler=core.compiler,
            optimize=OPTIMIZE,
            network=flash.weights + flash.tables,
            probes=flash.probes,
            code=flash.code,
            state=ram.state + ram.scratch,
            stack=core.stack_bytes,
            instructions_mean=core.instructions_per_frame.mean,
            instructions_max=core.instructions_per_frame.max,
        ),
    )


def probe_scores(path: Path) -> dict[str, Score]:
    """Signal → score, as `dyncp probe` left them in the checkpoint; none without probes."""
    if not path.is_file():
        return {}
    with safe_open(path, "numpy") as file:
        text = file.metadata()["scores"]
    scores = parse_json(text.encode(), path, ToolchainError)
    assert isinstance(scores, dict)
    return {name: Score.model_validate(value) for name, value in scores.items()}


def write(name: str, sounds: Sounds) -> None:
    bundle = make_bundle(name, sounds)
    figures = measure(name, bundle, sounds.noisy, OUT / name)
    write_bundle(bundle, NETWORKS / name)
    replace_file(figures_path(name), figures_document(figures))


def remove(name: str) -> None:
    """A network whose checkpoint is no longer shipped."""
    read_bundle(NETWORKS / name)
    shutil.rmtree(NETWORKS / name)
    figures_path(name).unlink()


def differences(kept: NetworkFigures, now: NetworkFigures) -> list[str]:
    """What is stale: anything that is not equal, or a count that is off by more than 1 %."""
    found = []
    for field in ("checkpoint_sha256", "bundle_hash", "network_hash", "quality", "signals", "macs"):
        if getattr(kept, field) != getattr(now, field):
            found.append(field)
    for field in ("network", "probes", "code", "state", "stack", "instructions_mean", "instructions_max"):
        before, after = getattr(kept.core, field), getattr(now.core, field)
        # Small next to the whole, code and stack may differ by more than a hundredth of themselves.
        whole = {"code": now.core.flash, "stack": now.core.ram}.get(field, after)
        if abs(after - before) > TOLERANCE * whole:
            found.append(f"core.{field}: {before} is now {after}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="by default every checkpoint of train/checkpoints")
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    console = Console(stderr=True)
    names = asked.names or sorted(path.parent.name for path in CHECKPOINTS.glob("*/checkpoint.json"))
    NETWORKS.mkdir(exist_ok=True)
    stale = []
    for name in [] if asked.names else sorted({*shipped_networks()} - {*names}):
        stale.append(f"{name}: its checkpoint is gone")
        if not asked.check:
            remove(name)
            console.print(f"{name}: removed, {CHECKPOINTS / name} is gone", highlight=False)
    with console.status("corpus"):
        sounds = demo_sounds(OUT / "corpus")
    for name in names:
        with console.status(name):
            if asked.check:
                now = measure(name, make_bundle(name, sounds), sounds.noisy, OUT / name)
                stale += [f"{name}: {what}" for what in differences(read_figures(name), now)]
            else:
                write(name, sounds)
                console.print(f"{NETWORKS / name}: {read_figures(name).bundle_hash[:16]}", highlight=False)
    if asked.check and stale:
        sys.exit("\n".join(["stale; run `make bundles`:", *stale]))


if __name__ == "__main__":
    main()
