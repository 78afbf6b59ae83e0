# SPDX-License-Identifier: Apache-2.0
"""A probe of one's own: fitted on masks as in scikit-learn, and the same on the device."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from libraries import written_bundle
from signals import speech_like
from sklearn.base import clone

import dyncp
from dyncp.base.config.framing import HOP
from dyncp.base.errors import ProbeError
from dyncp.codegen.generate import generate

FRAMES = 400

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> dyncp.Network:
    folder = tmp_path_factory.mktemp("probe") / "bundle"
    written_bundle(folder)
    return dyncp.load(folder, engine="c")


@pytest.fixture(scope="module")
def pcm() -> np.ndarray:
    return speech_like(FRAMES, seed=4)


@pytest.fixture(scope="module")
def masks(net: dyncp.Network, pcm: np.ndarray) -> np.ndarray:
    return net.enhance(pcm).masks


def level(pcm: np.ndarray) -> np.ndarray:
    """dB of each frame."""
    return 10 * np.log10(np.mean(np.square(pcm.reshape(-1, HOP).astype(float)), axis=1) + 1)


def labels_of(kind: str, masks: np.ndarray, pcm: np.ndarray) -> np.ndarray:
    """What the masks tell for certain."""
    count = masks.sum(axis=(1, 2))
    if kind == "binary":
        return count > np.median(count)
    if kind == "classes":
        return np.array(["few", "some", "many"])[np.digitize(count, np.quantile(count, [0.3, 0.6]))]
    return -3.5 + 0.25 * count


@pytest.mark.parametrize("kind", ["binary", "classes", "number"])
def test_it_learns_and_the_network_says_the_same(
    net: dyncp.Network, masks: np.ndarray, pcm: np.ndarray, kind: str
) -> None:
    labels = labels_of(kind, masks, pcm)
    probe = dyncp.MaskProbe("own", unit="dB").fit(masks, labels)
    assert probe.score(masks, labels) > 0.8
    fitted = net.with_probes([probe])
    assert list(fitted.signals) == [*net.signals, "own"]
    out, words = fitted.enhance(pcm), probe.decision_function(masks)
    # Rounding moves each weight that a frame adds up, and the bias, by half a unit at most.
    assert fitted.bundle.probes is not None
    unit = 2.0 ** -fitted.bundle.probes.tasks[-1].q
    assert np.abs(out.signals["own"].values - words).max() <= unit / 2 * (probe.fitted.kept.sum() + 1)
    for name in net.signals:
        assert np.array_equal(out.signals[name].values, net.enhance(pcm).signals[name].values)
    if kind != "number":
        sure = np.abs(words if kind == "binary" else np.diff(np.sort(words, axis=1)[:, -2:])[:, 0]) > 0.1
        assert np.array_equal(out.signals["own"].decisions[sure], probe.predict(masks)[sure])


def test_it_becomes_c(net: dyncp.Network, masks: np.ndarray, pcm: np.ndarray, tmp_path: Path) -> None:
    probe = dyncp.MaskProbe("loud", smoothing=2).fit(masks, labels_of("binary", masks, pcm))
    net.with_probes([probe]).save(tmp_path / "bundle")
    device, numpy = dyncp.load(tmp_path / "bundle", "c"), dyncp.load(tmp_path / "bundle", "numpy")
    told = [each.enhance(pcm).signals["loud"].values for each in (device, numpy)]
    assert np.array_equal(*told)
    folder = generate(device.bundle, tmp_path / "library")
    assert "loud" in (folder / "dyncp_signals.h").read_text()


def test_a_probe_of_the_same_name_takes_the_place(net: dyncp.Network, masks: np.ndarray, pcm: np.ndarray) -> None:
    probe = dyncp.MaskProbe("vad").fit(masks, labels_of("binary", masks, pcm))
    fitted = net.with_probes([probe])
    assert sorted(fitted.signals) == sorted(net.signals)
    assert fitted.hash != net.hash
    assert net.with_probes([]).hash == net.hash


def test_frames_without_a_number_are_left_out(masks: np.ndarray, pcm: np.ndarray) -> None:
    labels = level(pcm)
    labels[::2] = np.nan
    half = dyncp.MaskProbe("own").fit(masks, labels)
    assert np.array_equal(
        half.decision_function(masks), dyncp.MaskProbe("own").fit(masks[1::2], labels[1::2]).decision_function(masks)
    )


def test_it_has_the_manners_of_scikit_learn(masks: np.ndarray, pcm: np.ndarray) -> None:
    probe = dyncp.MaskProbe("own", smoothing=3)
    copy = clone(probe).set_params(alpha=0.1)
    assert copy.get_params() == probe.get_params() | {"alpha": 0.1}
    with pytest.raises(ValueError, match="no parameter"):
        probe.set_params(colour=1)
    with pytest.raises(ProbeError, match="fit it first"):
        probe.predict(masks)
    with pytest.raises(ProbeError, match="labels have the shape"):
        probe.fit(masks, np.zeros(3))
    with pytest.raises(ProbeError, match="bool"):
        probe.fit(masks.reshape(len(masks), -1), level(pcm))
    with pytest.raises(ProbeError, match="all labels are"):
        probe.fit(masks, np.array(["a"] * len(masks)))
