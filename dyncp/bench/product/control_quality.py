# SPDX-License-Identifier: Apache-2.0
"""How the controls sound: quality of the integer network on test mixtures under each setting, and how much noise stays.

Needs a bundle, a corpus (docs/corpora.md) and the extra `benchmark` for DNSMOS. `--docs` renews the table between the
markers of docs/controls.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from dyncp.base.config.framing import HOP
from dyncp.base.quality import Score
from dyncp.bench.product.controls import PAGE
from dyncp.bench.product.page import tell
from dyncp.evaluation.quality.clip_scores import score
from dyncp.export.formats.bundle import Bundle, read_bundle
from dyncp.export.integers import reference
from dyncp.export.integers.controls import DEFAULT, Settings, gains
from dyncp.export.integers.run import hops
from dyncp.export.transforms import frontend
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.mixing.pairs import Pair, make_pairs

MARKERS = "<!-- python -m dyncp.bench.product.control_quality BUNDLE CORPUS --docs -->\n", "<!-- end of the scores -->"

ROWS = {
    "defaults": DEFAULT,
    "limit 6 dB": Settings(limit=6),
    "limit 12 dB": Settings(limit=12),
    "limit 20 dB": Settings(limit=20),
    "strength 50 %": Settings(strength=50),
    "strength 90 %": Settings(strength=90),
    "strength 150 %": Settings(strength=150),
    "strength 200 %": Settings(strength=200),
    "release 60 %": Settings(release=60),
    "release 30 %": Settings(release=30),
    "attack 60 %": Settings(attack=60),
    "attack and release 60 %": Settings(attack=60, release=60),
    "limit 20 dB, strength 130 %": Settings(limit=20, strength=130),
}


def outputs(bundle: Bundle, noisy: NDArray[np.int16]) -> list[NDArray[np.int16]]:
    """Enhanced PCM [n · 256] under each setting; the network, on which none has an effect, runs once."""
    spectrum, config = frontend.analysis(hops(noisy)), bundle.config
    features = frontend.features(spectrum, bundle.tensors["features.thresholds"], config.bands)
    mask, _ = reference.network(bundle, features)
    # Settings act on each value by itself: on bins as on the bands that they are of.
    return [frontend.synthesis(spectrum, gains(mask, [settings] * len(mask))).reshape(-1) for settings in ROWS.values()]


def noise_left(pair: Pair, output: NDArray[np.int16]) -> float:
    """Level of the output against the input, dB, in the tenth of the hops in which the clean speech is quietest."""
    clean, noisy, heard = (x.reshape(-1, HOP).astype(np.float64) for x in (pair.clean, pair.noisy, output))
    power = np.mean(clean[1:-1] ** 2, axis=1)
    rest = 1 + np.flatnonzero(power <= np.quantile(power, 0.1))
    return float(10 * np.log10((np.mean(heard[rest + 1] ** 2) + 1e-3) / (np.mean(noisy[rest] ** 2) + 1e-3)))


def table(bundle: Bundle, pairs: list[Pair], console: Console) -> str:
    """Markdown, noisy first."""
    names = ["noisy", *ROWS]
    scores: list[list[Score]] = [[] for _ in names]
    left: list[list[float]] = [[] for _ in names]
    for pair in track(pairs, console=console, transient=True):
        late = np.concatenate([np.zeros(HOP, np.int16), pair.noisy])[: len(pair.noisy)]
        for row, output in enumerate([late, *outputs(bundle, pair.noisy)]):
            scores[row].append(score(pair.clean[:-HOP], output[HOP:]))
            left[row].append(noise_left(pair, output))
    lines = [
        "| | PESQ-WB | ESTOI | SI-SDR, dB | DNSMOS SIG / BAK / OVRL | noise left, dB |",
        "|---|---|---|---|---|---|",
    ]
    for name, listed, levels in zip(names, scores, left, strict=True):
        mean = Score.mean(listed)
        opinion = "–" if mean.ovrl is None else f"{mean.sig:.2f} / {mean.bak:.2f} / {mean.ovrl:.2f}"
        cells = [f"{mean.pesq:.3f}", f"{mean.estoi:.3f}", f"{mean.si_sdr:.2f}", opinion, f"{np.mean(levels):.1f}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path, help="folder of `dyncp export`")
    parser.add_argument("corpus", type=Path, help="see docs/corpora.md")
    parser.add_argument("--clips", type=int, default=30, help="of the test split")
    parser.add_argument("--docs", action="store_true", help=f"renew the table of {PAGE}")
    arguments = parser.parse_args()
    console = Console()
    pairs = make_pairs(load_corpus(arguments.corpus), "test", arguments.clips)
    tell(table(read_bundle(arguments.bundle), pairs, console), PAGE, MARKERS, arguments.docs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
