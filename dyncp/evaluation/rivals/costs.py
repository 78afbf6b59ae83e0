# SPDX-License-Identifier: Apache-2.0
"""Multiplications per frame of 16 ms of the rivals: counted from their graph, or from their published structure."""

from __future__ import annotations

from importlib.resources import as_file
from math import prod

import numpy as np

from dyncp.base.config.framing import BINS, HOP
from dyncp.evaluation.rivals.voice_activity import (
    SILERO_CONTEXT,
    SILERO_STATE,
    SILERO_WINDOW,
    WEBRTC_WINDOW,
    silero_graph,
)

ENERGY = float(HOP)
ENERGY_SOURCE = "squares of a hop; logarithm and floor not counted"
SUPPRESSION = float(3 * BINS)
SUPPRESSION_SOURCE = "|M·X|² and |(1 − M)·X|² of M and |X|², which the enhancer has; logarithm not counted"
FLOOR = float(2 * BINS)
FLOOR_SOURCE = "|X|² and its smoothing; transform, comparisons and logarithm not counted"
WEBRTC_SOURCE = "multiplications, estimated from the structure of its source"


def webrtc_multiplications() -> float:
    """WebRTC's detector at 16 kHz: all-pass decimation and band splitting, energies of six bands, two GMMs per band.

    Structure as in WebRTC's common_audio/vad (vad_sp.c, vad_filterbank.c, vad_gmm.c, vad_core.c): decimation to 8 kHz
    with four multiplications per output sample; a tree of five band splits, two per input sample; a high-pass, five
    per sample of the lowest band; a square per sample of the six bands; and, once per window, 24 Gaussians at some
    seven for the probability and four to adapt mean and deviation. Divisions count as multiplications.
    """
    narrow = HOP // 2
    decimation = 4 * narrow
    splits = 2 * (narrow + 2 * (narrow // 2) + narrow // 4 + narrow // 8)
    high_pass = 5 * narrow // 16
    energies = narrow
    gaussians = 24 * (7 + 4) * HOP / WEBRTC_WINDOW
    return decimation + splits + high_pass + energies + gaussians


def silero_macs() -> float:
    """Multiply–accumulates of Silero's graph at 16 kHz, per frame of ours: its convolutions and its LSTM.

    Shapes come from running one window with every intermediate as an output.
    """
    import onnx
    import onnxruntime

    with as_file(silero_graph()) as path:
        model = onnx.load(path)
    weights = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    layers = [node for node in model.graph.node if node.op_type in ("Conv", "LSTM")]
    model.graph.output.extend(onnx.ValueInfoProto(name=node.output[0]) for node in layers)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    state = np.zeros((1, 1, SILERO_STATE), np.float32)
    inputs = {"input": np.zeros((1, SILERO_WINDOW + SILERO_CONTEXT), np.float32), "h": state, "c": state}
    total = 0
    for node, output in zip(layers, session.run([node.output[0] for node in layers], inputs), strict=True):
        total += _layer_macs(node.op_type, [weights[name] for name in node.input if name in weights], output.shape)
    return total * HOP / SILERO_WINDOW


def _layer_macs(kind: str, weights: list[list[int]], output: tuple[int, ...]) -> int:
    """A convolution [N, C, L] applies its kernel at each output position; an LSTM [L, …] its two matrices each step."""
    if kind == "LSTM":
        return output[0] * (prod(weights[0]) + prod(weights[1]))
    return prod(weights[0]) * output[0] * prod(output[2:])
