# SPDX-License-Identifier: Apache-2.0
"""The checkpoint folder: what training leaves behind and export reads. No pickle anywhere.

checkpoint.json       schema, epoch, achieved utilization, sha256 of the other files
network.safetensors   weights and batch-norm statistics
config.toml           the whole experiment
scales.json           after quantization-aware training: scale name → real value of one unit (docs/bundle.md)
probes.safetensors    fitted probes, once `dyncp probe` has run (train/probes/files.py)
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import safetensors.torch
from pydantic import Field, TypeAdapter, ValidationError
from safetensors import SafetensorError

from dyncp.base.config import Config, StrictModel, parse, read_toml
from dyncp.base.errors import CheckpointError, ConfigError
from dyncp.base.files import replace_file
from dyncp.train.network.enhancer import Enhancer

NETWORK = "network.safetensors"
CONFIG = "config.toml"
SCALES = "scales.json"
MANIFEST = "checkpoint.json"

PositiveFinite = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class CheckpointManifest(StrictModel):
    schema_name: Literal["dyncp-checkpoint"] = "dyncp-checkpoint"
    schema_version: Literal[1] = 1
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
    """Write all files, each atomically and the manifest last: a kill leaves the old or the new checkpoint."""
    import tomli_w

    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    contents = {
        NETWORK: safetensors.torch.save(weights),
        CONFIG: tomli_w.dumps(config.model_dump(exclude_none=True)).encode(),
    }
    if scales is not None:
        contents[SCALES] = (json.dumps(scales, indent=2, allow_nan=False) + "\n").encode()
    for name, data in contents.items():
        replace_file(folder / name, data)
    manifest = CheckpointManifest(
        epoch=epoch,
        utilization=tuple(utilization),
        validation_loss=validation_loss,
        files={name: hashlib.sha256(data).hexdigest() for name, data in contents.items()},
    )
    write_manifest(folder, manifest)


def write_manifest(folder: Path, manifest: CheckpointManifest) -> None:
    replace_file(folder / MANIFEST, (manifest.model_dump_json(indent=2) + "\n").encode())


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read and verify. Raises CheckpointError naming the file and the field."""
    manifest = read_manifest(folder)
    for name, expected in manifest.files.items():
        data = _read(folder / name)
        if hashlib.sha256(data).hexdigest() != expected:
            raise CheckpointError(f"{folder / name}: differs from the sha256 in {MANIFEST}: altered or truncated")
    try:
        config = parse(Config, read_toml(folder / CONFIG), str(folder / CONFIG))
    except ConfigError as error:
        raise CheckpointError(str(error)) from None
    network = Enhancer(config.network)
    try:
        weights = safetensors.torch.load(_read(folder / NETWORK))
        network.load_state_dict(weights)
    except (SafetensorError, RuntimeError) as error:
        raise CheckpointError(f"{folder / NETWORK}: does not fit {CONFIG}: {error}") from None
    return Checkpoint(folder, manifest, config, network.eval(), _load_scales(folder, manifest))


def _load_scales(folder: Path, manifest: CheckpointManifest) -> dict[str, float] | None:
    if SCALES not in manifest.files:
        return None
    try:
        return TypeAdapter(dict[str, PositiveFinite]).validate_json(_read(folder / SCALES))
    except ValidationError as error:
        details = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'document'}: {e['msg']}" for e in error.errors())
        raise CheckpointError(f"{folder / SCALES}: must map names to positive, finite numbers: {details}") from None


def read_manifest(folder: Path) -> CheckpointManifest:
    path = folder / MANIFEST
    try:
        return parse(CheckpointManifest, json.loads(_read(path)), str(path))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path}: not valid JSON: {error}") from None
    except ConfigError as error:
        raise CheckpointError(str(error)) from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror}") from None
