# SPDX-License-Identifier: Apache-2.0
"""A checkpoint as the integers that `dyncp export` makes of it, probes included."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from dyncp.export.formats.bundle import Bundle
from dyncp.export.quantization.fold import fold
from dyncp.export.quantization.probes import quantize_probes
from dyncp.export.quantization.quantize import quantize, quantize_trained
from dyncp.train.network.checkpoint import Checkpoint
from dyncp.train.probes.files import load_probes


def quantize_checkpoint(
    checkpoint: Checkpoint, calibration: Callable[[], Sequence[NDArray[np.int16]]], own_scales: bool = True
) -> Bundle:
    """With the scales that a checkpoint trained through its integers brings, else as calibrated on `calibration()`.

    Post-training scales even so with `own_scales` false. Raises as `quantize` does, and CheckpointError for probes
    that do not fit the network.
    """
    folded, fitted = fold(checkpoint), load_probes(checkpoint.folder)
    probes = None if fitted is None else quantize_probes(fitted, fitted.bits)
    if checkpoint.scales is not None and own_scales:
        return quantize_trained(folded, checkpoint.scales, probes)
    return quantize(folded, calibration(), probes)
