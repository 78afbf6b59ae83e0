# SPDX-License-Identifier: Apache-2.0
"""The quantized bundle: every integer that the device will use, checked, written, read (docs/bundle.md)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dyncp.base.config.network import NetworkConfig
from dyncp.base.config.reading import StrictModel, parse
from dyncp.base.errors import BundleError, ConfigError
from dyncp.base.files import replace_folder, settle
from dyncp.base.files.reading import LARGEST_TEXT, read_limited
from dyncp.base.files.sealed import seal, unseal, version_of
from dyncp.base.paths import shipped_networks
from dyncp.base.version import __version__
from dyncp.export.formats.layout import expected_scales, largest_inputs
from dyncp.export.formats.layout import expected_tensors as expected_tensors
from dyncp.export.formats.probe_set import PROBES_VERSION, check_probes
from dyncp.export.formats.probe_set import Probes as Probes
from dyncp.export.formats.probe_set import ProbeTask as ProbeTask
from dyncp.export.formats.tensors import Tensors as Tensors
from dyncp.export.formats.tensors import check_tensors, deserialize, serialize, sha256
from dyncp.export.transforms import frontend

ARITHMETIC_VERSION = 1
SCHEMA_VERSION = 2
"""2: the manifest is sealed, and hashes tell integers and configuration alone."""

LOGIT_SCALE = 2.0**-10

MANIFEST = "manifest.json"
NETWORK = "network.safetensors"
PROBES = "probes.safetensors"

FILES = frozenset({MANIFEST, NETWORK, PROBES})
"""All that a bundle's folder may hold."""

LARGEST_TENSORS = 1 << 29
"""Bytes of a file of tensors: the integers of the largest network that the configuration allows are 300 MB."""

REMEDY = "export again"

Scales = dict[str, float | list[float]]

Kept = list[list[int]]
"""Of each block, which of the checkpoint's channels are left, in order."""


@dataclass
class Bundle:
    """A network in integers. `hash` names what the device computes: set to `identity` once written or read."""

    config: NetworkConfig
    tensors: Tensors
    scales: Scales
    sources: dict[str, str]
    probes: Probes | None = None
    kept: Kept | None = None
    """Where export let gates go that never open (export/quantization/dead.py); None where it let none go."""
    hash: str = field(default="", compare=False)

    @property
    def probe_outputs(self) -> int:
        return 0 if self.probes is None else len(self.probes.bias)

    @property
    def probes_hash(self) -> str | None:
        return None if self.probes is None else self.probes.hash

    @property
    def network_hash(self) -> str:
        """sha256 of the network alone: its integers, its configuration, and the arithmetic's version.

        Scales are no part of it: the device never sees them, and their last bits differ with the processor that
        computed them.
        """
        described = {"arithmetic": ARITHMETIC_VERSION, "network": self.config.model_dump(mode="json")}
        return sha256(serialize(self.tensors) + json.dumps(described, sort_keys=True).encode())

    @property
    def identity(self) -> str:
        """sha256 of the hashes of network and probes: equal where the device computes and tells the same."""
        return sha256(f"{self.network_hash} {self.probes_hash or '-'}".encode())


class ProbesManifest(StrictModel):
    version: Literal[1]
    sha256: str
    tasks: list[ProbeTask]


class Manifest(StrictModel):
    """`manifest.json`, key by key in this order; its seal comes last (dyncp/base/files/sealed.py)."""

    schema_name: Literal["dyncp-bundle"] = Field(alias="schema")
    schema_version: Literal[2]
    arithmetic_version: Literal[1]
    generator: str
    network: NetworkConfig
    scales: dict[str, float | list[float]]
    sources: dict[str, str]
    network_sha256: str
    probes: ProbesManifest | None
    kept: Kept | None = None


def check(bundle: Bundle, source: str = "bundle") -> None:
    """Prove that the arithmetic of docs/arithmetic.md holds for these integers, whatever the audio.

    Raises BundleError, naming `source` and the field, for a missing or extra name, a wrong dtype or shape, a
    constant that differs from the specification, a multiplier outside [0, 2^30), thresholds that do not
    increase, an accumulator that could overflow, and scales or probes that make no sense.
    """
    check_tensors(bundle.tensors, expected_tensors(bundle.config), f"{source}: {NETWORK}")
    _check_constants(bundle, f"{source}: {NETWORK}")
    _check_accumulators(bundle, f"{source}: {NETWORK}")
    _check_scales(bundle, f"{source}: {MANIFEST}")
    _check_kept(bundle, f"{source}: {MANIFEST}")
    if bundle.probes is not None:
        check_probes(bundle.probes, bundle.config, f"{source}: {PROBES}")


def _check_constants(bundle: Bundle, source: str) -> None:
    for name, values in frontend.tables(bundle.config.framing).items():
        if not np.array_equal(bundle.tensors[name], values):
            raise BundleError(f"{source}: {name} differs from docs/arithmetic.md, section 2; export again")
    thresholds = bundle.tensors["features.thresholds"]
    if not np.all(thresholds[1:] > thresholds[:-1]):
        raise BundleError(f"{source}: features.thresholds must increase strictly; export again")
    for name, tensor in bundle.tensors.items():
        if name.endswith((".multiplier", ".coefficient")) and not _all_between(tensor, 0, 2**30 - 1):
            raise BundleError(f"{source}: {name} must lie in [0, 2^30); choose another scale")


def _all_between(tensor: NDArray[np.integer[Any]], low: int, high: int) -> bool:
    values = tensor.astype(np.int64)
    return bool(np.all((values >= low) & (values <= high)))


def _check_accumulators(bundle: Bundle, source: str) -> None:
    """Bound every partial sum, in whatever order it is taken, by |bias| + Σ |weight| · max |input|."""
    for layer, largest in largest_inputs(bundle.config).items():
        weight = np.abs(bundle.tensors[f"{layer}.weight"].astype(np.int64))
        bias = bundle.tensors.get(f"{layer}.bias", np.zeros(1, np.int32)).astype(np.int64)
        reach = np.abs(bias) + weight.sum(axis=1) * largest
        if reach.max() > 2**31 - 1:
            raise BundleError(
                f"{source}: {layer} row {reach.argmax()} can reach ±{reach.max()}, more than 32 bits hold; "
                "choose a coarser weight scale"
            )


def _check_scales(bundle: Bundle, source: str) -> None:
    expected = expected_scales(bundle.config)
    for name in sorted(expected.keys() ^ bundle.scales.keys()):
        raise BundleError(f"{source}: scales.{name} is {'missing' if name in expected else 'unknown'}")
    for name, count in expected.items():
        scale = bundle.scales[name]
        values = np.array(scale, dtype=np.float64)
        if values.shape != ((count,) if count else ()):
            raise BundleError(f"{source}: scales.{name} must hold {count or 'one'} value(s)")
        if not np.all(np.isfinite(values) & (values > 0)):
            raise BundleError(f"{source}: scales.{name} must be positive and finite")
    if bundle.scales["logits"] != LOGIT_SCALE:
        raise BundleError(f"{source}: scales.logits must be 2^-10")


def _check_kept(bundle: Bundle, source: str) -> None:
    if bundle.kept is None:
        return
    shape = [len(row) for row in bundle.kept]
    if shape != [bundle.config.gated] * bundle.config.blocks:
        raise BundleError(f"{source}: kept must list {bundle.config.gated} channels for each block; export again")
    if any(row[0] < 0 or any(a >= b for a, b in pairwise(row)) for row in bundle.kept):
        raise BundleError(f"{source}: kept must list channels in increasing order; export again")


def write_bundle(bundle: Bundle, folder: Path) -> str:
    """Check `bundle` and write it as `folder`, all of it or nothing; returns the bundle hash.

    The same bundle gives the same bytes. A folder that holds a bundle is replaced. Raises BundleError for a
    bundle that does not pass `check`, and for a folder that holds anything else.
    """
    check(bundle)
    files = _serialize(bundle)
    replace_folder(folder, files, FILES, BundleError)
    bundle.hash = bundle.identity
    return bundle.hash


def _serialize(bundle: Bundle) -> dict[str, bytes]:
    files = {NETWORK: serialize(bundle.tensors)}
    probes = None
    if bundle.probes is not None:
        files[PROBES] = serialize(bundle.probes.tensors)
        probes = ProbesManifest(version=PROBES_VERSION, sha256=sha256(files[PROBES]), tasks=bundle.probes.tasks)
    manifest = Manifest(
        schema="dyncp-bundle",
        schema_version=SCHEMA_VERSION,
        arithmetic_version=ARITHMETIC_VERSION,
        generator=f"dyncp {__version__}",
        network=bundle.config,
        scales=bundle.scales,
        sources=bundle.sources,
        network_sha256=sha256(files[NETWORK]),
        probes=probes,
        kept=bundle.kept,
    )
    # Left out where nothing left: bundles are what they were before there was the key.
    without = {"kept"} if bundle.kept is None else None
    return files | {MANIFEST: seal(manifest.model_dump(mode="json", by_alias=True, exclude=without))}


def read_bundle(folder: Path) -> Bundle:
    """Read and check the bundle in `folder`. Raises BundleError, naming file and field, for anything amiss."""
    settle(folder, BundleError)
    manifest = _read_manifest(folder / MANIFEST)
    tensors = _load(folder / NETWORK, manifest.network_sha256, "network_sha256")
    probes = None
    if manifest.probes is not None:
        loaded = _load(folder / PROBES, manifest.probes.sha256, "probes.sha256")
        if loaded.keys() != {"probes.weight", "probes.bias", "probes.channel"}:
            raise BundleError(f"{folder / PROBES}: must hold probes.weight, probes.bias and probes.channel alone")
        weight, bias, channel = loaded["probes.weight"], loaded["probes.bias"], loaded["probes.channel"]
        probes = Probes(weight, bias, channel, manifest.probes.tasks)
    bundle = Bundle(manifest.network, tensors, manifest.scales, manifest.sources, probes, manifest.kept)
    check(bundle, str(folder))
    bundle.hash = bundle.identity
    return bundle


def _read_manifest(path: Path) -> Manifest:
    shipped = ", ".join(shipped_networks())
    hint = f"; is this a folder of `dyncp export`? Networks that the package brings: {shipped}"
    data = read_limited(path, LARGEST_TEXT, BundleError, hint)
    if (version := version_of(data)) not in (None, SCHEMA_VERSION):
        raise BundleError(f"{path}: schema_version is {version}, this dyncp reads {SCHEMA_VERSION}; {REMEDY}")
    document = unseal(data, path, BundleError, REMEDY)
    try:
        return parse(Manifest, document, str(path))
    except ConfigError as error:
        raise BundleError(str(error)) from None


def _load(path: Path, expected: str, key: str) -> Tensors:
    data = read_limited(path, LARGEST_TENSORS, BundleError)
    if sha256(data) != expected:
        raise BundleError(f"{path}: altered or truncated: its sha256 is not the manifest's {key}; {REMEDY}")
    return deserialize(data, str(path))
