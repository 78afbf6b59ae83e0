# SPDX-License-Identifier: Apache-2.0
"""From one sample rate to another in memory: what an 8 kHz network hears of a corpus, which is at 16 kHz."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.framing import SAMPLE_RATE

Float = TypeVar("Float", bound=np.floating[Any])


def resampled(signal: NDArray[Float], rate: int, before: int = SAMPLE_RATE) -> NDArray[Float]:
    """A signal [n] at another rate, by soxr, very high quality; untouched where its rate is that already."""
    if rate == before:
        return signal
    # Imported where it is used: a network of the corpus's rate needs none of it.
    import soxr

    return np.asarray(soxr.resample(signal, before, rate, quality="VHQ"), signal.dtype)
