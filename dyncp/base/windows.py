# SPDX-License-Identifier: Apache-2.0
"""The windows of a framing, with which a mask of 1 gives the input back.

After D. Mauler and R. Martin, "A Low Delay, Variable Resolution, Perfect Reconstruction Spectral Analysis-Synthesis
System for Speech Enhancement" (EUSIPCO 2007): a long analysis window that rises slowly and falls fast, and a short
synthesis window at its end. Their product is a Hann window, whose copies every hop add up to a constant. Where both are
of one length, both are the square root of that Hann window.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.framing import Framing

Window = NDArray[np.float64]


def analysis_window(framing: Framing) -> Window:
    """[analysis]: rises over all but half a synthesis window, falls over that half; within [0, 1]."""
    fall = framing.synthesis // 2
    rise = framing.analysis - fall
    rising, falling = np.arange(rise), np.arange(fall)
    return np.concatenate([np.sin(np.pi * rising / (2 * rise)), np.sin(np.pi * (falling + fall) / (2 * fall))])


def synthesis_window(framing: Framing) -> Window:
    """[synthesis]: the Hann window over the analysis window's end, shared by the frames that overlap; in [0, 1]."""
    length = framing.synthesis
    hann = np.sin(np.pi * np.arange(length) / length)
    if framing.analysis == length:
        return hann * (2 / framing.overlaps)
    return hann**2 * (2 / framing.overlaps) / analysis_window(framing)[-length:]
