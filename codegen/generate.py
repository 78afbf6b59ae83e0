# SPDX-License-Identifier: Apache-2.0
"""`dyncp generate`: a bundle to a folder of C99 (docs/emitted-c.md)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import ValidationError

from dyncp.base.config import NetworkConfig, StrictModel
from dyncp.base.errors import GenerationError
from dyncp.base.files import replace_file, replace_folder
from dyncp.codegen.c.names import check_prefix
from dyncp.codegen.c.runtime import RUNTIME
from dyncp.codegen.c.text import statement
from dyncp.codegen.lowering.lower import RUNTIME_VERSION, Library, lower
from dyncp.export.formats.bundle import Bundle, ProbeTask
from dyncp.export.formats.probe_set import restrict

NETWORK_TEMPLATES = {
    "{}.h": "header.h.j2",
    "{}_private.h": "private.h.j2",
    "{}.c": "source.c.j2",
    "{}_tables.h": "tables.h.j2",
    "{}_stages.h": "stages.h.j2",
}
SELFTEST_TEMPLATES = {"{}_selftest.h": "selftest.h.j2"}
PROBE_TEMPLATES = {
    "{}_signals.h": "signals.h.j2",
    "{}_probe_state.h": "probe_state.h.j2",
    "{}_probes.h": "probes.h.j2",
}


def generate(
    bundle: Bundle,
    out: Path,
    prefix: str = "dyncp",
    signals: Collection[str] | None = None,
    selftest: bool = False,
) -> Path:
    """Write the C library of `bundle` as the folder `out`, all of it or nothing; returns `out`.

    `signals` names the probe tasks that the library has, by default all; `selftest` adds P_selftest and P_check_tables.
    The same arguments give the same bytes. A folder that holds such a library is replaced. Raises GenerationError for
    a prefix or task names that C cannot carry, for a task that the bundle does not have, for a bundle that was never
    written, and for a folder that holds anything else or cannot be written.
    """
    library = _lower(bundle, prefix, signals, selftest)
    templates = NETWORK_TEMPLATES | (SELFTEST_TEMPLATES if selftest else {})
    contents = _rendered(library, templates) | _probe_files(library)
    contents |= {name: header.read_bytes() for name, header in RUNTIME.items()}
    try:
        own = contents.keys() | {name.format(prefix) for name in SELFTEST_TEMPLATES}
        replace_folder(out, contents, own, GenerationError)
    except (OSError, ValueError) as error:
        raise GenerationError(f"{str(out)!r}: cannot be written: {error}") from None
    return out


def renew_probes(bundle: Bundle, out: Path, prefix: str = "dyncp", signals: Collection[str] | None = None) -> Path:
    """Give the library in `out` the probes of `bundle`, and leave the files of its network untouched.

    Raises GenerationError as `generate` does, and where `out` holds no library of this network and runtime.
    """
    check_prefix(prefix)
    found, path = read_library(out, prefix), out / manifest_name(prefix)
    library = _lower(bundle, prefix, signals, found.selftest)
    if found.network_hash != library.network_hash:
        raise GenerationError(
            f"{path}: network_hash is {found.network_hash[:12]}…, the bundle's {library.network_hash[:12]}…; "
            "generate all of it, without --probes-only"
        )
    if found.runtime_version != RUNTIME_VERSION:
        raise GenerationError(
            f"{path}: runtime_version is {found.runtime_version}, this dyncp writes probes for {RUNTIME_VERSION}; "
            "generate all of it, without --probes-only"
        )
    try:
        for name, data in _probe_files(library).items():
            replace_file(out / name, data)
    except OSError as error:
        raise GenerationError(f"{str(out)!r}: cannot be written: {error}") from None
    return out


def manifest_name(prefix: str) -> str:
    return f"{prefix}_manifest.json"


class LibraryManifest(StrictModel):
    """`P_manifest.json`: what a program on the host must know to call the library."""

    schema_name: Literal["dyncp-library"] = "dyncp-library"
    schema_version: Literal[2] = 2
    generator: str
    runtime_version: int
    prefix: str
    bundle_hash: str
    network_hash: str
    probes_hash: str | None
    network: NetworkConfig
    tasks: list[ProbeTask]
    selftest: bool = False
    """Whether it has P_selftest and P_check_tables."""


def read_library(folder: Path, prefix: str = "dyncp") -> LibraryManifest:
    """The manifest of the generated `folder`. Raises GenerationError if there is none, or not of this version."""
    path = folder / manifest_name(prefix)
    try:
        return LibraryManifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise GenerationError(
            f"{path}: cannot be read ({error.strerror}); is this a folder of `dyncp generate --prefix {prefix}`?"
        ) from None
    except ValidationError as error:
        details = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise GenerationError(f"{path}: {details}; generate again") from None


def _lower(bundle: Bundle, prefix: str, signals: Collection[str] | None, selftest: bool) -> Library:
    check_prefix(prefix)
    return lower(bundle if signals is None else with_signals(bundle, signals), prefix, selftest)


def with_signals(bundle: Bundle, signals: Collection[str]) -> Bundle:
    """The bundle with these probe tasks alone. Raises GenerationError for a task that it does not have."""
    return replace(bundle, probes=restrict(bundle.probes, signals))


def _rendered(library: Library, templates: Mapping[str, str]) -> dict[str, bytes]:
    environment = Environment(
        loader=PackageLoader("dyncp.codegen", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.globals["statement"] = statement
    variables = {"lib": library, "p": library.p, "P": library.P, "config": library.config, "probes": library.probes}
    variables["selftest"] = library.selftest
    return {
        name.format(library.p): environment.get_template(template).render(variables).encode("ascii")
        for name, template in templates.items()
    }


def _probe_files(library: Library) -> dict[str, bytes]:
    """What a probe set decides: its headers, and the manifest."""
    return _rendered(library, PROBE_TEMPLATES) | {manifest_name(library.p): _manifest(library).encode("ascii")}


def _manifest(library: Library) -> str:
    manifest = LibraryManifest(
        generator=f"dyncp {library.version}",
        runtime_version=library.runtime_version,
        prefix=library.p,
        bundle_hash=library.bundle_hash,
        network_hash=library.network_hash,
        probes_hash=library.probes.hash,
        network=library.config,
        tasks=library.probes.tasks,
        selftest=library.selftest is not None,
    )
    return json.dumps(manifest.model_dump(mode="json"), indent=2) + "\n"
