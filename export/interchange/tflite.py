# SPDX-License-Identifier: Apache-2.0
"""The streaming step as int8 TFLite: converted by onnx2tf, calibrated on a stream, run by LiteRT's reference kernels.

Those kernels (OpResolverType.BUILTIN_REF) give what TensorFlow Lite Micro gives, whose allocator states the arena.
Needs the extra `tflite`, in an environment of its own (docs/interchange.md).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dyncp.base.errors import InterchangeError
from dyncp.export.interchange.onnx_graph import step_model
from dyncp.export.interchange.onnx_run import Passed, Values, over_bins, steps
from dyncp.export.quantization.fold import FoldedNetwork

CONVERTER_TIMEOUT_S = 1800


def convert(folded: FoldedNetwork, features: Values) -> bytes:
    """An int8 TFLite of the step, all tensors int8 but biases and masks, calibrated on a stream of features [n, F].

    Raises InterchangeError with the end of the converter's log where it fails.
    """
    model = step_model(folded)
    # TFLite's tensors have the channels last.
    stream = [
        {name: x.transpose(0, 2, 3, 1)[0] for name, x in given.items()}
        for given, _ in steps(model, features, folded.config)
    ]
    with tempfile.TemporaryDirectory(prefix="dyncp-") as name:
        folder = Path(name)
        (folder / "step.onnx").write_bytes(model.SerializeToString())
        inputs: list[str] = []
        for tensor in stream[0]:
            np.save(folder / f"{tensor}.npy", np.stack([frame[tensor] for frame in stream]))
            inputs += ["-cind", tensor, f"{tensor}.npy", "[[[[0.0]]]]", "[[[[1.0]]]]"]
        _onnx2tf(folder, ["-i", "step.onnx", "-o", "out", "-oiqt", *inputs, "-iqd", "int8", "-oqd", "int8"])
        return (folder / "out" / "step_full_integer_quant.tflite").read_bytes()


def _onnx2tf(folder: Path, arguments: list[str]) -> None:
    # It calls onnxsim, which lies beside it.
    tools = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [tools / "onnx2tf", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=CONVERTER_TIMEOUT_S,
        check=False,
    )
    if done.returncode or not (folder / "out" / "step_full_integer_quant.tflite").is_file():
        raise InterchangeError(f"onnx2tf could not convert the step:\n{done.stdout[-2000:]}")


class TfliteStep:
    """The converted step in LiteRT's reference kernels, one stream at a time."""

    def __init__(self, model: bytes, folded: FoldedNetwork) -> None:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        self.config = folded.config
        self.interpreter = Interpreter(
            model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF, num_threads=1
        )
        self.interpreter.allocate_tensors()
        self.step = self.interpreter.get_signature_runner()
        self.inputs: dict[str, dict[str, Any]] = self.step.get_input_details()
        self.outputs: dict[str, dict[str, Any]] = self.step.get_output_details()
        # The converter numbers the outputs, in the order of the ONNX graph.
        names = [output.name for output in step_model(folded).graph.output]
        self.number = {name: f"output_{k}" for k, name in enumerate(names)}
        self.states = [name for name in names if name.endswith(".next")]

    def run(self, features: NDArray[np.floating]) -> Passed:
        """features [n, F] from the initial state."""
        state = {name: np.full(d["shape"], d["quantization"][1], np.int8) for name, d in self.inputs.items()}
        scale, zero = self.inputs["features"]["quantization"]
        suppression, masks = [], []
        for frame in _quantized(features, scale, zero):
            state["features"] = frame.reshape(1, 1, 1, -1)
            out = self.step(**state)
            state = {name.removesuffix(".next"): self.carried(name, out[self.number[name]]) for name in self.states}
            suppression.append(out[self.number["suppression"]].ravel())
            if "masks" in self.number:
                masks.append(out[self.number["masks"]].reshape(self.config.gated, self.config.blocks).T)
        scale, zero = self.outputs[self.number["suppression"]]["quantization"]
        mask = np.stack(masks) if masks else np.zeros((len(features), self.config.blocks, 0), np.bool_)
        real = (np.stack(suppression).astype(np.float32) - zero) * np.float32(scale)
        return Passed(over_bins(real, self.config), mask)

    def carried(self, name: str, value: NDArray[np.int8]) -> NDArray[np.int8]:
        """A state as the next step takes it: the converter leaves some with the channels first."""
        details = self.inputs[name.removesuffix(".next")]
        scale, zero = details["quantization"]
        given_scale, given_zero = self.outputs[self.number[name]]["quantization"]
        if value.shape != tuple(details["shape"]):
            value = value.transpose(0, 2, 3, 1)
        if (scale, zero) == (given_scale, given_zero):
            return value
        return _quantized((value.astype(np.float64) - given_zero) * given_scale, scale, zero)

    def dtypes(self) -> dict[str, list[str]]:
        """Kind of operator → `count × dtypes of its activations`, inputs → outputs."""
        kinds = {t["index"]: np.dtype(t["dtype"]).name for t in self.interpreter.get_tensor_details()}
        counted = Counter(
            (op["op_name"], *(tuple(kinds[i] for i in op[side] if i >= 0) for side in ("inputs", "outputs")))
            for op in self.interpreter._get_ops_details()
        )
        table: dict[str, list[str]] = {}
        for (kind, given, made), count in sorted(counted.items()):
            table.setdefault(kind, []).append(f"{count} × {', '.join(dict.fromkeys(given))} → {made[0]}")
        return table


def _quantized(real: NDArray[np.floating], scale: float, zero: int) -> NDArray[np.int8]:
    quantized: NDArray[np.int8] = np.clip(np.round(real / scale) + zero, -128, 127).astype(np.int8)
    return quantized


def arena(model: bytes) -> int:
    """Bytes that TensorFlow Lite Micro's allocator needs for `model`, by its own account."""
    with tempfile.NamedTemporaryFile(suffix=".tflite") as file:
        file.write(model)
        file.flush()
        # It prints from C, so it gets a process of its own.
        script = "import sys; from tflite_micro.python.tflite_micro import runtime as r; "
        script += "r.Interpreter.from_file(sys.argv[1]).print_allocations()"
        done = subprocess.run(
            [sys.executable, "-c", script, file.name],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    found = re.search(r"Arena allocation total (\d+) bytes", done.stdout)
    if found is None:
        raise InterchangeError(f"TensorFlow Lite Micro cannot hold the step:\n{done.stdout[-2000:]}")
    return int(found[1])
