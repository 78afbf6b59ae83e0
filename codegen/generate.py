# SPDX-License-Identifier: Apache-2.0
"""`dyncp generate`: a bundle to a folder of C99 (docs/emitted-c.md)."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import ValidationError

from dyncp.codegen.lower import Library, lower
from dyncp.codegen.names import check_prefix
from dyncp.export.bundle import Bundle, ProbeTask
from dyncp.train.config import NetworkConfig, StrictModel
from dyncp.train.errors import GenerationError
from dyncp.train.files import replace_folder

TEMPLATES = {
    "{}.h": "header.h.j2",
    "{}.c": "source.c.j2",
    "{}_tables.h": "tables.h.j2",
    "{}_probes.h": "probes.h.j2",
    "{}_stages.h": "stages.h.j2",
}
RUNTIME = ("dyncp_runtime.h", "dyncp_fft.h", "dyncp_kernels.h")


def generate(bundle: Bundle, out: Path, prefix: str = "dyncp") -> Path:
    """Write the C library of `bundle` as the folder `out`, all of it or nothing; returns `out`.

    The same bundle and prefix give the same bytes. A folder that holds such a library is replaced. Raises
    GenerationError for a prefix or task names that C cannot carry, for a bundle that was never written, and for a
    folder that holds anything else or cannot be written.
    """
    check_prefix(prefix)
    contents = _contents(lower(bundle, prefix))
    try:
        replace_folder(out, contents, contents.keys(), GenerationError)
    except (OSError, ValueError) as error:
        raise GenerationError(f"{str(out)!r}: cannot be written: {error}") from None
    return out


def manifest_name(prefix: str) -> str:
    return f"{prefix}_manifest.json"


class LibraryManifest(StrictModel):
    """`P_manifest.json`: what a program on the host must know to call the library."""

    schema_name: Literal["dyncp-library"] = "dyncp-library"
    schema_version: Literal[1] = 1
    generator: str
    prefix: str
    bundle_hash: str
    network: NetworkConfig
    tasks: list[ProbeTask]


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


def _contents(library: Library) -> dict[str, bytes]:
    environment = Environment(
        loader=PackageLoader("dyncp.codegen", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    variables = {"lib": library, "p": library.p, "P": library.P, "config": library.config}
    contents = {
        name.format(library.p): environment.get_template(template).render(variables).encode("ascii")
        for name, template in TEMPLATES.items()
    }
    contents[manifest_name(library.p)] = _manifest(library).encode("ascii")
    runtime = files("dyncp.firmware") / "runtime"
    return contents | {name: (runtime / name).read_bytes() for name in RUNTIME}


def _manifest(library: Library) -> str:
    manifest = LibraryManifest(
        generator=f"dyncp {library.version}",
        prefix=library.p,
        bundle_hash=library.bundle_hash,
        network=library.config,
        tasks=library.tasks,
    )
    return json.dumps(manifest.model_dump(mode="json"), indent=2) + "\n"
