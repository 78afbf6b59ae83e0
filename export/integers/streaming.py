# SPDX-License-Identifier: Apache-2.0
"""The reference of P_stream.h: whole recordings as a stream passes them (docs/arithmetic.md, section 12)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers import reference
from dyncp.export.transforms import frontend, resampling
from dyncp.export.transforms.frontend import Integers, saturate

Pcm = NDArray[np.int16]


def stream(bundle: Bundle, pcm: Pcm, wide: bool = False, even: bool = False, above: bool = False) -> Pcm:
    """What a stream gives for int16 `pcm`, [n] of one channel or [n, 2] of a pair with one gain, in the same shape.

    `wide` is 48 kHz, `even` spreads the work and adds a hop of delay, `above` passes what lies above 8 kHz.
    """
    channels = pcm.reshape(len(pcm), -1).T
    if not wide:
        return _joined(_narrow(bundle, list(channels), even), pcm)
    low = [resampling.down(channel) for channel in channels]
    done = _narrow(bundle, low, even)
    framing = bundle.config.framing
    delay = framing.delay + framing.hop * (2 if even else 1)
    return _joined([_widened(*parts, delay, above) for parts in zip(channels, low, done, strict=True)], pcm)


def _joined(channels: list[Pcm], like: Pcm) -> Pcm:
    return np.stack(channels, axis=-1).reshape(like.shape)


def _widened(channel: Pcm, low: Pcm, done: Pcm, delay: int, above: bool) -> Pcm:
    if above:
        done = saturate(done.astype(np.int64) - _late(low, delay), -32768, 32767).astype(np.int16)
    # The first of three comes out with the third that went in.
    out = _late(resampling.up(np.append(done, np.int16(0))), resampling.RATIO - 1)[: len(channel)]
    if above:
        out = out + _late(channel, resampling.RATIO * delay + resampling.DELAY)
    return saturate(out, -32768, 32767).astype(np.int16)


def _narrow(bundle: Bundle, channels: list[Pcm], even: bool) -> list[Pcm]:
    """One channel, or two of one gain, at 16 kHz: of each what comes out when the samples go in."""
    samples = len(channels[0])
    # Even work is that of the hop before, which at first is silent; a hop that does not end gives nothing.
    hop = bundle.config.hop
    before = hop if even else 0
    hops = -(-(samples + before) // hop) + 1
    padded = [np.pad(channel, (before, hops * hop - before - samples)) for channel in channels]
    outputs = [reference.run(bundle, padded[0]).output] if len(padded) == 1 else _pair(bundle, padded[0], padded[1])
    return [_late(output, hop)[:samples].astype(np.int16) for output in outputs]


def _pair(bundle: Bundle, left: Pcm, right: Pcm) -> list[Pcm]:
    """Both channels with the gains of their mean."""
    middle = (left.astype(np.int64) + right >> 1).astype(np.int16)
    told = reference.run(bundle, middle, trace=True).trace["suppression"].astype(np.int64)
    gains = frontend.over_bins(told, bundle.config.bands)
    framing = bundle.config.framing
    spectra = (frontend.analysis(channel.reshape(-1, framing.hop), framing) for channel in (left, right))
    return [frontend.synthesis(spectrum, gains, framing).reshape(-1) for spectrum in spectra]


def _late(values: NDArray[np.integer], by: int) -> Integers:
    """The same by so many samples later, zeros before."""
    return np.concatenate([np.zeros(by, np.int64), values.astype(np.int64)])[: len(values)]


def from_int32(samples: NDArray[np.int32]) -> Pcm:
    """Left-justified samples as the core takes them."""
    return saturate((samples.astype(np.int64) >> 15) + 1 >> 1, -32768, 32767).astype(np.int16)


def from_float(samples: NDArray[np.float32]) -> Pcm:
    """Samples of full scale 1, rounded to the nearest, halves away from 0; what is no number is 0."""
    scaled = np.nan_to_num(samples * np.float32(32768), nan=0.0, posinf=32767, neginf=-32768)
    away = np.where(scaled < 0, scaled - np.float32(0.5), scaled + np.float32(0.5))
    bounded: Pcm = np.trunc(np.clip(away, -32768, 32767)).astype(np.int16)
    return bounded
