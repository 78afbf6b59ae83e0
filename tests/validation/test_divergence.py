# SPDX-License-Identifier: Apache-2.0
"""A library that is wrong is found out, and the first wrong word is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dyncp.base.config.framing import HOP
from dyncp.base.config.network import NetworkConfig
from dyncp.codegen.plan.stages import stages
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers import reference
from dyncp.export.integers.run import Run
from dyncp.firmware.host.library import HostLibrary
from dyncp.firmware.proof.compare import locate, wrong_macs
from dyncp.firmware.proof.records import Divergence
from dyncp.firmware.proof.validate import validate

Make = Callable[[NetworkConfig], tuple[Bundle, Path]]

SMALL = NetworkConfig(channels=12, hidden=40, stacks=1, dilations=(1, 3), gate=5, pooling_frames=7)


def patch(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def first_by_hand(bundle: Bundle, expected: Run, actual: Run) -> Divergence | None:
    """What `locate` must find, word by word."""
    for frame in range(expected.frames):
        for stage in stages(bundle.config, bundle.probe_outputs):
            pair = zip(expected.trace[stage.name][frame], actual.trace[stage.name][frame], strict=True)
            for channel, (want, got) in enumerate(pair):
                if want != got:
                    return Divergence(
                        frame=frame, stage=stage.name, channel=channel, expected=int(want), actual=int(got)
                    )
    return None


@pytest.mark.slow
def test_wrong_rounding_is_located(make: Make, pcm: NDArray[np.int16], tmp_path: Path) -> None:
    bundle, library = make(SMALL)
    # What the host and a core without DSP instructions share.
    patch(library / "dyncp_runtime.h", " + (int32_t)((uint32_t)product >> 31)", "")
    record = validate(bundle, library, pcm, tmp_path / "out", boards=["cortex-m3"])
    broken = HostLibrary(library, trace=True, build_dir=tmp_path / "host").run(pcm, trace=True)
    first = first_by_hand(bundle, reference.run(bundle, pcm, trace=True), broken)
    assert first is not None
    assert record.host.first_divergence == record.targets[0].first_divergence == first
    assert record.host.mismatches.layers > 0
    assert record.host.mismatches.output > 0
    assert record.targets[0].mismatches.layers == record.host.mismatches.layers
    # Both of a core's images count.
    assert record.targets[0].mismatches.output == 2 * record.host.mismatches.output
    assert not record.exact


@pytest.mark.slow
def test_fault_of_one_core_in_one_channel(
    make: Make, pcm: NDArray[np.int16], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The second block's depthwise, channel 5, in frame 3 alone, and only where there are DSP instructions."""
    bundle, library = make(SMALL)
    point = "DYNCP_STAGE(dyncp, DYNCP_STAGE_BLOCK1_DEPTHWISE,"
    fault = "if (b->ring_slot == 4) s->hidden.v[5] = (int8_t)(s->hidden.v[5] ^ 1);"
    patch(library / "dyncp.c", point, f"\n#ifdef __ARM_FEATURE_DSP\n{fault}\n#endif\n{point}")
    record = validate(bundle, library, pcm, tmp_path / "out", boards=["cortex-m3", "cortex-m4"])
    m3, m4 = record.targets
    assert record.host.mismatches.total == m3.mismatches.total == 0
    assert not record.exact
    expected = int(reference.run(bundle, pcm, trace=True).trace["block1_depthwise"][3, 5])
    assert m4.first_divergence == Divergence(
        frame=3, stage="block1_depthwise", channel=5, expected=expected, actual=expected ^ 1
    )
    assert f"cortex-m4 (trace): differs from the reference first at frame 3, stage block1_depthwise, channel 5: " \
        f"expected {expected}, got {expected ^ 1}" in caplog.text  # fmt: skip


@pytest.mark.slow
def test_wrong_smoothing_is_located(make: Make, pcm: NDArray[np.int16], tmp_path: Path) -> None:
    """Words that are right, smoothed by truncation in place of rounding."""
    bundle, library = make(SMALL)
    patch(library / "dyncp_readout.h", "dcp_wrap_add(average[o], 128) >> 8", "average[o] >> 8")
    record = validate(bundle, library, pcm, tmp_path / "out", boards=["cortex-m3"])
    broken = HostLibrary(library, trace=True, build_dir=tmp_path / "host").run(pcm, trace=True)
    first = first_by_hand(bundle, reference.run(bundle, pcm, trace=True), broken)
    assert first is not None
    assert first.stage == "signals"
    assert record.host.first_divergence == record.targets[0].first_divergence == first
    wrong = record.host.mismatches
    assert wrong.probes == 0
    assert wrong.total == wrong.signals + wrong.layers == 2 * wrong.signals
    assert not record.exact


@pytest.mark.slow
def test_miscounted_macs(make: Make, pcm: NDArray[np.int16], tmp_path: Path) -> None:
    bundle, library = make(SMALL)
    patch(library / "dyncp.c", "s->macs.v += dcp_back(", "s->macs.v += 1u + dcp_back(")
    record = validate(bundle, library, pcm, tmp_path / "out", boards=["cortex-m4"], trace=False)
    target = record.targets[0]
    wrong = target.mismatches
    assert target.miscounted_frames == wrong.macs == record.frames == 8
    # The frames under changing settings are miscounted as well.
    assert wrong.total == wrong.macs + wrong.controls
    assert wrong.controls > 0
    assert target.first_divergence is not None
    assert (target.first_divergence.frame, target.first_divergence.stage) == (0, "macs")
    assert target.first_divergence.actual == target.first_divergence.expected + 1
    assert not record.exact


def test_locate_orders_by_frame_then_stage_then_channel(make: Make, pcm: NDArray[np.int16]) -> None:
    bundle, _ = make(SMALL)
    listed = stages(bundle.config, bundle.probe_outputs)
    expected = reference.run(bundle, pcm, trace=True)
    assert locate(expected, expected, listed) is None

    actual = reference.run(bundle, pcm, trace=True)
    spectrum, logits = actual.trace["spectrum"].astype(np.int64), actual.trace["logits"].astype(np.int64)
    spectrum[5, 0] += 1
    logits[4, [7, 9]] += 2
    actual.trace["spectrum"], actual.trace["logits"] = spectrum, logits
    first = Divergence(frame=4, stage="logits", channel=7, expected=logits[4, 7] - 2, actual=logits[4, 7])
    assert locate(expected, actual, listed) == first_by_hand(bundle, expected, actual) == first

    actual.trace.clear()
    actual.output = actual.output.copy()
    actual.output[2 * HOP + 31] ^= 1
    located = locate(expected, actual, listed)
    assert located is not None
    assert (located.frame, located.stage, located.channel) == (2, "output", 31)

    actual.signals = actual.signals.copy()
    actual.signals[2, 3] += 1
    located = locate(expected, actual, listed)
    assert located is not None
    assert (located.frame, located.stage, located.channel) == (2, "signal_words", 3)


def test_macs_are_checked_against_the_masks(make: Make, pcm: NDArray[np.int16]) -> None:
    bundle, _ = make(SMALL)
    run = reference.run(bundle, pcm)
    assert wrong_macs(bundle.config, run).tolist() == []
    run.macs = run.macs.copy()
    run.macs[3] += bundle.config.macs_per_channel
    assert wrong_macs(bundle.config, run).tolist() == [3]
