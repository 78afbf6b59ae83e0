# SPDX-License-Identifier: Apache-2.0
"""The streams that `dyncp evaluate` reads signals from, and `--paper`: the paper's experiments on them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from dyncp.base.audio import Pcm
    from dyncp.evaluation.paper.results import Paper
    from dyncp.export.formats.bundle import Bundle
    from dyncp.train.corpora.recordings import Corpus
    from dyncp.train.network.checkpoint import Checkpoint
    from dyncp.train.probes.data import ProbeData
    from dyncp.train.probes.observation import Observation


@dataclass(frozen=True)
class Streams:
    """Both splits as the integer network sees them; `left_out` says which of the paper's tasks the corpus lacks."""

    train: ProbeData
    test: ProbeData
    left_out: list[str]

    @classmethod
    def make(
        cls, console: Console, bundle: Bundle, corpus: Corpus, minutes: float, targets: list[Path], cache: Path | None
    ) -> Streams:
        """`minutes` of each split, with the paper's tasks and those of the files `targets`."""
        from dyncp.base.config.framing import HOP, STANDARD
        from dyncp.base.errors import ConfigError
        from dyncp.evaluation.engines.observe import observe
        from dyncp.train.probes.data import make_probe_data
        from dyncp.train.targets.standard_tasks import Classes, standard_tasks
        from dyncp.train.targets.user_targets import load_targets

        if bundle.config.framing != STANDARD:
            raise ConfigError(
                "network.hop, fft, analysis_window, synthesis_window, sample_rate: the experiments of "
                f"--paper, --context and --rivals are those of frames of {STANDARD.fft} samples every {STANDARD.hop}, "
                f"at {STANDARD.rate} Hz"
            )
        corpus.require("train", "test")
        own = load_targets(targets)
        classes = Classes.of(corpus.split("train"))

        def observed(pcm: Pcm) -> Observation:
            with Progress(console=console, transient=True) as progress:
                bar = progress.add_task("running the integer network", total=len(pcm) // HOP + 1)
                return observe(bundle, pcm, lambda frames: progress.advance(bar, frames))

        tasks = standard_tasks(classes)
        train, test = (
            make_probe_data(corpus, split, minutes, observed, tasks, own, cache) for split in ("train", "test")
        )
        return cls(train, test, list(classes.left_out().values()))


def run_paper(console: Console, streams: Streams, trained: Checkpoint, bundle: Bundle, folder: Path) -> Paper:
    """Write paper.json, paper.md and the figures to `folder`, which is made."""
    from dyncp.base.errors import ReportError
    from dyncp.evaluation.engines.float_engine import observe_float
    from dyncp.evaluation.paper import paper
    from dyncp.evaluation.paper.tasks_by_features import Compared

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReportError(f"{folder}: cannot be written ({error.strerror}); choose another folder") from None
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("float network", total=paper.STEPS)

        def step(name: str) -> None:
            progress.update(bar, description=name, advance=1)

        float_train, float_test = (observe_float(trained, data.stream.noisy) for data in (streams.train, streams.test))
        compared = Compared(streams.train, streams.test, float_train, float_test, bundle.config)
        results = paper.run(compared, bundle.network_hash, folder, streams.left_out, step)
    console.print(f"{folder / 'paper.md'}, paper.json and {len(list(folder.glob('*.png')))} figures", highlight=False)
    return results
