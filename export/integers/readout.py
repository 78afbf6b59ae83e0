# SPDX-License-Identifier: Apache-2.0
"""Section 9 of docs/arithmetic.md: from gates to probe words, and from words to the signals that are told."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.network import NetworkConfig
from dyncp.export.formats.probe_set import Probes
from dyncp.export.integers.holding import until_next


def probe_words(probes: Probes | None, config: NetworkConfig, active: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Gates since the start of a stream, bool [n, blocks, N], to probe words, int32 [n, O]; O is 0 without probes."""
    if probes is None:
        return np.zeros((len(active), 0), dtype=np.int32)
    word, bit = np.divmod(probes.channel, 32)
    block_index, word_in_block = np.divmod(word, config.mask_words_per_block)
    bits = active[:, block_index, 32 * word_in_block + bit]
    sums = bits.astype(np.int64) @ probes.weight.astype(np.int64)
    return (sums + probes.bias).astype(np.int32)


def probe_signals(probes: Probes, words: NDArray[np.int32]) -> NDArray[np.int32]:
    """The words since the start of a stream, int32 [n, O], to its signals, int32 [n, O], each task in its period."""
    signals = np.empty_like(words)
    for task, columns in zip(probes.tasks, probes.columns, strict=True):
        read = smoothed(words[:: task.period, columns], task.smoothing, probes.bias[columns])
        signals[:, columns] = until_next(read, task.period, len(words))
    return signals


def smoothed(words: NDArray[np.int32], shift: int, bias: NDArray[np.integer]) -> NDArray[np.int32]:
    """Words of the frames that are smoothed, int32 [n, O], to their one-pole average of 2^-shift from `bias` [O] on."""
    if shift == 0:
        return words.copy()
    fine = 256 * words.astype(np.int64)
    average = 256 * bias.astype(np.int64)
    signals = np.empty_like(fine)
    for n, word in enumerate(fine):
        average = average + ((word - average) >> shift)
        signals[n] = (average + 128) >> 8
    return signals.astype(np.int32)


def speech_valid(signals: NDArray[np.int32], probes: Probes, warm_up: int) -> NDArray[np.bool_]:
    """Whether each frame, [n], counted from the start, makes the tasks of `frames = "speech"` valid."""
    warm = np.arange(1, len(signals) + 1) >= warm_up
    voice = probes.voice_output
    return warm if voice is None else warm & (signals[:, voice] > 0)
