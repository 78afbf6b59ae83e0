# SPDX-License-Identifier: Apache-2.0
"""In which entries of the tables of both ends an error would show in constructed frames."""

from __future__ import annotations

import numpy as np

from dyncp.export.formats.bundle import Bundle
from dyncp.export.transforms import frontend
from dyncp.firmware.constants.frames import Frames
from dyncp.firmware.constants.sensitivity import Flags


def thresholds_shown(bundle: Bundle, frames: Frames) -> Flags:
    """Thresholds with powers, or means of bands, less than a thousandth away on both sides, [127].

    Those below 1024 where no sum of two squares lies between are left out: the error cannot show.
    """
    bins = frames.given["spectrum"].astype(np.int64)
    power = (bins[:, 0::2] ** 2 + bins[:, 1::2] ** 2).astype(np.uint64)
    if bundle.config.bands is not None:
        power = frontend.band_means(power, bundle.config.bands)
    seen, thresholds = np.sort(power, axis=None), bundle.tensors["features.thresholds"].astype(np.uint64)
    step = np.maximum(thresholds >> np.uint64(10), np.uint64(1))
    less, right, more = (
        np.searchsorted(seen, t, side="left") for t in (thresholds - step, thresholds, thresholds + step)
    )
    return np.asarray((less < right) & (right < more))


def sigmoid_shown(frames: Frames) -> Flags:
    """Entries of which one unit more, and one less, changes the mask of some logit, [257]."""
    table = frontend.sigmoid().astype(np.int64)
    place = np.unique(frames.given["logits"].astype(np.int64)) + 32768
    index, fraction = place >> 8, place & 255
    low, high = table[index], table[index + 1]
    shown = np.ones(len(table), np.bool_)
    for error in (-1, 1):
        right = (low * (256 - fraction) + high * fraction + 128) >> 8
        first = ((low + error) * (256 - fraction) + high * fraction + 128) >> 8
        second = (low * (256 - fraction) + (high + error) * fraction + 128) >> 8
        changed = np.zeros(len(table), np.bool_)
        changed[index[first != right]] = True
        changed[index[second != right] + 1] = True
        shown &= changed
    return shown
