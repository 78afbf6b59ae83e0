# SPDX-License-Identifier: Apache-2.0
"""Labels of a stream and conditions of a day in frames of other sizes: of the same seconds as in the standard ones."""

from __future__ import annotations

import numpy as np
import pytest
from constructed import CLASSES, talk_in_hiss
from framings import EARS

from dyncp.base.config.framing import HOP, STANDARD, Framing
from dyncp.bench.assurance.framings import TELEPHONE
from dyncp.train.day.day import Day, Stretch
from dyncp.train.streams.streams import Stream
from dyncp.train.targets.labels import make_labels

WANTED = ("vad", "gender", "noise", "snr_in", "si_sdr", "f0")
OTHERS = [EARS, Framing(160, 512, 400, 320), Framing(512, 1024, 1024, 1024), TELEPHONE]


def labels_of(stream: Stream) -> dict[str, np.ndarray]:
    return make_labels(stream, stream.noisy, CLASSES, WANTED, n_jobs=1, progress=False)


@pytest.mark.parametrize("framing", OTHERS, ids=lambda framing: f"hop{framing.hop}")
def test_labels_are_those_of_the_same_seconds(framing: Framing) -> None:
    stream = talk_in_hiss(6)
    theirs, ours = labels_of(stream), labels_of(stream.cut_for(framing))
    frames = len(stream.noisy) // framing.hop_laid_out
    # The standard frame that ends nearest to the end of each of ours.
    ends = (np.arange(frames) + 1) * framing.hop_laid_out
    nearest = np.minimum(np.round(ends / HOP).astype(int) - 1, stream.frames - 1).clip(0)
    for name, values in ours.items():
        assert values.shape == (frames,)
        wanted = theirs[name][nearest]
        defined = np.isfinite(values) & np.isfinite(wanted)
        # Frames at an edge may lie on its other side.
        assert (np.isfinite(values) == np.isfinite(wanted)).mean() > 0.88, name
        if name in ("vad", "gender", "noise"):
            assert (values == wanted).mean() > 0.95, name
        elif name == "f0":
            assert np.median(np.abs(values - wanted)[defined]) < 3
        else:
            assert np.corrcoef(values[defined], wanted[defined])[0, 1] > 0.97, name


def test_what_lies_behind_the_last_whole_hop_is_cut() -> None:
    stream = talk_in_hiss(5)
    cut = stream.cut_for(Framing(512, 1024, 1024, 1024))
    assert stream.frames == 312
    assert cut.frames == 156 == len(cut.speakers()) == len(cut.noise_categories())
    # A frame is said to be what the hop that it ends in is.
    assert cut.noise_categories().tolist() == stream.noise_categories()[1::2].tolist()


def test_frames_of_a_day_are_in_the_condition_of_the_hop_that_they_end_in() -> None:
    stream = talk_in_hiss(5)
    condition = (np.arange(stream.frames) % 5).astype(np.uint8)
    day = Day(stream, condition, (Stretch("noise", 0, stream.frames),))
    assert day.conditions(STANDARD).tolist() == condition.tolist()
    assert day.conditions(EARS).tolist() == np.repeat(condition, 4).tolist()
    assert day.conditions(Framing(512, 1024, 1024, 1024)).tolist() == condition[1::2].tolist()
