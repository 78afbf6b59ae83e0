# SPDX-License-Identifier: Apache-2.0
"""Bundles on disk: what is written is read back, in the same bytes every time; anything else is refused by name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from bundles import random_bundle
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import BundleError, GenerationError
from dyncp.base.files.sealed import seal
from dyncp.base.tasks import VOICE_ACTIVITY
from dyncp.export.formats.bundle import Bundle, check, expected_tensors, read_bundle, write_bundle
from dyncp.export.formats.probe_set import ProbeTask, restrict

SMALL = NetworkConfig(channels=12, hidden=20, gate=4, stacks=1, dilations=(1, 2))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_bundle(random_bundle(SMALL, 1), tmp_path / "bundle")
    return tmp_path / "bundle"


@settings(max_examples=20)
@given(
    config=st.builds(
        NetworkConfig,
        channels=st.integers(4, 40),
        hidden=st.integers(4, 70),
        gate=st.integers(1, 9),
        stacks=st.integers(1, 2),
        dilations=st.sampled_from([(1,), (2, 5)]),
        gate_site=st.sampled_from(["output", "hidden"]),
        pooling=st.sampled_from(["window", "ema"]),
        pooling_frames=st.integers(4, 256),
    ),
    probes=st.sampled_from([None, "int8", "int16"]),
    seed=st.integers(0, 1000),
)
def test_what_is_written_is_read(
    config: NetworkConfig, probes: Any, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("bundles") / "bundle"
    bundle = random_bundle(config, seed, probes)
    written = write_bundle(bundle, folder)
    read = read_bundle(folder)
    assert read.hash == written == bundle.identity
    assert (read.config, read.scales, read.sources) == (bundle.config, bundle.scales, bundle.sources)
    for name, (dtype, shape) in expected_tensors(config).items():
        assert read.tensors[name].dtype == np.dtype(dtype)
        assert read.tensors[name].shape == shape
        assert np.array_equal(read.tensors[name], bundle.tensors[name])
    assert (read.probes is None) == (probes is None)
    if read.probes is not None and bundle.probes is not None:
        assert read.probes.tasks == bundle.probes.tasks
        assert read.probes.weight.dtype == np.dtype(probes)
        assert np.array_equal(read.probes.weight, bundle.probes.weight)
        assert np.array_equal(read.probes.bias, bundle.probes.bias)
        assert np.array_equal(read.probes.channel, bundle.probes.channel)


def test_writing_twice_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    write_bundle(read_bundle(folder), tmp_path / "again")
    for file in folder.iterdir():
        assert file.read_bytes() == (tmp_path / "again" / file.name).read_bytes()


def test_a_bundle_is_replaced_whole(folder: Path) -> None:
    write_bundle(random_bundle(SMALL, 2, probes=None), folder)
    assert sorted(file.name for file in folder.iterdir()) == ["manifest.json", "network.safetensors"]
    assert [path.name for path in folder.parent.iterdir()] == ["bundle"]


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(BundleError, match=r"thesis\.txt"):
        write_bundle(random_bundle(SMALL, 1), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_invalid_bundle_writes_nothing(tmp_path: Path) -> None:
    bundle = random_bundle(SMALL, 1)
    del bundle.tensors["front.bias"]
    with pytest.raises(BundleError, match=r"front\.bias"):
        write_bundle(bundle, tmp_path / "bundle")
    assert not any(tmp_path.iterdir())


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="nowhere"):
        read_bundle(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["network.safetensors", "probes.safetensors"])
@pytest.mark.parametrize("damage", [lambda d: d[:-100], lambda d: d[:-1] + bytes([d[-1] ^ 1]), lambda d: b""])
def test_altered_and_truncated_tensors_are_named(folder: Path, name: str, damage: Callable[[bytes], bytes]) -> None:
    (folder / name).write_bytes(damage((folder / name).read_bytes()))
    with pytest.raises(BundleError, match=name):
        read_bundle(folder)


def test_a_truncated_file_with_a_matching_hash_is_named(folder: Path) -> None:
    data = (folder / "network.safetensors").read_bytes()[:-100]
    (folder / "network.safetensors").write_bytes(data)
    edit(folder, network_sha256=hashlib.sha256(data).hexdigest())
    with pytest.raises(BundleError, match=r"network\.safetensors: not a safetensors file"):
        read_bundle(folder)


def edit(folder: Path, **changes: Any) -> None:
    """Changes that somebody sealed: what the seal does not find, the schema must."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    del manifest["seal"]
    (folder / "manifest.json").write_bytes(seal(manifest | changes))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("schema", "other"),
        ("schema_version", 1),
        ("schema_version", 3),
        ("arithmetic_version", 2),
        ("surprise", 1),
        ("network", {"channels": 12, "width": 3}),
        ("network", {"channels": -1}),
        ("scales", {"features": "wide"}),
        ("network_sha256", None),
        ("probes", {"version": 2, "sha256": "", "tasks": []}),
    ],
)
def test_manifest_fields_are_named(folder: Path, key: str, value: Any) -> None:
    edit(folder, **{key: value})
    with pytest.raises(BundleError, match=rf"manifest\.json: .*{key}"):
        read_bundle(folder)


def test_a_manifest_that_is_not_json_is_named(folder: Path) -> None:
    (folder / "manifest.json").write_bytes(b'{"schema": \xff')
    with pytest.raises(BundleError, match=r"manifest\.json"):
        read_bundle(folder)


def test_a_foreign_tensor_on_disk_is_named(folder: Path) -> None:
    tensors = safetensors.numpy.load_file(folder / "network.safetensors")
    data = safetensors.numpy.save(tensors | {"extra.weight": np.zeros(3, np.int8)})
    (folder / "network.safetensors").write_bytes(data)
    edit(folder, network_sha256=hashlib.sha256(data).hexdigest())
    with pytest.raises(BundleError, match=r"extra\.weight"):
        read_bundle(folder)


def put(name: str, value: Any, index: Any = 0) -> Callable[[Bundle], None]:
    """An alteration of one value of one tensor."""

    def alter(bundle: Bundle) -> None:
        bundle.tensors[name][index] = value

    return alter


def replace(name: str, change: Callable[[Any], Any]) -> Callable[[Bundle], None]:
    def alter(bundle: Bundle) -> None:
        bundle.tensors[name] = change(bundle.tensors[name])

    return alter


def scale(name: str, value: Any) -> Callable[[Bundle], None]:
    return lambda bundle: bundle.scales.update({name: value})


@pytest.mark.parametrize(
    ("alter", "field"),
    [
        (replace("front.weight", lambda t: t[:, :-1]), "front.weight"),
        (replace("front.weight", lambda t: t.astype(np.int16)), "front.weight"),
        (put("window", 1), "window"),
        (put("twiddle", 2**30), "twiddle"),
        (put("sigmoid", 12), "sigmoid"),
        (put("features.thresholds", 0, 5), "features.thresholds"),
        (put("front.multiplier", 2**30), "front.multiplier"),
        (put("blocks.1.input.multiplier", -1), "blocks.1.input.multiplier"),
        (put("front.bias", 2**31 - 1), "front row 0"),
        (put("blocks.0.depthwise.bias", -(2**31)), "blocks.0.depthwise row 0"),
        (put("blocks.1.gate.score.bias", 2**31 - 100, 3), "blocks.1.gate.score row 3"),
        (scale("residual", 0.0), "scales.residual"),
        (scale("residual", -1.0), "scales.residual"),
        (scale("blocks.0.expand", float("nan")), "scales.blocks.0.expand"),
        (scale("blocks.0.score", [1.0]), "scales.blocks.0.score"),
        (scale("logits", 0.5), "scales.logits"),
        (scale("colour", 0.5), "scales.colour"),
    ],
)
def test_check_names_the_field(alter: Callable[[Bundle], None], field: str) -> None:
    bundle = random_bundle(SMALL, 1)
    alter(bundle)
    with pytest.raises(BundleError, match=field.replace(".", r"\.")):
        check(bundle)


def test_pooled_sums_are_part_of_the_overflow_proof() -> None:
    config = NetworkConfig(channels=900, hidden=4, gate=1, stacks=1, dilations=(1,), pooling_frames=256)
    bundle = random_bundle(config, 1)
    bundle.tensors["blocks.0.gate.reduce.weight"][:] = 127
    with pytest.raises(BundleError, match=r"gate\.reduce row 0 can reach"):
        check(bundle)


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("channel", 63, "padding"),
        ("channel", 64, "outside"),
        ("channel", -1, "outside"),
        ("bias", 2**31 - 1, "overflow"),
    ],
)
def test_probe_values_are_checked(field: str, value: int, complaint: str) -> None:
    bundle = random_bundle(SMALL, 1)
    assert bundle.probes is not None
    getattr(bundle.probes, field)[0 if value < 0 else -1] = value
    with pytest.raises(BundleError, match=complaint):
        check(bundle)


def test_words_of_a_smoothed_task_are_bounded() -> None:
    """By what the masks can add up to: weights of both signs do not add their magnitudes."""
    bundle = random_bundle(SMALL, 1, "int16")
    assert bundle.probes is not None
    snr = bundle.probes.tasks[2]
    assert snr.smoothing > 0
    bundle.probes.weight[:, 4] = 0
    bundle.probes.weight[:2, 4] = [32767, -32768]
    bundle.probes.bias[4] = 2**22 - 1 - 32767
    check(bundle)
    bundle.probes.bias[4] += 1
    with pytest.raises(BundleError, match=r"task snr can reach ±4194304, .*lower its q, or set its smoothing to 0"):
        check(bundle)
    bundle.probes.bias[4] = -(2**22) + 32768
    with pytest.raises(BundleError, match="task snr can reach"):
        check(bundle)
    bundle.probes.tasks[2] = snr.model_copy(update={"smoothing": 0})
    check(bundle)


def test_a_bundle_from_before_smoothing_is_read(folder: Path) -> None:
    described = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["probes"]
    for task in described["tasks"]:
        del task["frames"], task["smoothing"]
    edit(folder, probes=described)
    probes = read_bundle(folder).probes
    assert probes is not None
    assert {(task.frames, task.smoothing) for task in probes.tasks} == {("all", 0)}


def test_the_hashes_of_network_and_probes_are_apart(folder: Path) -> None:
    bundle, again = read_bundle(folder), read_bundle(folder)
    network, probes = bundle.network_hash, bundle.probes_hash
    assert (again.network_hash, again.probes_hash) == (network, probes)
    assert again.probes is not None
    again.probes.tasks[0] = again.probes.tasks[0].model_copy(update={"smoothing": 5})
    assert again.probes_hash != probes
    again.probes.tasks[0] = again.probes.tasks[0].model_copy(update={"smoothing": 1})
    assert again.probes_hash == probes
    again.probes.bias[0] += 1
    assert again.probes_hash != probes
    assert again.network_hash == network
    again.probes = None
    assert (again.network_hash, again.probes_hash) == (network, None)
    other = read_bundle(folder)
    put("front.bias", 1)(other)
    assert other.network_hash != network
    assert other.probes_hash == probes


def test_what_the_device_never_sees_decides_no_hash(folder: Path, tmp_path: Path) -> None:
    """The last bits of scales differ with the processor that calibrated; the integers that they led to may not."""
    bundle = read_bundle(folder)
    other = read_bundle(folder)
    for name, value in other.scales.items():
        other.scales[name] = [np.nextafter(v, 1) for v in value] if isinstance(value, list) else np.nextafter(value, 1)
    other.scales["logits"] = bundle.scales["logits"]
    other.sources = {"checkpoint": "1" * 64}
    assert write_bundle(other, tmp_path / "other") == bundle.hash
    assert (other.network_hash, other.probes_hash) == (bundle.network_hash, bundle.probes_hash)
    assert read_bundle(tmp_path / "other").scales != bundle.scales


def test_the_output_that_says_speech() -> None:
    probes = random_bundle(SMALL, 1).probes
    assert probes is not None
    others = restrict(probes, ["noise", "snr"])
    assert others is not None
    assert [probes.voice_output, others.voice_output] == [0, None]
    assert [probes.deciding, others.deciding] == [["vad", "noise"], ["noise"]]
    probes.tasks[0] = probes.tasks[0].model_copy(update={"name": "wind"})
    assert probes.voice_output is None


def test_a_probe_set_is_restricted_to_some_tasks() -> None:
    probes = random_bundle(SMALL, 1).probes
    assert probes is not None
    probes.weight[3] = [1, 0, 0, 0, 0]
    probes.weight[5] = [0, 0, 1, 0, 0]
    some = restrict(probes, ["snr", "noise"])
    assert some is not None
    assert [task.name for task in some.tasks] == ["noise", "snr"]
    kept = np.delete(np.arange(len(probes.channel)), 3)
    assert np.array_equal(some.weight, probes.weight[kept, 1:])
    assert np.array_equal(some.channel, probes.channel[kept])
    assert np.array_equal(some.bias, probes.bias[1:])
    assert restrict(probes, []) is None
    assert restrict(None, []) is None
    for known, names in ((probes, "vad, noise, snr"), (None, "none")):
        with pytest.raises(GenerationError, match=f"signals: there is no task 'pitch'; the bundle has {names}"):
            restrict(known, ["pitch"])


def test_the_largest_word_is_that_of_32_bits() -> None:
    bundle = random_bundle(SMALL, 1)
    assert bundle.probes is not None
    bundle.probes.tasks = [task.model_copy(update={"smoothing": 0}) for task in bundle.probes.tasks]
    bundle.probes.bias[0] = 2**31 - 1 - np.abs(bundle.probes.weight[:, 0].astype(np.int64)).sum()
    check(bundle)
    bundle.probes.bias[0] += 1
    with pytest.raises(BundleError, match=r"output 0 of probes\.weight can overflow 32 bits"):
        check(bundle)


def test_channels_increase_from_each_to_the_next() -> None:
    bundle = random_bundle(SMALL, 1)
    assert bundle.probes is not None
    bundle.probes.channel[[1, 2]] = bundle.probes.channel[[2, 1]]
    with pytest.raises(BundleError, match=r"probes\.channel must increase strictly"):
        check(bundle)


def test_smoothing_looks_at_the_largest_word_of_a_task() -> None:
    """Of the noise classes, one alone reaches too far."""
    bundle = random_bundle(SMALL, 1)
    assert bundle.probes is not None
    (place,) = (n for n, task in enumerate(bundle.probes.tasks) if task.name == "noise")
    bundle.probes.tasks[place] = bundle.probes.tasks[place].model_copy(update={"smoothing": 2})
    check(bundle)
    bundle.probes.bias[bundle.probes.columns[place].stop - 1] = 2**22
    with pytest.raises(BundleError, match="words of the task noise can reach"):
        check(bundle)


def test_fractional_bits_are_those_of_a_word() -> None:
    task = {**VOICE_ACTIVITY.model_dump(), "q": 0}
    assert [ProbeTask(**{**task, "q": q}).q for q in (0, 30)] == [0, 30]
    for q in (-1, 31):
        with pytest.raises(ValidationError):
            ProbeTask(**{**task, "q": q})


def test_probe_tables_that_do_not_fit_are_refused() -> None:
    bundle = random_bundle(SMALL, 1)
    assert bundle.probes is not None
    bundle.probes.channel[:2] = bundle.probes.channel[1::-1].copy()
    with pytest.raises(BundleError, match="increase"):
        check(bundle)
    bundle = random_bundle(SMALL, 1)
    assert bundle.probes is not None
    bundle.probes.channel[1] = bundle.probes.channel[0]
    with pytest.raises(BundleError, match="increase strictly"):
        check(bundle)
    bundle = random_bundle(SMALL, 1)
    assert bundle.probes is not None
    bundle.probes.tasks = bundle.probes.tasks[:1]
    with pytest.raises(BundleError, match=r"probes\.weight"):
        check(bundle)
    bundle.probes.tasks = []
    with pytest.raises(BundleError, match=r"probes\.tasks"):
        check(bundle)
