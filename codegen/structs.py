# SPDX-License-Identifier: Apache-2.0
"""Struct types as the text of their declarations."""

from __future__ import annotations

from dataclasses import dataclass

from dyncp.codegen.layout import Member, Struct
from dyncp.codegen.text import aligned


@dataclass(frozen=True)
class StructText:
    """A struct type as text; `name` is what follows the prefix."""

    name: str
    comment: str
    lines: list[str]


def struct_text(struct: Struct, prefix: str) -> StructText:
    members = ((_declaration(member, prefix), member.comment) for member in struct.members)
    return StructText(struct.name, struct.comment, aligned(members, indent=4))


def _declaration(member: Member, prefix: str) -> str:
    kind = f"{prefix}_{member.type.name}" if isinstance(member.type, Struct) else member.type
    return f"{kind} {member.name}{''.join(f'[{dim}]' for dim in member.dims)};"
