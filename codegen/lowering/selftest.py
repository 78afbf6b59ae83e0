# SPDX-License-Identifier: Apache-2.0
"""Lowering of the self-test: the hashes that sound tables and a known piece of audio give (docs/emitted-c.md)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.framing import Framing
from dyncp.codegen.c.tables import Table
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers import reference
from dyncp.export.integers.run import Run

SHIFT = 18
"""Of 32 bits of noise: loud speech's level, some -15 dBFS."""

_START, _PRIME = 2166136261, 16777619


class TestedLayer(Protocol):
    """What is read of a `lower.Layer`: names of tables, "NULL" or None where there is none."""

    @property
    def name(self) -> str: ...
    @property
    def weight(self) -> str: ...
    @property
    def gathered(self) -> str | None: ...
    @property
    def bias(self) -> str: ...
    @property
    def paired(self) -> str | None: ...
    @property
    def multiplier(self) -> str: ...


@dataclass(frozen=True)
class HashedTable:
    name: str
    bits: int
    length: int


@dataclass(frozen=True)
class HashedLayer:
    name: str
    weights: str
    """Their bytes, as C."""


@dataclass(frozen=True)
class SelfTest:
    """What P_selftest.h prints. Hashes are C constants."""

    tables: list[HashedTable]
    layers: list[HashedLayer]
    portable: str
    dsp: str
    helium: str
    """Hash of all tables, by the kernels that read them."""
    heard: str
    """Of outputs and masks."""
    frames: int
    shift: int


@dataclass(frozen=True)
class ProbeSelfTest:
    """What P_probes.h prints of it."""

    tables: list[HashedTable]
    hash: str
    heard: str
    """Of words and signals."""


def lower_selftest(
    front_end: Sequence[Table], network: Sequence[Table], layers: Sequence[TestedLayer], bundle: Bundle
) -> SelfTest:
    values = {table.name: table.values for table in [*front_end, *network]}
    lengths = {table.name: str(table.bytes) for table in network}
    hashed = []
    for layer in layers:
        weights = lengths[layer.weight]
        if layer.gathered is not None:
            weights = f"DCP_COLUMNS({weights}, {lengths[layer.gathered]})"
        hashed.append(HashedLayer(layer.name, weights))

    def of(weight: str, bias: str) -> str:
        """The hash with these of a layer's tables, where it has them."""
        names = [table.name for table in front_end]
        for layer in layers:
            names.append(getattr(layer, weight) or layer.weight)
            names.append(getattr(layer, bias) or layer.bias)
            names.append(layer.multiplier)
        return constant(hash_words(values[name] for name in names if name != "NULL"))

    run = known(bundle)
    return SelfTest(
        tables=tables(front_end),
        layers=hashed,
        portable=of("weight", "bias"),
        dsp=of("weight", "paired"),
        helium=of("gathered", "bias"),
        heard=constant(_by_frame(run, run.output.reshape(run.frames, -1), run.masks)),
        frames=run.frames,
        shift=SHIFT,
    )


def lower_probe_selftest(listed: Sequence[Table], bundle: Bundle) -> ProbeSelfTest:
    run = known(bundle)
    heard = _by_frame(run, run.words, run.signals) if bundle.probe_outputs else _START
    return ProbeSelfTest(tables(listed), constant(hash_words(table.values for table in listed)), constant(heard))


def tables(listed: Sequence[Table]) -> list[HashedTable]:
    return [HashedTable(table.name, 8 * table.values.dtype.itemsize, table.length) for table in listed]


def known(bundle: Bundle) -> Run:
    """The reference on the known audio."""
    return reference.run(bundle, noise(bundle.config.framing))


def noise(framing: Framing) -> NDArray[np.int16]:
    """As P_make_noise makes it: as many samples as a synthesis gives, of whose last hop the first has been heard."""
    seed, samples = 1, []
    for _ in range(framing.synthesis):
        seed = (seed * 1664525 + 1013904223) % 2**32
        samples.append((seed ^ 2**31) - 2**31 >> SHIFT)
    return np.array(samples, np.int16)


def hash_words(arrays: Iterable[NDArray[np.generic]], start: int = _START) -> int:
    """The hash of firmware/runtime/dyncp_hash.h over arrays of integers of 8 to 64 bits, those of 8 by fours."""
    value = start
    for array in arrays:
        for word in _words(array):
            value = (value ^ word) * _PRIME % 2**32
    return value


def constant(value: int) -> str:
    return f"0x{value:08x}u"


def _words(array: NDArray[np.generic]) -> list[int]:
    size = array.dtype.itemsize
    plain = np.ascontiguousarray(array).ravel().astype(array.dtype.newbyteorder("<"))
    if size == 2:
        return [int(word) for word in plain.view("<u2")]
    return [int(word) for word in np.frombuffer(plain.tobytes(), "<u4")]


def _by_frame(run: Run, first: NDArray[np.generic], second: NDArray[np.generic]) -> int:
    value = _START
    for frame in range(run.frames):
        value = hash_words([first[frame], second[frame]], value)
    return value
