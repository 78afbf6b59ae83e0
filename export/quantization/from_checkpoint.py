# SPDX-License-Identifier: Apache-2.0
"""A checkpoint as the integers that `dyncp export` makes of it, probes included."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from dyncp.export.formats.bundle import Bundle
from dyncp.export.quantization.dead import opened_on, without_dead
from dyncp.export.quantization.fold import fold
from dyncp.export.quantization.probes import quantize_probes
from dyncp.export.quantization.quantize import quantize, quantize_trained
from dyncp.train.network.checkpoint import Checkpoint
from dyncp.train.probes.files import load_probes


def quantize_checkpoint(
    checkpoint: Checkpoint,
    calibration: Callable[[], Sequence[NDArray[np.int16]]],
    own_scales: bool = True,
    keep_dead_gates: bool = False,
) -> Bundle:
    """With the scales that a checkpoint trained through its integers brings, else as calibrated on `calibration()`.

    Post-training scales even so with `own_scales` false. Gates on hidden channels that never open there leave the
    network, unless `keep_dead_gates` (export/quantization/dead.py). Raises as `quantize` does, and
    CheckpointError for probes that do not fit the network.
    """
    folded, fitted = fold(checkpoint), load_probes(checkpoint.folder)
    probes = None if fitted is None else quantize_probes(fitted, fitted.bits)
    drops, streams = folded.config.gate_site == "hidden" and not keep_dead_gates, None
    if checkpoint.scales is not None and own_scales:
        bundle = quantize_trained(folded, checkpoint.scales, probes)
    else:
        streams = calibration()
        bundle = quantize(folded, streams, probes)
    if not drops:
        return bundle
    return without_dead(bundle, opened_on(bundle, streams or calibration()))
