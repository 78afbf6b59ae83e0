# SPDX-License-Identifier: Apache-2.0
"""The ONNX models of `export.onnx_graph` in onnxruntime, and the proof that they compute what torch computes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from pydantic import Field, FiniteFloat

from dyncp.base.config.network import NetworkConfig
from dyncp.base.config.reading import StrictModel
from dyncp.export.interchange.onnx_graph import state_shapes

if TYPE_CHECKING:
    import onnx

    from dyncp.train.network.enhancer import Enhancer

Values = NDArray[np.float32]
State = dict[str, Values]


@dataclass(frozen=True)
class Passed:
    """suppression [n, 257]; masks bool [n, blocks, N], N being 0 without gates."""

    suppression: Values
    masks: NDArray[np.bool_]


class Agreement(StrictModel):
    """Of ONNX in onnxruntime with torch, over all frames."""

    frames: int = Field(ge=1)
    mask_bits: int = Field(ge=0, description="of all frames")
    offline_difference: FiniteFloat = Field(description="largest difference of the suppression mask from torch")
    offline_bits: int = Field(description="mask bits that differ from torch")
    step_difference: FiniteFloat
    step_bits: int


def agreement(network: Enhancer, offline: onnx.ModelProto, step: onnx.ModelProto, features: Values) -> Agreement:
    """Run features [n, F] through torch, the offline model, and the step model frame by frame."""
    import torch

    with torch.inference_mode():
        out = network(torch.from_numpy(features.T[None].copy()))
    wanted, bits = out.suppression[0].T.numpy(), out.masks[0].permute(2, 0, 1).numpy() > 0
    found = [run_offline(offline, features, network.config), run_steps(step, features, network.config)]
    difference = [float(np.abs(passed.suppression - wanted).max()) for passed in found]
    differing = [int((passed.masks != bits).sum()) for passed in found]
    return Agreement(
        frames=len(features),
        mask_bits=bits.size,
        offline_difference=difference[0],
        offline_bits=differing[0],
        step_difference=difference[1],
        step_bits=differing[1],
    )


def run_offline(model: onnx.ModelProto, features: Values, config: NetworkConfig) -> Passed:
    """features [n, F] in one call."""
    return _passed([_call(_session(model), {"features": features.T[None, :, None]})], config)


def run_steps(model: onnx.ModelProto, features: Values, config: NetworkConfig) -> Passed:
    """features [n, F] frame by frame from the initial state."""
    return _passed([outputs for _, outputs in steps(model, features, config)], config)


def steps(model: onnx.ModelProto, features: Values, config: NetworkConfig) -> Iterator[tuple[State, State]]:
    """The inputs and outputs, by name, of every step of a stream."""
    session = _session(model)
    state = {name: np.zeros(shape, np.float32) for name, shape in state_shapes(config).items()}
    for frame in features:
        inputs = {"features": frame[None, :, None, None], **state}
        outputs = _call(session, inputs)
        yield inputs, outputs
        state = {name: outputs[f"{name}.next"] for name in state}


def _session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    # One frame is too little work to share between threads.
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _call(session: onnxruntime.InferenceSession, inputs: State) -> State:
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def over_bins(suppression: Values, config: NetworkConfig) -> Values:
    """What the models return, [n, F], at the bins of the spectrum: [n, 257]."""
    return suppression if config.bands is None else np.repeat(suppression, np.diff(config.bands), axis=1)


def _passed(outputs: list[State], config: NetworkConfig) -> Passed:
    suppression = np.concatenate([part["suppression"][0, :, 0].T for part in outputs])
    suppression = over_bins(suppression, config)
    if not config.gated:
        return Passed(suppression, np.zeros((len(suppression), config.blocks, 0), np.bool_))
    masks = np.concatenate([part["masks"][0, :, :, 0].transpose(2, 0, 1) for part in outputs])
    return Passed(suppression, masks.astype(np.bool_))
