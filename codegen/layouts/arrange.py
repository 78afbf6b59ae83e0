# SPDX-License-Identifier: Apache-2.0
"""From the files of a library to those of a folder that a build system takes as it is."""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from dyncp.base.errors import GenerationError
from dyncp.base.version import __version__
from dyncp.codegen.c.printing import environment
from dyncp.codegen.layouts.archive import archive
from dyncp.codegen.layouts.rust_types import RUST_KEYWORDS, rust_fields
from dyncp.codegen.lowering.lower import Library
from dyncp.codegen.lowering.signals import fields

PLAIN = "plain"
LAYOUTS = {
    PLAIN: "",
    "cmake": "src",
    "zephyr": "src",
    "arduino": "src",
    "platformio": "src",
    "esp-idf": "src",
    "cmsis-pack": "src",
    "rust": "csrc",
    "micropython": "src",
}
"""By name, the folder that holds the library's own files."""

TELLS_SIGNALS = frozenset({"cmsis-pack", "rust", "micropython"})
"""Those with files, beside the library's own, that depend on the probe set."""

VENDOR = "dyncp"
"""Of the CMSIS pack."""


# Names that a prefix must not have, for it names a target, a crate or a module as well.
TAKEN = {
    "cmake": frozenset({"all", "clean", "help", "install", "package", "test", "edit_cache", "rebuild_cache"}),
    "rust": RUST_KEYWORDS | {"alloc", "cc", "core", "proc_macro", "std", "test"},
    "micropython": frozenset({*keyword.kwlist, "array", "builtins", "gc", "io", "math", "micropython", "os", "sys"}),
}


def place(layout: str) -> str:
    """The folder of the library's own files, "" where that is OUT itself. Raises GenerationError for no such layout."""
    if layout not in LAYOUTS:
        raise GenerationError(f"layout {layout!r}: there is none of that name; choose from {', '.join(LAYOUTS)}")
    return LAYOUTS[layout]


def arrange(layout: str, library: Library, own: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of `layout`, by their way from OUT: `own`, those of the library, in their place, and what is around
    them. Raises GenerationError for a prefix that the build system needs for itself."""
    folder = place(layout)
    if library.p in TAKEN.get(layout, ()):
        raise GenerationError(f"prefix {library.p!r}: the layout {layout} needs this name itself; choose another")
    contents = {f"{folder}/{name}" if folder else name: data for name, data in own.items()}
    if layout == PLAIN:
        return contents
    printer, variables = (
        environment("layouts"),
        _variables(library, folder, [name for name in own if name.endswith(".c")]),
    )
    for name in sorted(_below(files("dyncp.codegen.layouts") / layout, "")):
        text = printer.get_template(f"{layout}/{name}").render(variables)
        contents[name.removesuffix(".j2").replace("PREFIX", library.p)] = text.encode("ascii")
    if layout == "cmsis-pack":
        contents[f"{VENDOR}.{library.p}.{library.version}.pack"] = archive(contents)
    return contents


HOW = {
    PLAIN: "Add {out}/{p}.c to your build, with -O2 or -O3; where the project sets -Os, also with -DDYNCP_OPTIMIZE.",
    "cmake": "In your CMakeLists.txt: add_subdirectory({out}), target_link_libraries(firmware PRIVATE {p}::{p}).",
    "zephyr": "In your CMakeLists.txt, before find_package(Zephyr): list(APPEND ZEPHYR_EXTRA_MODULES {out}), and "
    "CONFIG_{P}=y in prj.conf.",
    "arduino": "{out} is a library: it belongs into the folder libraries of your sketchbook, as {p}.",
    "platformio": "{out} is a library: it belongs into the folder lib of your project.",
    "esp-idf": "{out} is a component: it belongs into the folder components of your project.",
    "cmsis-pack": "Install it with cpackget add {out}/{vendor}.{p}.{version}.pack.",
    "rust": "In your crate: cargo add --path {out}.",
    "micropython": "Build MicroPython with USER_C_MODULES: for make, the folder around {out}; for CMake, "
    "{out}/micropython.cmake.",
}


def how_to_build(layout: str, out: Path, prefix: str) -> str:
    """What to do with the folder `out`, in a sentence."""
    return HOW[layout].format(out=out, p=prefix, P=prefix.upper(), vendor=VENDOR, version=__version__)


def _variables(library: Library, folder: str, sources: list[str]) -> dict[str, object]:
    """What the templates print."""
    struct = fields(library.probes.tasks)
    return {
        "lib": library,
        "p": library.p,
        "P": library.P,
        "folder": folder,
        "hop": library.config.hop,
        "rate": f"{library.config.sample_rate:_}",
        "delay": library.config.framing.delay,
        "vendor": VENDOR,
        "sources": sources,
        "tables": sum(table.bytes for table in (*library.tables, *library.probes.tables)),
        "dashed": library.p.lower().replace("_", "-"),
        "fields": rust_fields(struct),
        "members": [(name, int(dims.strip("[]") or 0)) for _, name, dims, _ in struct],
    }


def _below(folder: Traversable, way: str) -> Iterator[str]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _below(entry, f"{way}{entry.name}/")
        elif entry.name.endswith(".j2"):
            yield way + entry.name
