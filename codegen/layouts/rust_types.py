# SPDX-License-Identifier: Apache-2.0
"""The signals struct in Rust."""

from __future__ import annotations

from collections.abc import Sequence

TYPES = {"int8_t": "i8", "uint8_t": "u8", "int16_t": "i16", "uint16_t": "u16", "int32_t": "i32", "uint32_t": "u32"}

WORDS = """abstract as async await become box break const continue crate do dyn else enum extern false final fn for gen
if impl in let loop macro match mod move mut override priv pub ref return self static struct super trait true try type
typeof unsafe unsized use virtual where while yield"""

RUST_KEYWORDS = frozenset(WORDS.split())


def rust_fields(fields: Sequence[tuple[str, str, str, str]]) -> list[str]:
    """A declaration for each of C's type, name, dimensions and comment, in their order."""
    lines = []
    for kind, name, dims, comment in fields:
        element, count = TYPES[kind], dims.strip("[]")
        declared = f"[{element}; {count}]" if count else element
        # `self`, `super` and `crate` cannot be raw identifiers.
        raw = f"{name}_" if name in ("self", "super", "crate") else f"r#{name}" if name in RUST_KEYWORDS else name
        lines += [f"    /// {comment[:1].upper()}{comment[1:]}.", f"    pub {raw}: {declared},"]
    return lines
