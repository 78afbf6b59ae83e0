# SPDX-License-Identifier: Apache-2.0
"""Constructed frames: errors that are said to show do, inert ones do not, and engines run them exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from bundles import random_bundle
from libraries import SMALL, assert_same, library
from signals import speech_like

from dyncp.base.config.network import NetworkConfig
from dyncp.codegen.plan.stages import stages
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers import reference
from dyncp.export.transforms import frontend
from dyncp.firmware.constants.expect import expect
from dyncp.firmware.constants.frames import Frames, given_bytes, records
from dyncp.firmware.constants.plan import Plan, plan
from dyncp.firmware.constants.sensitivity import SIGNS, Flags
from dyncp.firmware.constants.shares import shares
from dyncp.firmware.host.library import HostLibrary

pytestmark = pytest.mark.slow

NETWORKS = {
    "output-window": {},
    "hidden-ema": {"gate_site": "hidden", "pooling": "ema"},
    "held": {"gate_site": "hidden", "gate_period": 3},
    "held-output": {"gate_period": 2, "gate_shared": "stack", "pooling": "ema"},
    "averaging": {"pooling": "gate", "pooling_frames": (3, 20)},
    "averaging-held": {"gate_site": "hidden", "gate_period": 2, "pooling": "gate", "pooling_frames": (3, 5, 20)},
    "banded": {
        "gate_site": "hidden",
        "gate_shared": "network",
        "gate_period": 2,
        "bands": (0, 1, 2, 3, 5, 8, 20, 60, 150, 257),
    },
    "capped": {"block_cap": 3, "frame_cap": 5},
    "two taps": {"kernel": 2},
}
every_network = pytest.mark.parametrize("network", NETWORKS)


@cache
def made(network: str) -> tuple[Bundle, Plan]:
    bundle = random_bundle(NetworkConfig(**{**SMALL.model_dump(), **NETWORKS[network]}), seed=4)
    return bundle, plan(bundle)


def differs(bundle: Bundle, frames: Frames) -> bool:
    """From the plan's own bundle, in any stage, on frames without it."""
    wrong, right = expect(bundle, frames), expect(made_from(frames), frames)
    return any(not np.array_equal(right.trace[stage], wrong.trace[stage]) for stage in right.trace)


def made_from(frames: Frames) -> Bundle:
    return next(bundle for bundle, own in map(made, NETWORKS) if own.frames is frames)


def with_error(bundle: Bundle, tensor: str, place: tuple[int, ...], by: int) -> Bundle:
    wrong = bundle.tensors[tensor].astype(np.int64)
    wrong[place] += by
    return replace(bundle, tensors=bundle.tensors | {tensor: wrong})


def errors(plan: Plan, bundle: Bundle) -> Iterator[tuple[str, tuple[int, ...], int, bool]]:
    """Tensor, place and size of every error in the network's layers, and whether it is inert."""
    for layer, shown in plan.shown.items():
        parts: dict[str, tuple[Flags, Flags]] = {
            "weight": (shown.weight_shown, shown.weight_inert),
            "bias": (shown.bias_shown, shown.bias_inert),
            "multiplier": (shown.scale_shown, shown.scale_inert),
        }
        for part, (flags, inert) in parts.items():
            tensor = bundle.tensors.get(f"{layer}.{part}")
            if tensor is None:
                continue
            assert flags.all(), f"{layer}.{part}"
            for way, sign in SIGNS.items():
                for place in np.ndindex(tensor.shape):
                    step = max(1, int(tensor[place]) >> 10) if part == "multiplier" else 1
                    yield f"{layer}.{part}", place, sign * step, bool(inert[(way, *place)])


@every_network
def test_an_error_in_any_layer_shows_unless_it_is_inert(network: str) -> None:
    bundle, found = made(network)
    every = list(errors(found, bundle))
    assert 0 < sum(inert for *_, inert in every) < len(every) / 50
    random = np.random.default_rng(0)
    chosen = [every[n] for n in random.choice(len(every), 30, replace=False)]
    chosen += [error for error in every if error[3]][:10]
    for tensor, place, by, inert in chosen:
        wrong = with_error(bundle, tensor, place, by)
        assert differs(wrong, found.frames) is not inert, (tensor, place, by)


@every_network
def test_all_constants_are_counted_and_proved(network: str) -> None:
    bundle, found = made(network)
    assert bundle.probes is not None
    # Reached by a single frame: hardly anything.
    run = reference.run(bundle, speech_like(6, seed=2), trace=True)
    listed = shares(bundle, run, found)
    tensors = bundle.tensors | bundle.probes.tensors
    del tensors["probes.channel"]
    assert {share.name: share.values for share in listed} == {name: tensor.size for name, tensor in tensors.items()}
    for share in listed:
        assert share.shown + share.inert == share.values, share
        assert 0 <= share.read <= share.values, share
    read = sum(share.read for share in listed) / sum(share.values for share in listed)
    assert 0.5 < read < 0.97


def test_what_the_audio_read() -> None:
    """Rows and columns of channels that were open, and no others."""
    bundle, found = made("hidden-ema")
    run = reference.run(bundle, speech_like(6, seed=2), trace=True)
    read = {share.name: share.read for share in shares(bundle, run, found)}
    config = bundle.config
    bits = [[run.masks[:, i] >> n & 1 for n in range(config.hidden)] for i in range(config.blocks)]
    for i, block in enumerate(bits):
        opened = sum(bool(bit.any()) for bit in block)
        assert 0 < opened < config.hidden
        assert read[f"blocks.{i}.expand.weight"] == opened * config.channels
        assert read[f"blocks.{i}.depthwise.weight"] == opened * 3
        assert read[f"blocks.{i}.project.weight"] == opened * config.channels
        assert read[f"blocks.{i}.gate.score.weight"] == config.hidden * config.gate


@every_network
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_the_host_runs_them_exactly(network: str, compiler: str, tmp_path: Path) -> None:
    flags = (
        ("-O1", "-DDYNCP_DSP")
        if compiler == "clang"
        else ("-O2", "-fsanitize=undefined", "-fsanitize-undefined-trap-on-error")
    )
    config = NetworkConfig(**{**SMALL.model_dump(), **NETWORKS[network]})
    bundle, folder = library(tmp_path, config, seed=4)
    frames = made(network)[1].frames
    expected, listed = expect(bundle, frames), stages(config, bundle.probe_outputs)
    given = records(frames, expected.masks, expected.trace, listed)
    host = HostLibrary(folder, trace=True, compiler=compiler, flags=flags, build_dir=tmp_path)  # type: ignore[arg-type]
    assert_same(expected, host.stream().run(frames.pcm, True, (given, given_bytes(listed))))


def test_every_error_of_the_windows_and_twiddle_factors_that_count_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    pcm = np.random.default_rng(1).integers(-32768, 32768, (12, 256)).astype(np.int16)
    right = frontend.analysis(pcm)
    window, twiddle = frontend.window().astype(np.int64), frontend.twiddle().astype(np.int64)

    def shows(name: str, table: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> bool:
        with monkeypatch.context() as patch:
            patch.setattr(frontend, name, lambda *_: table)
            return any(not np.array_equal(a, b) for a, b in zip(right, frontend.analysis(pcm), strict=True))

    for n in (0, 1, 100, 255, 256, 511):
        assert shows("window", window + (np.arange(512) == n))
    thousandth = np.maximum(1, np.abs(twiddle) >> 10)
    one = np.zeros_like(twiddle)
    for k, part, counts in (
        (1, 0, True),
        (127, 1, True),
        (254, 0, True),
        (0, 0, False),
        (131, 0, False),
        (128, 0, False),
    ):
        one[:] = 0
        one[k, part] = 1
        assert shows("twiddle", twiddle + one * thousandth) is counts, (k, part)
