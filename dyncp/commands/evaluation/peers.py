# SPDX-License-Identifier: Apache-2.0
"""`dyncp evaluate --peers`: the network beside what people use today, on the same clips."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dyncp.commands.shared.quality import metrics_of
from dyncp.commands.shared.terminal import Terminal, print_sheets

if TYPE_CHECKING:
    from dyncp.base.audio import Pcm
    from dyncp.evaluation.peers.peers import PeerTable
    from dyncp.evaluation.plotting.sheet import Sheet
    from dyncp.export.formats.bundle import Bundle
    from dyncp.export.quantization.fold import FoldedNetwork
    from dyncp.train.corpora.recordings import Corpus
    from dyncp.train.mixing.pairs import Pair


def run_peers(
    console: Terminal,
    folded: FoldedNetwork,
    bundle: Bundle | None,
    corpus: Corpus,
    split: Literal["validation", "test"],
    clips: int,
    out: Path | None,
) -> PeerTable:
    """Print the table, name the peers that are missing, and write both to the file `out`."""
    from dyncp.base.files import replace_file
    from dyncp.evaluation.peers.peers import compare_peers
    from dyncp.train.mixing.pairs import make_pairs

    pairs = make_pairs(corpus, split, clips)
    with console.status("enhancing") as status:
        own = _outputs(folded, bundle, pairs)
        table = compare_peers(pairs, own, lambda name, done: status.update(f"{name}: {done} of {len(pairs)}"))
    print_sheets(console, [peer_sheet(table)])
    for peer in table.missing:
        console.print(f"not run: {peer.name}: {peer.remedy}", highlight=False, markup=False, soft_wrap=True)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        replace_file(out, (table.model_dump_json(indent=2) + "\n").encode())
    return table


def peer_sheet(table: PeerTable) -> Sheet:
    from dyncp.base.config.framing import SAMPLE_RATE
    from dyncp.evaluation.plotting.sheet import Sheet, number

    metrics = metrics_of(table.rows[0].score, SAMPLE_RATE)
    rows = [
        (
            row.name,
            *(number(getattr(row.score, field), digits) for _, field, digits in metrics),
            number(row.delay_ms, 1),
        )
        for row in table.rows
    ]
    # DNSMOS is said once: lines stay short.
    labels = (label if field == "sig" else label.removeprefix("DNSMOS ") for label, field, _ in metrics)
    headers = ("", *labels, "delay, ms")
    return Sheet(f"{table.clips} clips, delays removed", headers, rows)


def _outputs(folded: FoldedNetwork, bundle: Bundle | None, pairs: Sequence[Pair]) -> dict[str, Sequence[Pcm]]:
    """Of the integer network where there is a bundle, else of the float network."""
    from dyncp.base.audio import to_pcm
    from dyncp.evaluation.quality.compare import enhance_float
    from dyncp.firmware.host.library import host_library

    if bundle is None:
        return {"dyncp, float": [to_pcm(enhance_float(folded, pair.noisy)[0]) for pair in pairs]}
    with host_library(bundle) as library:
        return {"dyncp, int8": [library.run(pair.noisy).output for pair in pairs]}
