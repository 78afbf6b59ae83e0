# SPDX-License-Identifier: Apache-2.0
"""Int8 TFLite of the streaming step. Needs the extra `tflite`: `make tflite` runs it in that environment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from networks import AVERAGING, FOLLOWING, SHAPES, TAPPED, features_of, trained_enough
from tflite_micro.python.tflite_micro import runtime

from dyncp.base.errors import InterchangeError
from dyncp.export.interchange.onnx_graph import step_model
from dyncp.export.interchange.onnx_run import run_steps
from dyncp.export.interchange.tflite import TfliteStep, arena, convert
from dyncp.export.quantization.fold import FoldedNetwork, fold_network

# A network whose gates average a window and prune outputs, one with a one-pole average and hidden gates, two whose
# gates hold, with bands and shared by a stack, and those of other taps and frames.
CASES = {
    "output-window": SHAPES[0],
    "hidden-ema": SHAPES[3],
    "bands-held": FOLLOWING[1],
    "stack-held": FOLLOWING[3],
    "averaging": AVERAGING[1],
    "two-taps": TAPPED[0],
    "five-taps": TAPPED[1],
    "four-taps-ears": TAPPED[2],
}


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES)
def converted(request: pytest.FixtureRequest) -> tuple[FoldedNetwork, bytes]:
    folded = fold_network(trained_enough(request.param), "0" * 64)
    return folded, convert(folded, features_of(400, folded.config, seed=5))


def test_every_activation_is_int8_or_a_mask(converted: tuple[FoldedNetwork, bytes]) -> None:
    folded, model = converted
    operators = TfliteStep(model, folded).dtypes()
    assert {"CONV_2D", "DEPTHWISE_CONV_2D", "GREATER", "SELECT_V2"} <= operators.keys()
    assert not any("float" in use for uses in operators.values() for use in uses)


def test_it_streams_like_the_float_network(converted: tuple[FoldedNetwork, bytes]) -> None:
    folded, model = converted
    features = features_of(300, folded.config, seed=6)
    wanted = run_steps(step_model(folded), features, folded.config)
    found = TfliteStep(model, folded).run(features)
    assert (found.masks != wanted.masks).mean() < 0.1
    assert np.sqrt(np.mean((found.suppression - wanted.suppression) ** 2)) < 0.05
    assert 0.1 < found.masks.mean() < 0.9


def test_litert_reference_kernels_equal_tensorflow_lite_micro(
    converted: tuple[FoldedNetwork, bytes], tmp_path: Path
) -> None:
    folded, model = converted
    step = TfliteStep(model, folded)
    rng = np.random.default_rng(0)
    given = {name: rng.integers(-128, 128, d["shape"]).astype(np.int8) for name, d in step.inputs.items()}
    expected = step.step(**given)
    (tmp_path / "step.tflite").write_bytes(model)
    micro = runtime.Interpreter.from_file(str(tmp_path / "step.tflite"))
    index = {d["index"]: k for k, d in enumerate(step.interpreter.get_input_details())}
    for name, details in step.inputs.items():
        micro.set_input(given[name], index[details["index"]])
    micro.invoke()
    for k, details in enumerate(step.interpreter.get_output_details()):
        (name,) = (name for name, d in step.outputs.items() if d["index"] == details["index"])
        np.testing.assert_array_equal(micro.get_output(k), expected[name])


def test_the_arena_is_stated(converted: tuple[FoldedNetwork, bytes]) -> None:
    folded, model = converted
    assert folded.config.hidden < arena(model) < 1_000_000
    with pytest.raises(InterchangeError, match="TensorFlow Lite Micro cannot hold"):
        arena(b"not a model")
