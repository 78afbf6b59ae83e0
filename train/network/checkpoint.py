# SPDX-License-Identifier: Apache-2.0
"""The checkpoint folder: what training leaves behind and export reads. No pickle anywhere.

checkpoint.json       schema, epoch, achieved utilization, sha256 of the other files; sealed, so that no byte is free
network.safetensors   weights and batch-norm statistics
config.toml           the whole experiment
scales.json           after quantization-aware training: scale name → real value of one unit (docs/bundle.md)
probes.safetensors    fitted probes, once `dyncp probe` has run (train/probes/files.py)
README.md             a model card, in the shipped ones

Other files may lie beside these, for example what a training is resumed from.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import safetensors.torch
from pydantic import Field, TypeAdapter, ValidationError
from safetensors import SafetensorError
from torch import Tensor

from dyncp.base.config.experiment import Config
from dyncp.base.config.reading import StrictModel, parse
from dyncp.base.errors import CheckpointError, ConfigError
from dyncp.base.files import replace_folder, settle
from dyncp.base.files.folders import check_folder
from dyncp.base.files.reading import LARGEST_TEXT, LARGEST_TOML, parse_json, parse_toml, read_limited
from dyncp.base.files.sealed import seal, unseal, version_of
from dyncp.train.network.enhancer import Enhancer

NETWORK = "network.safetensors"
CONFIG = "config.toml"
SCALES = "scales.json"
PROBES = "probes.safetensors"
CARD = "README.md"
MANIFEST = "checkpoint.json"

LARGEST = {NETWORK: 1 << 31, CONFIG: LARGEST_TOML, SCALES: LARGEST_TEXT, PROBES: 1 << 29, CARD: 1 << 20}
"""All files that a manifest may list, and the most bytes of each: those of the largest network, and more."""

FILES = frozenset({*LARGEST, MANIFEST})

SCHEMA_VERSION = 2
"""2: the manifest is sealed."""

REMEDY = "restore it from where it came, or train it again"

PositiveFinite = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class CheckpointManifest(StrictModel):
    schema_name: Literal["dyncp-checkpoint"] = "dyncp-checkpoint"
    schema_version: Literal[2] = 2
    epoch: int = Field(ge=0)
    utilization: tuple[float, ...] = Field(description="mean share of active channels per block, validation clips")
    validation_loss: float
    files: dict[str, str] = Field(description="file name → sha256")


@dataclass
class Checkpoint:
    folder: Path
    manifest: CheckpointManifest
    config: Config
    network: Enhancer
    scales: dict[str, float] | None = None
    """Those that quantization-aware training used; None where export is to find them."""

    @property
    def sha256(self) -> str:
        """Of the network's file: what a bundle names as its source."""
        return self.manifest.files[NETWORK]


def write_checkpoint(
    folder: Path,
    network: Enhancer,
    config: Config,
    epoch: int,
    utilization: list[float],
    validation_loss: float,
    scales: dict[str, float] | None = None,
) -> None:
    """Write all files, or none: whoever reads finds the old checkpoint or the new, whenever the process is killed.

    What else the folder holds stays, for example what training is resumed from; the probes and scales of the old
    checkpoint go with it. Raises CheckpointError where the folder cannot be written, or holds files of these names
    that belong to no checkpoint, and for numbers that are not finite.
    """
    import tomli_w

    if not math.isfinite(validation_loss):
        raise CheckpointError(f"{folder}: the validation loss is {validation_loss}; nothing has been written")
    _check_finite(network.state_dict(), folder / NETWORK)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    contents = {
        NETWORK: safetensors.torch.save(weights),
        CONFIG: tomli_w.dumps(config.model_dump(exclude_none=True)).encode(),
    }
    if scales is not None:
        contents[SCALES] = (json.dumps(scales, indent=2, allow_nan=False) + "\n").encode()
    manifest = CheckpointManifest(
        epoch=epoch, utilization=tuple(utilization), validation_loss=validation_loss, files={}
    )
    write_files(folder, manifest, contents)


def write_files(folder: Path, manifest: CheckpointManifest, contents: Mapping[str, bytes]) -> None:
    """Make these the files of the checkpoint, with a manifest that lists them. Raises as `write_checkpoint`."""
    files = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    document = manifest.model_copy(update={"files": files}).model_dump(mode="json")
    replace_folder(folder, {**contents, MANIFEST: seal(document)}, own_files(folder), CheckpointError, keep_others=True)


def own_files(folder: Path) -> frozenset[str]:
    """The names in `folder` that a checkpoint may replace: none where there is no checkpoint."""
    return FILES if (folder / MANIFEST).is_file() else frozenset()


def check_new(folder: Path) -> None:
    """Raises CheckpointError where a checkpoint could not be written: before training, not after its first epoch."""
    check_folder(folder, FILES - {CARD}, own_files(folder), CheckpointError, keep_others=True)


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read and verify. Raises CheckpointError naming the file and the field."""
    manifest, contents = read_files(folder)
    source = folder / CONFIG
    try:
        config = parse(Config, parse_toml(contents[CONFIG], source, CheckpointError), str(source))
    except ConfigError as error:
        raise CheckpointError(str(error)) from None
    network = Enhancer(config.network)
    _load_weights(network, contents[NETWORK], folder / NETWORK)
    return Checkpoint(folder, manifest, config, network.eval(), _scales(contents, folder))


def _load_weights(network: Enhancer, data: bytes, path: Path) -> None:
    try:
        weights: dict[str, Tensor] = safetensors.torch.load(data)
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise CheckpointError(f"{path}: not a safetensors file: {error}") from None
    for name, own in network.state_dict().items():
        if name in weights and weights[name].dtype != own.dtype:
            raise CheckpointError(f"{path}: {name} is {weights[name].dtype}, expected {own.dtype}")
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise CheckpointError(f"{path}: does not fit {CONFIG}: {error}") from None
    _check_finite(weights, path)


def _check_finite(weights: Mapping[str, Tensor], path: Path) -> None:
    for name, tensor in weights.items():
        if not tensor.isfinite().all():
            raise CheckpointError(f"{path}: {name} holds numbers that are not finite: a training that diverged")


def _scales(contents: Mapping[str, bytes], folder: Path) -> dict[str, float] | None:
    if SCALES not in contents:
        return None
    path = folder / SCALES
    try:
        document = parse_json(contents[SCALES], path, CheckpointError)
        return TypeAdapter(dict[str, PositiveFinite]).validate_python(document)
    except ValidationError as error:
        details = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'document'}: {e['msg']}" for e in error.errors())
        raise CheckpointError(f"{path}: must map names to positive, finite numbers: {details}") from None


def read_files(folder: Path) -> tuple[CheckpointManifest, dict[str, bytes]]:
    """The manifest, and the bytes of all files that it lists, each of which is what it says. Raises CheckpointError."""
    manifest = read_manifest(folder)
    contents = {}
    for name, expected in manifest.files.items():
        data = read_limited(folder / name, LARGEST[name], CheckpointError)
        if hashlib.sha256(data).hexdigest() != expected:
            raise CheckpointError(
                f"{folder / name}: differs from the sha256 in {MANIFEST}: altered or truncated; {_remedy(name, folder)}"
            )
        contents[name] = data
    return manifest, contents


def read_manifest(folder: Path) -> CheckpointManifest:
    """Raises CheckpointError, naming file and field, for anything but a sealed manifest of this version."""
    settle(folder, CheckpointError)
    path = folder / MANIFEST
    data = read_limited(path, LARGEST_TEXT, CheckpointError)
    if (version := version_of(data)) not in (None, SCHEMA_VERSION):
        raise CheckpointError(
            f"{path}: schema_version is {version}, this dyncp reads {SCHEMA_VERSION}; one of version 1 is brought up "
            f"to date by python -m dyncp.train.network.seal {folder}"
        )
    return checked_manifest(unseal(data, path, CheckpointError, REMEDY), path)


def checked_manifest(document: Mapping[str, object], path: Path) -> CheckpointManifest:
    try:
        manifest = parse(CheckpointManifest, document, str(path))
    except ConfigError as error:
        raise CheckpointError(str(error)) from None
    for name in sorted(manifest.files.keys() - LARGEST.keys()):
        raise CheckpointError(f"{path}: files lists {name[:80]!r}, which is no file of a checkpoint")
    for name in (NETWORK, CONFIG):
        if name not in manifest.files:
            raise CheckpointError(f"{path}: files does not list {name}")
    return manifest


def _remedy(name: str, folder: Path) -> str:
    return f"or edited: then run python -m dyncp.train.network.seal {folder}" if name == CARD else REMEDY
