# SPDX-License-Identifier: Apache-2.0
"""`dyncp generate`: a bundle to a folder of C99 (docs/emitted-c.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Set
from dataclasses import replace
from pathlib import Path, PurePosixPath

from dyncp.base.config.framing import SAMPLE_RATE
from dyncp.base.errors import GenerationError
from dyncp.base.files import replace_folder, settle
from dyncp.codegen.c.names import check_prefix
from dyncp.codegen.c.printing import environment
from dyncp.codegen.c.runtime import FRAMES, IN_PLACE, RUNTIME, STREAM, TAPS
from dyncp.codegen.layouts.arrange import PLAIN, TELLS_SIGNALS, arrange, place
from dyncp.codegen.layouts.record import read_record, record
from dyncp.codegen.library import LibraryManifest as LibraryManifest
from dyncp.codegen.library import libraries_in, manifest_name
from dyncp.codegen.library import read_library as read_library
from dyncp.codegen.lowering.lower import RUNTIME_VERSION, Library, lower
from dyncp.codegen.lowering.probes import reader_prototypes
from dyncp.codegen.lowering.signals import members
from dyncp.export.formats.bundle import Bundle
from dyncp.export.formats.probe_set import restrict

SCRATCH = re.compile(r"\b(?:own|state)->scratch\b")

NETWORK_TEMPLATES = {
    "{}.h": "header.h.j2",
    "{}_private.h": "private.h.j2",
    "{}.c": "source.c.j2",
    "{}_tables.h": "tables.h.j2",
    "{}_stages.h": "stages.h.j2",
}
SELFTEST_TEMPLATES = {"{}_selftest.h": "selftest.h.j2"}
STREAM_TEMPLATES = {"{}_stream.h": "stream/stream.h.j2", "{}_stream.c": "stream/stream.c.j2"}
READER_TEMPLATES = {"{}.h": "probes/reader.h.j2", "{}.c": "probes/reader.c.j2"}
PROBE_TEMPLATES = {
    "{}_signals.h": "probes/signals.h.j2",
    "{}_probe_state.h": "probes/probe_state.h.j2",
    "{}_probes.h": "probes/probes.h.j2",
}


def generate(
    bundle: Bundle,
    out: Path,
    prefix: str = "dyncp",
    signals: Collection[str] | None = None,
    selftest: bool = False,
    layout: str = PLAIN,
    shared_scratch: bool = False,
    stream: bool = False,
    in_place_fft: bool = False,
) -> Path:
    """Write the C library of `bundle` into the folder `out`, all of it or nothing; returns the folder of its C files.

    `signals` names the probe tasks that the library has, by default all; `selftest` adds P_selftest and P_check_tables,
    `stream` P_stream.h and P_stream.c (docs/stream.md).
    `layout` adds what a build system wants (docs/layouts.md): the C files then lie in a folder of `out`.
    With `shared_scratch` all states share one work space, which is the library's: calls must not overlap. With
    `in_place_fft` transforms work in place of the spectrum: less RAM, more instructions, the same words.
    The same arguments give the same bytes. What else `out` holds stays, also the libraries of other prefixes; the files
    that an earlier library of this prefix lists, of whatever layout, are replaced. Raises GenerationError for a layout
    that does not exist, a prefix or task names that C or the layout cannot carry, for a task that the bundle does not
    have, for a bundle that was never written, for a stream of a network of 8 kHz, and for a folder that cannot be
    written or holds somebody else's file of a name that the library needs.
    """
    if stream and bundle.config.sample_rate != SAMPLE_RATE:
        raise GenerationError(
            f"--stream: converts between 48 and {SAMPLE_RATE // 1000} kHz, and network.sample_rate is "
            f"{bundle.config.sample_rate}; give it hops of its own rate, or train the network at {SAMPLE_RATE} Hz"
        )
    folder = place(layout)
    library = _lower(bundle, prefix, signals, selftest, shared_scratch, in_place_fft)
    templates = NETWORK_TEMPLATES | (SELFTEST_TEMPLATES if selftest else {}) | (STREAM_TEMPLATES if stream else {})
    own = _rendered(library, templates) | _probe_files(library)
    headers = RUNTIME | (FRAMES if library.framed else {}) | (STREAM if stream else {})
    headers |= IN_PLACE if in_place_fft else {}
    headers |= TAPS if bundle.config.kernel != 3 else {}
    own |= {name: header.read_bytes() for name, header in headers.items()}
    own[manifest_name(prefix)] = _manifest(library, [*own, manifest_name(prefix)], stream)
    contents = arrange(layout, library, own)
    if layout != PLAIN:
        contents |= record(layout, prefix, contents)
    try:
        settle(out, GenerationError)
        mine, shared = _there(out, folder, prefix, own.keys() | {name.format(prefix) for name in SELFTEST_TEMPLATES})
    except (OSError, ValueError) as error:
        raise GenerationError(f"{str(out)!r}: cannot be written: {error}") from None
    # Of another library's files, those that this one needs as well are the same runtime's: they are renewed.
    replace_folder(out, contents, (mine - shared) | (shared & contents.keys()), GenerationError, keep_others=True)
    return out / folder


def _there(out: Path, folder: str, prefix: str, known: Set[str]) -> tuple[set[str], set[str]]:
    """Files of earlier libraries in `out`, by their way from there: of this prefix, and of others.

    A library that lies in `out` itself counts, for a layout takes its place, and one in `folder`.
    """
    before = read_record(out, prefix)
    mine, others = set(before.files if before else ()), set[str]()
    for place_of in {"", folder, before.folder if before else ""}:
        libraries = libraries_in(out / place_of, known)
        for name, files in libraries.items():
            listed = mine if name == manifest_name(prefix) else others
            listed |= {str(PurePosixPath(place_of, file)) for file in files}
    return mine, others


def renew_probes(bundle: Bundle, out: Path, prefix: str = "dyncp", signals: Collection[str] | None = None) -> Path:
    """Give the library in `out` the probes of `bundle`, and leave the files of its network as they are.

    All or nothing. Raises GenerationError as `generate` does, and where `out` holds no library of this network and
    runtime.
    """
    check_prefix(prefix)
    found, path = read_library(out, prefix), out / manifest_name(prefix)
    library = _lower(bundle, prefix, signals, found.selftest, found.shared_scratch, found.in_place_fft)
    _check_network(path, found, library, "generate all of it, without --probes-only")
    around = read_record(out.absolute().parent, prefix)
    if around is not None and around.folder == out.absolute().name and around.layout in TELLS_SIGNALS:
        raise GenerationError(
            f"{out}: its layout, {around.layout}, has files that depend on the probes; generate all of it, "
            "without --probes-only"
        )
    contents = _probe_files(library)
    contents[manifest_name(prefix)] = _manifest(library, found.files, found.stream)
    replace_folder(out, contents, frozenset(contents), GenerationError, keep_others=True)
    return out


def generate_reader(bundle: Bundle, out: Path, prefix: str, reads: str, signals: Collection[str] | None = None) -> Path:
    """Write the probes of `bundle` alone, to read the masks of the library `reads` in `out`; returns `out`.

    Both then share the network's weights (docs/placement.md). All files or none are written. Raises GenerationError as
    `generate` does, for a library of another network or runtime, and for a bundle without probes.
    """
    check_prefix(prefix)
    found = read_library(out, reads)
    library = _lower(bundle, prefix, signals)
    if prefix.lower() == reads.lower():
        raise GenerationError(f"--prefix: {prefix!r} is the library that is read; choose another")
    if not library.probes.tasks:
        raise GenerationError("signals: a probe set without any has nothing to read")
    _check_network(out / manifest_name(reads), found, library, f"generate {reads} of this one, or take its bundle")
    counted = members(library.probes.tasks, counts=False)
    library = replace(library, probes=replace(library.probes, members=counted))
    templates = READER_TEMPLATES | PROBE_TEMPLATES
    own = _rendered(library, templates, reads) | {name: header.read_bytes() for name, header in RUNTIME.items()}
    own[manifest_name(prefix)] = _manifest(library, [*own, manifest_name(prefix)], False, reads)
    mine, shared = _there(out, "", prefix, own.keys())
    replace_folder(out, own, (mine - shared) | (shared & own.keys()), GenerationError, keep_others=True)
    return out


def _check_network(path: Path, found: LibraryManifest, library: Library, otherwise: str) -> None:
    """Whether the library at `path` is of this network and runtime. Raises GenerationError."""
    if found.network_hash != library.network_hash:
        own, others = library.network_hash[:12], found.network_hash[:12]
        raise GenerationError(f"{path}: network_hash is {others}…, the bundle's {own}…; {otherwise}")
    if found.runtime_version != RUNTIME_VERSION:
        raise GenerationError(
            f"{path}: runtime_version is {found.runtime_version}, this dyncp writes probes for {RUNTIME_VERSION}; "
            f"{otherwise}"
        )


def _lower(
    bundle: Bundle,
    prefix: str,
    signals: Collection[str] | None,
    selftest: bool = False,
    shared_scratch: bool = False,
    in_place_fft: bool = False,
) -> Library:
    check_prefix(prefix)
    chosen = bundle if signals is None else with_signals(bundle, signals)
    return lower(chosen, prefix, selftest, shared_scratch, in_place_fft)


def with_signals(bundle: Bundle, signals: Collection[str]) -> Bundle:
    """The bundle with these probe tasks alone. Raises GenerationError for a task that it does not have."""
    return replace(bundle, probes=restrict(bundle.probes, signals))


def _rendered(library: Library, templates: Mapping[str, str], reads: str | None = None) -> dict[str, bytes]:
    printer = environment("templates")
    variables: dict[str, object] = {"lib": library, "p": library.p, "P": library.P, "config": library.config}
    variables |= {"probes": library.probes, "selftest": library.selftest, "reads": reads}
    if reads is not None:
        variables |= {"R": reads.upper(), "prototypes": reader_prototypes(library.p, reads)}
    texts = {name.format(library.p): printer.get_template(way).render(variables) for name, way in templates.items()}
    if library.shared_scratch:
        # The templates name the scratch of a state, which has none.
        texts = {name: SCRATCH.sub(f"{library.p}_shared_scratch", text) for name, text in texts.items()}
    return {name: text.encode("ascii") for name, text in texts.items()}


def _probe_files(library: Library) -> dict[str, bytes]:
    """The headers that a probe set decides."""
    return _rendered(library, PROBE_TEMPLATES)


def _manifest(library: Library, files: Collection[str], stream: bool, reads: str | None = None) -> bytes:
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
        shared_scratch=library.shared_scratch,
        in_place_fft=library.in_place_fft,
        stream=stream,
        reads=reads,
        files=sorted(files),
    )
    # Libraries without it keep the bytes that they had before there was such an option.
    unwritten = set() if library.in_place_fft else {"in_place_fft"}
    return (json.dumps(manifest.model_dump(mode="json", exclude=unwritten), indent=2) + "\n").encode("ascii")
