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

from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import InterchangeError
from dyncp.base.version import __version__
from dyncp.export.quantization.fold import FoldedNetwork

# What a converter of 2025 reads: operator set 17 has every operator used here, IR version 8 belongs to it.
OPSET, IR_VERSION = 17, 8
LAST = 2**31 - 1
"""The end of a slice that takes all."""
FRAME = "frame"
"""State of the step: frames since the start of the stream, modulo the period of the gates."""


def offline_model(folded: FoldedNetwork, frames: int | None = None) -> onnx.ModelProto:
    """features [1, F, 1, frames] from the start of a stream → suppression [1, F, 1, frames], masks bool
    [1, blocks, N, 1, frames], if there are gates; F is 257, or the number of bands. `frames` None leaves theirs open.

    Raises InterchangeError for a network with a cap, as `step_model` does."""
    return _Offline(folded, "frames" if frames is None else frames).model()


def step_model(folded: FoldedNetwork) -> onnx.ModelProto:
    """One frame: as `offline_model`, and for each entry of `state_shapes` an input `name` and an output `name.next`,
    which is the next step's input. A stream starts with zeros."""
    return _Step(folded, 1).model()


def state_shapes(config: NetworkConfig) -> dict[str, tuple[int, int, int, int]]:
    """The step's state by name: per block the depthwise layer's past inputs, and per gate what pooling remembers.

    Where gates hold, also the scores of each gate's last decision, and which of the K frames this one is.
    """
    shapes = {FRAME: (1, 1, 1, 1)} if config.gate_period > 1 else {}
    for i, past in enumerate(config.block_pasts):
        shapes[f"blocks.{i}.history"] = (1, config.hidden, 1, past)
        pooled = config.pooled_frames - 1 if config.pooling == "window" else 1
        if config.has_gate(i) and pooled:
            shapes[f"blocks.{i}.pool"] = (1, config.pooled_channels, 1, pooled)
        if config.has_gate(i) and config.gate_period > 1:
            shapes[f"blocks.{i}.score"] = (1, config.blocks_per_gate * config.gated, 1, 1)
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
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.inputs = [_value("features", (1, self.config.spectrum, 1, frames))]
        self.outputs = [_value("suppression", (1, self.config.spectrum, 1, frames))]

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
        if self.config.has_gate(i):
            self.scores = self.gate(i, residual)
        mask = [self.mask(i)] if self.config.gated else []
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
        """Scores of all blocks of the group that block i begins, [1, M · N, 1, frames]."""
        name = f"blocks.{i}.gate"
        read, after = self.decided(i, residual), self.config.pools_values
        reduced = self.layer(f"{name}.reduce", read if after else self.pool(i, read))
        values = self.op("Relu", reduced, f"{name}.hidden")
        return self.held(i, self.layer(f"{name}.score", self.pool(i, values) if after else values))

    def mask(self, i: int) -> str:
        score, gated, place = self.scores, self.config.gated, i % self.config.blocks_per_gate
        if self.config.blocks_per_gate > 1:
            score = self.slice(score, f"blocks.{i}.scores", place * gated, (place + 1) * gated, axis=1)
        return self.op("Greater", [score, self.constant("zero", np.zeros(1, np.float32))], f"blocks.{i}.mask")

    def pool(self, i: int, x: str) -> str:
        if self.config.pooling != "window":
            return self.ema(i, x)
        return x if self.config.pooled_frames == 1 else self.window(i, x)

    def gated(self, mask: str, x: str) -> str:
        """A choice, not a product: int8 converters have one for it, and a pruned value is 0 whatever it would be."""
        return self.op("Where", [mask, x, self.constant("zero", np.zeros(1, np.float32))], f"{x}.gated")

    @abstractmethod
    def decided(self, i: int, residual: str) -> str:
        """The frames in which the gate of block i decides."""

    @abstractmethod
    def held(self, i: int, score: str) -> str:
        """Scores of these frames, each until the next; 0, which opens no channel, before the first."""

    @abstractmethod
    def depthwise(self, i: int, hidden: str) -> str:
        """Block i's depthwise layer over `hidden` and the frames before it."""

    @abstractmethod
    def window(self, i: int, x: str) -> str:
        """Mean of the last F frames."""

    @abstractmethod
    def ema(self, i: int, x: str) -> str:
        """The one-pole averages e ← e + α (x − e)."""

    def layer(self, name: str, x: str) -> str:
        """A pointwise layer."""
        return self.convolution(name, x, self.folded.layers[name].weight[:, :, None, None])

    def taps(self, i: int, x: str, pads: list[int]) -> str:
        name, dilation = f"blocks.{i}.depthwise", self.config.block_dilations[i]
        weight = self.folded.layers[name].weight[:, None, None, :]
        return self.convolution(name, x, weight, group=self.config.hidden, dilations=[1, dilation], pads=pads)

    def mean(self, i: int, x: str, pads: list[int]) -> str:
        frames = [1, self.config.pooled_frames]
        return self.op("AveragePool", x, f"blocks.{i}.pooled", kernel_shape=frames, pads=pads, count_include_pad=1)

    def convolution(self, name: str, x: str, weight: NDArray[np.float64], **attributes: Any) -> str:
        bias = self.folded.layers[name].bias
        parameters = [self.constant(f"{name}.weight", weight.astype(np.float32))]
        if np.any(bias):
            parameters.append(self.constant(f"{name}.bias", bias.astype(np.float32)))
        return self.op("Conv", [x, *parameters], name, **attributes)

    def slice(self, x: str, output: str, start: int, end: int, axis: int, step: int = 1) -> str:
        bounds = [self.constant(f"slice.{value}", np.array([value])) for value in (start, end, axis, step)]
        return self.op("Slice", [x, *bounds], output)

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

    def decided(self, i: int, residual: str) -> str:
        period = self.config.gate_period
        if period == 1:
            return residual
        # So many frames more that there is a decision in the shortest recording; what follows from them is cut off.
        longer = self.constant("decided.longer", np.array([0] * 7 + [period]))
        padded = self.op("Pad", [residual, longer], f"blocks.{i}.padded")
        return self.slice(padded, f"blocks.{i}.decided", self.config.group(i) % period, LAST, axis=3, step=period)

    def held(self, i: int, score: str) -> str:
        period, name = self.config.gate_period, f"blocks.{i}.score"
        if period == 1:
            return score
        rows = self.config.blocks_per_gate * self.config.gated
        nothing = self.constant("held.nothing", np.zeros((1, rows, 1, 1), np.float32))
        each = self.op("Concat", [nothing, score], f"{name}.each", axis=3)
        apart = self.op("Unsqueeze", [each, self.constant("held.axis", np.array([4]))], f"{name}.apart")
        repeats = self.constant("held.repeats", np.array([1, 1, 1, 1, period]))
        repeated = self.op("Tile", [apart, repeats], f"{name}.repeated")
        joined = self.op("Reshape", [repeated, self.constant("held.shape", np.array([1, rows, 1, -1]))], f"{name}.long")
        first = period - self.config.group(i) % period
        later = self.slice(joined, f"{name}.later", first, LAST, axis=3)
        frames = self.op("Shape", "features", f"{name}.frames", start=3, end=4)
        bounds = [self.constant(f"slice.{value}", np.array([value])) for value in (0, 3)]
        return self.op("Slice", [later, bounds[0], frames, bounds[1]], f"{name}.held")

    def depthwise(self, i: int, hidden: str) -> str:
        return self.taps(i, hidden, [0, self.config.block_pasts[i], 0, 0])

    def window(self, i: int, x: str) -> str:
        return self.mean(i, x, [0, self.config.pooled_frames - 1, 0, 0])

    def ema(self, i: int, x: str) -> str:
        shape = state_shapes(self.config)[f"blocks.{i}.pool"][:3]
        start = self.constant("pool.start", np.zeros(shape, np.float32))
        carried, frame, following, pooled = (_value(name, shape) for name in ("average", "frame", "next", "pooled"))
        alpha = numpy_helper.from_array(_alpha(self.config)[..., 0], "alpha")
        body = [
            helper.make_node("Sub", ["frame", "average"], ["difference"]),
            helper.make_node("Mul", ["difference", "alpha"], ["change"]),
            helper.make_node("Add", ["average", "change"], ["next"]),
            helper.make_node("Identity", ["next"], ["pooled"]),
        ]
        step = helper.make_graph(body, "one_pole", [carried, frame], [following, pooled], [alpha])
        name, outputs = f"blocks.{i}.pooled", [f"blocks.{i}.average", f"blocks.{i}.pooled"]
        time: dict[str, Any] = {"scan_input_axes": [3], "scan_output_axes": [3]}
        scan = helper.make_node("Scan", [start, x], outputs, name, body=step, num_scan_inputs=1, **time)
        self.nodes.append(scan)
        return name


class _Step(_Graph):
    """Every past frame is an input; the frames that the next step needs are outputs."""

    def network(self) -> None:
        if self.config.gate_period > 1:
            self.count()
        super().network()

    def count(self) -> None:
        """The next frame's number, and for each that a gate waits for whether it is this one's."""
        period, frame = self.config.gate_period, self.state(FRAME)
        last = self.op("Greater", [frame, self.number(period - 1.5)], f"{FRAME}.last")
        following = self.op("Add", [frame, self.number(1)], f"{FRAME}.following")
        self.op("Where", [last, self.number(0), following], f"{FRAME}.next")
        for turn in range(min(period, self.config.groups)):
            late = self.op("Greater", [frame, self.number(turn - 0.5)], f"{FRAME}.late.{turn}")
            early = self.op("Less", [frame, self.number(turn + 0.5)], f"{FRAME}.early.{turn}")
            self.op("And", [late, early], f"{FRAME}.is.{turn}")

    def number(self, value: float) -> str:
        return self.constant(f"number.{value}", np.full(1, value, np.float32))

    def decided(self, i: int, residual: str) -> str:
        return residual

    def held(self, i: int, score: str) -> str:
        if self.config.gate_period == 1:
            return score
        name = self.state(f"blocks.{i}.score")
        return self.op("Where", [self.turn(i), score, name], f"{name}.next")

    def turn(self, i: int) -> str:
        """Whether the gate of block i decides in this frame."""
        return f"{FRAME}.is.{self.config.group(i) % self.config.gate_period}"

    def depthwise(self, i: int, hidden: str) -> str:
        name = f"blocks.{i}.history"
        return self.taps(i, self.shifted(name, hidden, f"{name}.next"), [0, 0, 0, 0])

    def window(self, i: int, x: str) -> str:
        name, held = f"blocks.{i}.pool", self.config.gate_period > 1
        frames = self.shifted(name, x, f"{name}.newer" if held else f"{name}.next")
        if held:
            self.op("Where", [self.turn(i), f"{name}.newer", name], f"{name}.next")
        return self.mean(i, frames, [0, 0, 0, 0])

    def ema(self, i: int, x: str) -> str:
        name = self.state(f"blocks.{i}.pool")
        difference = self.op("Sub", [x, name], f"{name}.difference")
        change = self.op("Mul", [difference, self.constant("alpha", _alpha(self.config))], f"{name}.change")
        if self.config.gate_period > 1:
            # Not a choice between the old and the new average: onnx2tf takes one of them for an image of another shape.
            change = self.gated(self.turn(i), change)
        return self.op("Add", [name, change], f"{name}.next")

    def shifted(self, name: str, newest: str, following: str) -> str:
        """The frames of state `name` and the newest one; all but the oldest are kept, as `following`."""
        frames = self.op("Concat", [self.state(name), newest], f"{name}.frames", axis=3)
        self.slice(frames, following, 1, LAST, axis=3)
        return frames

    def state(self, name: str) -> str:
        shape = state_shapes(self.config)[name]
        self.inputs.append(_value(name, shape))
        self.outputs.append(_value(f"{name}.next", shape))
        return name


def _alpha(config: NetworkConfig) -> NDArray[np.float32]:
    """[1, 1 or G, 1, 1]."""
    return (2 / (np.array(config.pole_frames) + 1)).astype(np.float32).reshape(1, -1, 1, 1)


def _value(
    name: str, shape: Sequence[int | str], kind: TensorProto.DataType = TensorProto.FLOAT
) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)
