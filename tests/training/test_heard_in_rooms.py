# SPDX-License-Identifier: Apache-2.0
"""Clips that are heard in a room: early reflections belong to the speech, late ones to the noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dyncp.base.audio import active_rms
from dyncp.base.config.framing import Framing
from dyncp.base.config.mixing import MixingConfig
from dyncp.train.mixing.clips import Clip, Mixer
from dyncp.train.mixing.rooms import EARLY_S, Room, rooms

RATE = 16000
PLAIN: dict[str, Any] = {"clip_s": 2.0, "noise_only": 0, "second_noise": 0, "eq_db": 0, "speed": 0, "snr_db": (5, 5)}


@pytest.fixture(scope="module")
def heard_in() -> tuple[Room, ...]:
    return rooms(1.0, "test", RATE)


def mixer(heard_in: tuple[Room, ...], **changes: Any) -> Mixer:
    """Speech is bursts of noise, the noise is white."""
    rng = np.random.default_rng(1)
    bursts = 3000 * rng.standard_normal(5 * RATE) * (np.arange(5 * RATE) % RATE < 6000)
    noise = 1000 * rng.standard_normal(5 * RATE)
    return Mixer([bursts.astype(np.int16)], [noise.astype(np.int16)], MixingConfig(**PLAIN | changes), rooms=heard_in)


def clips(source: Mixer, count: int = 8) -> list[Clip]:
    return [source.clip(np.random.default_rng(seed)) for seed in range(count)]


def test_a_response_begins_with_the_direct_sound_and_decays(heard_in: tuple[Room, ...]) -> None:
    for room in heard_in:
        energy = np.square(room.early)
        assert abs(int(energy[: room.direct + 40].argmax()) - room.direct) <= 1
        # The filter of a fractional delay apart, nothing is heard before it.
        assert not energy[: max(0, room.direct - 41)].any()
        assert len(room.early) == room.direct + round(EARLY_S * RATE)
        assert not room.late[: len(room.early)].any()
        late = np.square(room.late[len(room.early) :])
        assert late[len(late) // 2 :].sum() < 0.03 * late.sum()


def test_speech_is_heard_at_its_level_and_without_delay(heard_in: tuple[Room, ...]) -> None:
    plain, reverberant = clips(mixer(heard_in)), clips(mixer(heard_in, rooms=1.0))
    for dry, wet in zip(plain, reverberant, strict=True):
        assert active_rms(wet.clean) == pytest.approx(wet.level, rel=1e-3)
        # Images may coincide in a later peak, which may be the higher one; before lag 0 there is none.
        lags = np.abs(np.correlate(wet.clean[4000:20000], dry.clean[4200:19800], "valid"))
        assert lags[200] == lags[150:210].max()
        assert lags[200] > max(3 * lags[:195].max(), 0.5 * lags.max())


def test_late_reflections_are_noise(heard_in: tuple[Room, ...]) -> None:
    """Beside next to no noise, what is not speech is heard after each burst, some 20 dB or less below it."""
    for clip in clips(mixer(heard_in, rooms=1.0, snr_db=(60, 60))):
        late = clip.noisy - clip.clean
        assert -35 < 20 * np.log10(active_rms(late) / clip.level) < 5


def test_the_noise_keeps_its_level(heard_in: tuple[Room, ...]) -> None:
    for clip in clips(mixer(heard_in, rooms=1.0, snr_db=(-30, -30))):
        noise = clip.noisy - clip.clean
        assert 20 * np.log10(clip.level / np.sqrt(np.mean(np.square(noise)))) == pytest.approx(-30, abs=0.2)


def test_a_share_of_the_clips_is_in_a_room_and_the_others_are_what_they_were(heard_in: tuple[Room, ...]) -> None:
    plain, some = clips(mixer(heard_in), 40), clips(mixer(heard_in, rooms=0.5), 40)
    alike = sum(np.array_equal(dry.noisy, wet.noisy) for dry, wet in zip(plain, some, strict=True))
    assert 10 <= alike <= 30
    assert [clip.snr_db for clip in plain] == [clip.snr_db for clip in some]


@pytest.mark.parametrize("kind", ["noise_only", "quiet", "silence"])
def test_clips_without_speech_are_in_no_room(heard_in: tuple[Room, ...], kind: str) -> None:
    plain, wet = (clips(mixer(heard_in, **{kind: 1.0, "rooms": share})) for share in (0, 1))
    assert all(np.array_equal(a.noisy, b.noisy) for a, b in zip(plain, wet, strict=True))


def test_a_pause_is_not_silent_in_a_room(heard_in: tuple[Room, ...]) -> None:
    """Speech ends before the room does: the pause is put into what is said, not into what is heard."""
    pauses = {"clip_s": 4.0, "pauses": 1.0, "snr_db": (90, 90)}
    said, heard = clips(mixer(heard_in, **pauses)), clips(mixer(heard_in, **pauses, rooms=1.0))
    for dry, wet in zip(said, heard, strict=True):
        pause = np.abs(dry.noisy) < 1e-4
        assert np.square(wet.noisy[pause]).sum() > 10 * np.square(dry.noisy[pause]).sum()


def test_no_split_hears_the_rooms_of_another(heard_in: tuple[Room, ...]) -> None:
    others = rooms(1.0, "validation", RATE)
    assert not {room.early.tobytes() for room in heard_in} & {room.early.tobytes() for room in others}


def test_at_8_khz_a_room_is_as_long_a_time(heard_in: tuple[Room, ...]) -> None:
    """The same rooms: the direct sound is as late, in time."""
    slow = rooms(1.0, "test", 8000)
    filters = {8000: 40 / 8000, RATE: 40 / RATE}
    for low, high in zip(slow, heard_in, strict=True):
        assert low.direct / 8000 - filters[8000] == pytest.approx(high.direct / RATE - filters[RATE], abs=2e-4)
    framing = Framing(128, 256, 256, 256, 8000)
    source = mixer(heard_in)
    clip = Mixer(source.speech, source.noise, MixingConfig(**PLAIN, rooms=1.0), framing=framing, rooms=slow).clip(
        np.random.default_rng(0)
    )
    assert len(clip.noisy) == 16000
    assert active_rms(clip.clean, 8000) == pytest.approx(clip.level, rel=1e-3)


def test_rooms_that_are_asked_for_have_to_be_given() -> None:
    with pytest.raises(ValueError, match="none is given"):
        mixer((), rooms=0.5)


def test_without_a_share_no_room_is_made() -> None:
    assert rooms(0.0, "train", RATE) == ()
