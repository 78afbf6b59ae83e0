# SPDX-License-Identifier: Apache-2.0
"""The float network as ONNX (docs/interchange.md): offline over any number of frames, and one step of a stream.

Both are written node by node from the folded layers, so that they have the names of docs/bundle.md and nothing that an
exporter left behind. Every activation is [1, channels, 1, frames], an image one pixel high: converters know depthwise
convolutions of images, and make grouped ones of the rest.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from dyncp.base.config import BINS, NetworkConfig
from dyncp.base.errors import InterchangeError
from dyncp.base.version import __version__
from dyncp.export.quantization.fold import FoldedNetwork

# What a converter of 2025 reads: operator set 17 has every operator used here, IR version 8 belongs to it.
OPSET, IR_VERSION = 17, 8


def offline_model(folded: FoldedNetwork, frames: int | None = None) -> onnx.ModelProto:
    """features [1, 257, 1, frames] from the start of a stream → suppression [1, 257, 1, frames], masks bool
    [1, blocks, N, 1, frames], if there are gates. `frames` None leaves their number open.

    Raises InterchangeError for a network with a cap, as `step_model` does."""
    return _Offline(folded, "frames" if frames is None else frames).model()


def step_model(folded: FoldedNetwork) -> onnx.ModelProto:
    """One frame: as `offline_model`, and for each entry of `state_shapes` an input `name` and an output `name.next`,
    which is the next step's input. A stream starts with zeros."""
    return _Step(folded, 1).model()


def state_shapes(config: NetworkConfig) -> dict[str, tuple[int, int, int, int]]:
    """The step's state by name: per block the depthwise layer's past inputs, and what pooling remembers."""
    shapes = {}
    for i, dilation in enumerate(config.block_dilations):
        shapes[f"blocks.{i}.history"] = (1, config.hidden, 1, 2 * dilation)
        pooled = config.pooling_frames - 1 if config.pooling == "window" else 1
        if config.gated and pooled:
            shapes[f"blocks.{i}.pool"] = (1, config.channels, 1, pooled)
    return shapes


class _Graph(ABC):
    """Collects nodes; subclasses say where the past comes from."""

    def __init__(self, folded: FoldedNetwork, frames: int | str) -> None:
        self.folded, self.config, self.frames = folded, folded.config, frames
        if self.config.capped:
            raise InterchangeError(
                "block_cap, frame_cap: a cap counts channels across blocks, for which ONNX has no operator that int8 "
                "converters know; remove both from config.toml to export the network without its cap"
            )
        if self.config.bands is not None or not self.config.decides_every_block_and_frame:
            raise InterchangeError(
                "bands, gate_period, gate_shared: the exported graph has the paper's ends and gates; with such "
                "options a network runs in torch, in the NumPy reference and in C"
            )
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.inputs = [_value("features", (1, BINS, 1, frames))]
        self.outputs = [_value("suppression", (1, BINS, 1, frames))]

    def model(self) -> onnx.ModelProto:
        self.network()
        graph = helper.make_graph(self.nodes, "dyncp", self.inputs, self.outputs, self.constants)
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION, producer_name="dyncp")
        model.producer_version = __version__
        about = {"checkpoint_sha256": self.folded.source, "network": self.config.model_dump_json()}
        helper.set_model_props(model, about)
        onnx.checker.check_model(model, full_check=True)
        return model

    def network(self) -> None:
        residual = self.op("Relu", self.layer("front", "features"), "front.residual")
        masks = []
        for i in range(self.config.blocks):
            residual, mask = self.block(i, residual)
            masks += mask
        self.op("Sigmoid", self.layer("back", residual), "suppression")
        if masks:
            axis = self.constant("masks.axis", np.array([1]))
            stacked = [self.op("Unsqueeze", [mask, axis], f"{mask}.block") for mask in masks]
            self.op("Concat", stacked, "masks", axis=1)
            shape = (1, self.config.blocks, self.config.gated, 1, self.frames)
            self.outputs.append(_value("masks", shape, TensorProto.BOOL))

    def block(self, i: int, residual: str) -> tuple[str, list[str]]:
        """The residual after block i, and its mask, bool [1, N, 1, frames], if it has gates."""
        name, site = f"blocks.{i}", self.config.gate_site
        mask = [self.gate(i, residual)] if self.config.gated else []
        hidden = self.op("Relu", self.layer(f"{name}.expand", residual), f"{name}.hidden")
        if site == "hidden":
            hidden = self.gated(mask[0], hidden)
        depthwise = self.depthwise(i, hidden)
        out = self.op("Relu", depthwise, f"{depthwise}.relu")
        if site == "hidden":
            out = self.gated(mask[0], out)
        update = self.layer(f"{name}.project", out)
        if site == "output":
            update = self.gated(mask[0], update)
        return self.op("Add", [residual, update], f"{name}.residual"), mask

    def gate(self, i: int, residual: str) -> str:
        name = f"blocks.{i}.gate"
        reduced = self.op("Relu", self.layer(f"{name}.reduce", self.pool(i, residual)), f"{name}.hidden")
        score = self.layer(f"{name}.score", reduced)
        return self.op("Greater", [score, self.constant("zero", np.zeros(1, np.float32))], f"blocks.{i}.mask")

    def pool(self, i: int, residual: str) -> str:
        if self.config.pooling == "ema":
            return self.ema(i, residual)
        return residual if self.config.pooling_frames == 1 else self.window(i, residual)

    def gated(self, mask: str, x: str) -> str:
        """A choice, not a product: int8 converters have one for it, and a pruned value is 0 whatever it would be."""
        return self.op("Where", [mask, x, self.constant("zero", np.zeros(1, np.float32))], f"{x}.gated")

    @abstractmethod
    def depthwise(self, i: int, hidden: str) -> str:
        """Block i's depthwise layer over `hidden` and the frames before it."""

    @abstractmethod
    def window(self, i: int, residual: str) -> str:
        """Mean of the last F frames."""

    @abstractmethod
    def ema(self, i: int, residual: str) -> str:
        """The one-pole average e ← e + α (x − e)."""

    def layer(self, name: str, x: str) -> str:
        """A pointwise layer."""
        return self.convolution(name, x, self.folded.layers[name].weight[:, :, None, None])

    def taps(self, i: int, x: str, pads: list[int]) -> str:
        name, dilation = f"blocks.{i}.depthwise", self.config.block_dilations[i]
        weight = self.folded.layers[name].weight[:, None, None, :]
        return self.convolution(name, x, weight, group=self.config.hidden, dilations=[1, dilation], pads=pads)

    def mean(self, i: int, x: str, pads: list[int]) -> str:
        frames = [1, self.config.pooling_frames]
        return self.op("AveragePool", x, f"blocks.{i}.pooled", kernel_shape=frames, pads=pads, count_include_pad=1)

    def convolution(self, name: str, x: str, weight: NDArray[np.float64], **attributes: Any) -> str:
        bias = self.folded.layers[name].bias
        parameters = [self.constant(f"{name}.weight", weight.astype(np.float32))]
        if np.any(bias):
            parameters.append(self.constant(f"{name}.bias", bias.astype(np.float32)))
        return self.op("Conv", [x, *parameters], name, **attributes)

    def op(self, kind: str, inputs: str | Sequence[str], output: str, **attributes: Any) -> str:
        names = [inputs] if isinstance(inputs, str) else inputs
        self.nodes.append(helper.make_node(kind, names, [output], name=output, **attributes))
        return output

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        if all(name != known.name for known in self.constants):
            self.constants.append(numpy_helper.from_array(value, name))
        return name


class _Offline(_Graph):
    """Zeros stand for the frames before the first."""

    def depthwise(self, i: int, hidden: str) -> str:
        return self.taps(i, hidden, [0, 2 * self.config.block_dilations[i], 0, 0])

    def window(self, i: int, residual: str) -> str:
        return self.mean(i, residual, [0, self.config.pooling_frames - 1, 0, 0])

    def ema(self, i: int, residual: str) -> str:
        start = self.constant("pool.start", np.zeros((1, self.config.channels, 1), np.float32))
        shape = (1, self.config.channels, 1)
        carried, frame, following, pooled = (_value(name, shape) for name in ("average", "frame", "next", "pooled"))
        alpha = numpy_helper.from_array(_alpha(self.config), "alpha")
        body = [
            helper.make_node("Sub", ["frame", "average"], ["difference"]),
            helper.make_node("Mul", ["difference", "alpha"], ["change"]),
            helper.make_node("Add", ["average", "change"], ["next"]),
            helper.make_node("Identity", ["next"], ["pooled"]),
        ]
        step = helper.make_graph(body, "one_pole", [carried, frame], [following, pooled], [alpha])
        name, outputs = f"blocks.{i}.pooled", [f"blocks.{i}.average", f"blocks.{i}.pooled"]
        time: dict[str, Any] = {"scan_input_axes": [3], "scan_output_axes": [3]}
        scan = helper.make_node("Scan", [start, residual], outputs, name, body=step, num_scan_inputs=1, **time)
        self.nodes.append(scan)
        return name


class _Step(_Graph):
    """Every past frame is an input; the frames that the next step needs are outputs."""

    def depthwise(self, i: int, hidden: str) -> str:
        return self.taps(i, self.shifted(f"blocks.{i}.history", hidden), [0, 0, 0, 0])

    def window(self, i: int, residual: str) -> str:
        return self.mean(i, self.shifted(f"blocks.{i}.pool", residual), [0, 0, 0, 0])

    def ema(self, i: int, residual: str) -> str:
        name = self.state(f"blocks.{i}.pool")
        difference = self.op("Sub", [residual, name], f"{name}.difference")
        change = self.op("Mul", [difference, self.constant("alpha", _alpha(self.config))], f"{name}.change")
        return self.op("Add", [name, change], f"{name}.next")

    def shifted(self, name: str, newest: str) -> str:
        """The frames of state `name` and the newest one; all but the oldest are kept."""
        frames = self.op("Concat", [self.state(name), newest], f"{name}.frames", axis=3)
        bounds = [self.constant(f"slice.{value}", np.array([value])) for value in (1, 2**31 - 1, 3)]
        self.op("Slice", [frames, *bounds], f"{name}.next")
        return frames

    def state(self, name: str) -> str:
        shape = state_shapes(self.config)[name]
        self.inputs.append(_value(name, shape))
        self.outputs.append(_value(f"{name}.next", shape))
        return name


def _alpha(config: NetworkConfig) -> NDArray[np.float32]:
    return np.array(2 / (config.pooling_frames + 1), np.float32)


def _value(
    name: str, shape: Sequence[int | str], kind: TensorProto.DataType = TensorProto.FLOAT
) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)
