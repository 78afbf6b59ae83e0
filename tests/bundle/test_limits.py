# SPDX-License-Identifier: Apache-2.0
"""Bundles, checkpoints and configurations made to harm: sealed, so that only limits and types can stop them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch
from bundles import random_bundle
from typer.testing import CliRunner

from dyncp.base.config.experiment import Config, load_config
from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import BundleError, CheckpointError, ConfigError, DyncpError, GenerationError
from dyncp.base.files.sealed import seal
from dyncp.cli import commands
from dyncp.codegen.generate import generate, read_library
from dyncp.export.formats.bundle import read_bundle, write_bundle
from dyncp.train.network.checkpoint import load_checkpoint, write_checkpoint
from dyncp.train.network.enhancer import Enhancer
from dyncp.train.probes.files import load_probes

TINY = NetworkConfig(channels=4, hidden=4, gate=1, stacks=1, dilations=(1,), pooling_frames=4)

DEEP = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
DEEP_LIST = b'{"schema_version": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
DIGITS = b'{"schema_version": ' + b"9" * 6000 + b"}"
HOSTILE_JSON = {
    "deep objects": DEEP,
    "deep lists": DEEP_LIST,
    "an integer of 6000 digits": DIGITS,
    "an integer of 100 digits": b'{"schema_version": ' + b"9" * 100 + b"}",
    "not a number": b'{"epoch": NaN}',
    "a list": b"[]",
    "nothing": b"",
    "no text": b"\xff\xfe\x00",
    "a NUL": b"\x00",
}


def sealed_bytes(data: bytes) -> bytes:
    """As a forger seals what is no JSON that we would write."""
    body = data.rstrip(b"}")
    return body + f',\n  "seal": "{hashlib.sha256(body).hexdigest()}"\n}}\n'.encode()


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    write_bundle(random_bundle(TINY, 1), tmp_path / "bundle")
    return tmp_path / "bundle"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    write_checkpoint(tmp_path / "run", Enhancer(TINY), Config(network=TINY), 3, [0.25], 0.1)
    return tmp_path / "run"


def forge(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads(path.read_text())
    del document["seal"]
    change(document)
    path.write_bytes(seal(document))


@pytest.mark.parametrize("hostile", HOSTILE_JSON)
@pytest.mark.parametrize("sealing", [bytes, sealed_bytes])
def test_hostile_manifests_are_our_errors(
    bundle: Path, run: Path, hostile: str, sealing: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    data = sealing(HOSTILE_JSON[hostile])
    (bundle / "manifest.json").write_bytes(data)
    with pytest.raises(BundleError, match=r"manifest\.json: "):
        read_bundle(bundle)
    (run / "checkpoint.json").write_bytes(data)
    for load in (load_checkpoint, load_probes):
        with pytest.raises(CheckpointError, match=r"checkpoint\.json: "):
            load(run)
    (tmp_path / "dyncp_manifest.json").write_bytes(data)
    with pytest.raises(GenerationError, match=r"dyncp_manifest\.json: "):
        read_library(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 100_000,
        "a = " + "{b = " * 10_000 + "1" + "}" * 10_000,
        "a." * 30_000 + "b = 1",
        "[" + "a." * 30_000 + "b]",
        "[training]\nseed = " + "9" * 6000,
        "[training]\nseed = " + "9" * 400,
        "a = 1\n" * 100_000,
        "\0",
    ],
    ids=["deep list", "deep tables", "deep keys", "deep header", "6000 digits", "400 digits", "long", "NUL"],
)
def test_hostile_configurations_are_our_errors(run: Path, text: str, tmp_path: Path) -> None:
    path = tmp_path / "hostile.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"hostile\.toml: "):
        load_config(path)
    (run / "config.toml").write_text(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    forge(run / "checkpoint.json", lambda document: document["files"].update({"config.toml": digest}))
    with pytest.raises(CheckpointError, match=r"config\.toml: "):
        load_checkpoint(run)


def put(bundle: Path, name: str, data: bytes) -> None:
    (bundle / name).write_bytes(data)
    key = hashlib.sha256(data).hexdigest()
    if name == "network.safetensors":
        forge(bundle / "manifest.json", lambda document: document.update(network_sha256=key))
    else:
        forge(bundle / "manifest.json", lambda document: document["probes"].update(sha256=key))


def header(text: bytes, rest: bytes = b"") -> bytes:
    return len(text).to_bytes(8, "little") + text + rest


@pytest.mark.parametrize("name", ["network.safetensors", "probes.safetensors"])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        header(DEEP),
        header(b'{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}', b"\0"),
        header(b'{"a":{"dtype":"I8","shape":[9223372036854775807,9],"data_offsets":[0,1]}}', b"\0"),
        header(b'{"a":{"dtype":"I8","shape":[' + b"1," * 100 + b'1],"data_offsets":[0,1]}}', b"\0"),
        header(b'{"a\\u0000b":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}', b"\0"),
        b"\xff" * 8,
        safetensors.torch.save({"front.weight": torch.zeros(4, 257, dtype=torch.bfloat16)}),
        safetensors.numpy.save({"front.weight": np.zeros((4, 257), np.bool_)}),
    ],
    ids=["empty", "deep", "F8", "huge", "dimensions", "NUL", "length", "BF16", "bool"],
)
def test_hostile_tensors_are_our_errors(bundle: Path, name: str, data: bytes) -> None:
    put(bundle, name, data)
    with pytest.raises(BundleError, match=name):
        read_bundle(bundle)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64, torch.int8])
def test_weights_of_another_type_are_our_errors(run: Path, dtype: torch.dtype) -> None:
    weights = {
        name: tensor.to(dtype) for name, tensor in safetensors.torch.load_file(run / "network.safetensors").items()
    }
    data = safetensors.torch.save(weights)
    (run / "network.safetensors").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    forge(run / "checkpoint.json", lambda document: document["files"].update({"network.safetensors": digest}))
    with pytest.raises(CheckpointError, match=r"network\.safetensors: .* expected torch"):
        load_checkpoint(run)


@pytest.mark.parametrize("missing", ["network.safetensors", "config.toml"])
def test_entries_that_are_missing_are_named(run: Path, missing: str) -> None:
    forge(run / "checkpoint.json", lambda document: document["files"].pop(missing))
    with pytest.raises(CheckpointError, match=rf"checkpoint\.json: files does not list {missing}"):
        load_checkpoint(run)


@pytest.mark.parametrize("name", ["a\0b", "../../etc/passwd", "/etc/passwd", "", ".", "x" * 5000, "tensorboard"])
def test_names_that_are_no_file_of_the_folder_are_refused(run: Path, name: str, tmp_path: Path) -> None:
    forge(run / "checkpoint.json", lambda document: document["files"].update({name: "0" * 64}))
    with pytest.raises(CheckpointError, match=r"checkpoint\.json: files lists .*no file of a checkpoint"):
        load_checkpoint(run)
    bundle = random_bundle(TINY, 1)
    write_bundle(bundle, tmp_path / "bundle")
    path = generate(bundle, tmp_path / "library") / "dyncp_manifest.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "files": [*document["files"], name]}))
    if name != "tensorboard" and len(name) < 5000:
        with pytest.raises(GenerationError, match=r"dyncp_manifest\.json: lists "):
            read_library(path.parent)
    (tmp_path / "thesis").write_text("years of work")
    generate(bundle, path.parent)
    assert (tmp_path / "thesis").exists()


def test_what_is_no_file_is_not_waited_for(bundle: Path, run: Path, tmp_path: Path) -> None:
    loads: list[tuple[Callable[[Path], object], Path, str, type[DyncpError]]] = [
        (read_bundle, bundle, "manifest.json", BundleError),
        (load_checkpoint, run, "config.toml", CheckpointError),
    ]
    for load, folder, name, error in loads:
        (folder / name).unlink()
        os.mkfifo(folder / name)
        with pytest.raises(error, match=rf"{name}: cannot be read"):
            load(folder)
        (folder / name).unlink()
        (folder / name).mkdir()
        with pytest.raises(error, match=rf"{name}: cannot be read"):
            load(folder)


def test_a_file_of_many_bytes_is_not_read(run: Path) -> None:
    with (run / "config.toml").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(CheckpointError, match=r"config\.toml: holds 1,099,511,627,776 bytes"):
        load_checkpoint(run)


def test_old_versions_are_told_how_to_go_on(bundle: Path, run: Path) -> None:
    for folder, name, field in ((bundle, "manifest.json", "export again"), (run, "checkpoint.json", "network.seal")):
        document = json.loads((folder / name).read_text())
        del document["seal"]
        (folder / name).write_text(json.dumps({**document, "schema_version": 1}, indent=2) + "\n")
        load = read_bundle if folder == bundle else load_checkpoint
        with pytest.raises(DyncpError, match=rf"{name}: schema_version is 1, this dyncp reads 2; .*{field}"):
            load(folder)


def test_a_hostile_bundle_is_one_message_of_the_command(bundle: Path, tmp_path: Path) -> None:
    (bundle / "manifest.json").write_bytes(DEEP)
    result = CliRunner().invoke(commands, ["generate", str(bundle), str(tmp_path / "out")])
    assert isinstance(result.exception, BundleError)
    assert not (tmp_path / "out").exists()
