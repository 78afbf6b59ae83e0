# SPDX-License-Identifier: Apache-2.0
"""What reading the signals from the masks costs, as the paper counts it and with flipped bits only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.network import NetworkConfig
from dyncp.evaluation.paper.results import CostRow
from dyncp.train.probes.linear import LinearProbe

# arXiv 2602.10666: 21 outputs of 202 features, and the frame with 202 of 1152 channels active and with all of them.
PAPER_OUTPUTS, PAPER_FEATURES = 21, 202
PAPER_MACS = (456_192, 699_392)


def additions_by_flips(features: NDArray[np.bool_], outputs: int) -> NDArray[np.int64]:
    """Additions per frame, [T], where each bit that flipped adds or subtracts one weight per output.

    features bool [T, F]; before the first frame all bits are 0, as on the device after a reset.
    """
    before = np.vstack([np.zeros((1, features.shape[1]), dtype=np.bool_), features[:-1]])
    return np.asarray((features != before).sum(axis=1, dtype=np.int64) * outputs)


def cost_rows(
    masks: NDArray[np.bool_], readers: Mapping[str, Sequence[LinearProbe]], config: NetworkConfig
) -> list[CostRow]:
    """The paper's count beside ours over a stream.

    masks bool [T, blocks, N]; `readers` are named sets of probes, each probe on all masks, [blocks · N] features.
    """
    flat = masks.reshape(len(masks), -1)
    macs = config.macs_by_frame(flat.sum(axis=1, dtype=np.int64))
    rows = [_paper_row()]
    for name, probes in readers.items():
        full = sum(probe.task.outputs * int(probe.kept.sum()) for probe in probes)
        flipped = sum(
            (additions_by_flips(flat[:, probe.kept], probe.task.outputs) for probe in probes),
            np.zeros(len(flat), dtype=np.int64),
        )
        rows.append(_row(f"{name}, full sum", probes, np.full(len(flat), full), macs, config))
        rows.append(_row(f"{name}, flipped bits only", probes, flipped, macs, config))
    return rows


def _row(
    method: str,
    probes: Sequence[LinearProbe],
    additions: NDArray[np.int64],
    macs: NDArray[np.int64],
    config: NetworkConfig,
) -> CostRow:
    return CostRow(
        method=method,
        features=int(np.any([probe.kept for probe in probes], axis=0).sum()),
        outputs=sum(probe.task.outputs for probe in probes),
        additions_mean=float(additions.mean()),
        additions_p95=float(np.percentile(additions, 95)),
        additions_max=int(additions.max()),
        macs_mean=float(macs.mean()),
        share_mean=float(additions.mean() / macs.mean()),
        share_all_active=float(additions.mean() / config.macs_with(config.blocks * config.gated)),
    )


def _paper_row() -> CostRow:
    additions = PAPER_OUTPUTS * PAPER_FEATURES
    return CostRow(
        method="paper, full sum",
        features=PAPER_FEATURES,
        outputs=PAPER_OUTPUTS,
        additions_mean=additions,
        additions_p95=additions,
        additions_max=additions,
        macs_mean=PAPER_MACS[0],
        share_mean=additions / PAPER_MACS[0],
        share_all_active=additions / PAPER_MACS[1],
    )
