# SPDX-License-Identifier: Apache-2.0
"""Weights as the kernels read them (`dcp_layer` in firmware/runtime/dyncp_layers.h)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.network import NetworkConfig

WORD = 4
"""Bytes; every row of weights starts at one."""


def emitted_weight(layer: str, weight: NDArray[np.generic], config: NetworkConfig) -> NDArray[np.generic]:
    """Weights [rows, columns] of the bundle's `layer` in their order in memory, zeros behind each row."""
    # A depthwise layer is read tap by tap. A pruned channel of a gated hidden layer is a column of the projection:
    # transposed, it is a row that need not be read.
    return padded(weight.T if layer.endswith(".depthwise") or skips_columns(layer, config) else weight)


def padded(weight: NDArray[np.generic]) -> NDArray[np.generic]:
    """Rows that each start at a word."""
    return np.pad(weight, ((0, 0), (0, -weight.shape[1] % WORD)))


def skips_columns(layer: str, config: NetworkConfig) -> bool:
    """Whether `layer` projects gated hidden channels, which dyncp_helium_columns.h wants in rows."""
    return layer.endswith(".project") and config.gate_site == "hidden"


def multiplied_in_pairs(layer: str, config: NetworkConfig) -> bool:
    """Whether firmware/runtime/dsp/dyncp_dsp.h takes two weights of a row of `layer` at a time: dense rows on int8."""
    return layer in ("front", "back") or layer.endswith(
        (".expand", ".project") if config.gate_site == "output" else ".expand"
    )


def neighbour_products(weight: NDArray[np.generic]) -> NDArray[np.int64]:
    """Σₖ W[r, 2k] · W[r, 2k + 1] for each row r of weights [rows, columns]: DCP_BIAS in dyncp_layers.h."""
    padded = np.pad(weight.astype(np.int64), ((0, 0), (0, weight.shape[1] % 2)))
    products: NDArray[np.int64] = (padded[:, ::2] * padded[:, 1::2]).sum(axis=1)
    return products
