# SPDX-License-Identifier: Apache-2.0
"""Struct types of the emitted C: sizes, offsets and declarations. No member is wider than 4 bytes, so that they are
the same on every ABI."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from dyncp.codegen.c.text import aligned

SCALARS = {"int8_t": 1, "uint8_t": 1, "int16_t": 2, "uint16_t": 2, "int32_t": 4, "uint32_t": 4}


@dataclass(frozen=True)
class Struct:
    """A struct or union type. `name` is what follows the prefix; one without a name is declared where it is used."""

    name: str
    comment: str
    members: list[Member]
    kind: Literal["struct", "union"] = "struct"

    @property
    def align(self) -> int:
        return max(member.align for member in self.members)

    @property
    def bytes(self) -> int:
        return round_up(max(start + member.bytes for start, member in self.placed()), self.align)

    def placed(self) -> Iterator[tuple[int, Member]]:
        """Each member and its offset."""
        end = 0
        for member in self.members:
            start = round_up(end, member.align)
            yield start, member
            end = 0 if self.kind == "union" else start + member.bytes


@dataclass(frozen=True)
class Member:
    """A member of a struct: an array of scalars, a scalar (no `dims`), or another struct."""

    type: str | Struct
    name: str
    dims: tuple[int, ...]
    comment: str

    @property
    def align(self) -> int:
        return self.type.align if isinstance(self.type, Struct) else SCALARS[self.type]

    @property
    def bytes(self) -> int:
        size = self.type.bytes if isinstance(self.type, Struct) else SCALARS[self.type]
        return size * math.prod(self.dims)


def round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple


@dataclass(frozen=True)
class StructText:
    """A struct type as text; `name` is what follows the prefix."""

    name: str
    comment: str
    kind: str
    lines: list[str]


def struct_text(struct: Struct, prefix: str) -> StructText:
    return StructText(struct.name, struct.comment, struct.kind, _lines(struct, prefix, indent=4))


def _lines(struct: Struct, prefix: str, indent: int) -> list[str]:
    text: list[str] = []
    run: list[tuple[str, str]] = []
    for member in struct.members:
        if isinstance(member.type, Struct) and not member.type.name:
            text += aligned(run, indent)
            run = []
            inner = _lines(member.type, prefix, indent + 4)
            text += [f"{' ' * indent}{member.type.kind} {{", *inner, f"{' ' * indent}}} {member.name};"]
        else:
            run.append((_declaration(member, prefix), member.comment))
    return text + aligned(run, indent)


def _declaration(member: Member, prefix: str) -> str:
    kind = f"{prefix}_{member.type.name}" if isinstance(member.type, Struct) else member.type
    return f"{kind} {member.name}{''.join(f'[{dim}]' for dim in member.dims)};"
