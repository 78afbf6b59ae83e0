# SPDX-License-Identifier: Apache-2.0
"""Names that the emitted C may carry."""

from __future__ import annotations

import re

from dyncp.base.errors import GenerationError
from dyncp.codegen.c.runtime import RUNTIME

LONGEST_PREFIX = 31

C_KEYWORDS = """auto break case char const continue default do double else enum extern float for goto if inline int
long register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while"""

CPP_KEYWORDS = """alignas alignof and and_eq asm bitand bitor bool catch char8_t char16_t char32_t class co_await
co_return co_yield compl concept const_cast consteval constexpr constinit decltype delete dynamic_cast explicit export
false friend mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public
reinterpret_cast requires static_assert static_cast template this thread_local throw true try typeid typename using
virtual wchar_t xor xor_eq"""

# Compilers predefine these as macros outside of strict standard modes.
PREDEFINED = "asm typeof linux unix arm errno"

RESERVED = frozenset(f"{C_KEYWORDS} {CPP_KEYWORDS} {PREDEFINED}".split())

# P.h must not be found in place of a standard header, nor of one of the runtime's.
STANDARD_HEADERS = """assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign
stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype"""

HEADERS = frozenset([*STANDARD_HEADERS.split(), *(name.removesuffix(".h") for name in RUNTIME)])


def check_prefix(prefix: str) -> None:
    """Raises GenerationError for a prefix from which no names can be made that work in C and C++ everywhere."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*", prefix):
        raise GenerationError(
            f"prefix {prefix!r}: must be letters, digits and single underscores between them, starting with a letter"
        )
    if len(prefix) > LONGEST_PREFIX:
        raise GenerationError(f"prefix {prefix!r}: longer than {LONGEST_PREFIX} characters; shorten it")
    if prefix.lower() in RESERVED | HEADERS:
        raise GenerationError(f"prefix {prefix!r}: a keyword or header of C or C++; choose another")
    if prefix.lower() == "dcp" or prefix.lower().startswith("dcp_"):
        raise GenerationError(f"prefix {prefix!r}: names of the runtime start with dcp_; choose another")


def check_member(member: str, task: str, taken: set[str]) -> None:
    """Raises GenerationError if the signals struct cannot have this member for this probe task."""
    if member in RESERVED or member.endswith("_t"):
        raise GenerationError(f"probes.tasks: {task!r} is a keyword or type of C or C++; rename the task")
    if member in taken:
        raise GenerationError(f"probes.tasks: {task!r} needs the member {member!r} twice; rename the task")
