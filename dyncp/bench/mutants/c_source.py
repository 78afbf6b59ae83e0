# SPDX-License-Identifier: Apache-2.0
"""Faults in C: operators and numbers, replaced in the text as clang-format lays it out: binary operators stand between
blanks. Comments, strings, preprocessor lines and tables stay."""

from __future__ import annotations

import re

from dyncp.bench.mutants.mutant import Mutant

OPERATORS = {
    "+": "-",
    "-": "+",
    "*": "+",
    "/": "*",
    "%": "/",
    "<<": ">>",
    ">>": "<<",
    "&": "|",
    "|": "&",
    "^": "|",
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "==": "!=",
    "!=": "==",
    "&&": "||",
    "||": "&&",
    "+=": "-=",
    "-=": "+=",
    "|=": "&=",
    "&=": "|=",
    "^=": "|=",
}

_NO_CODE = re.compile(
    r"""/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' | ^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*""",
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)
_OPERATOR = re.compile(rf"(?<=\s)(?:{'|'.join(map(re.escape, sorted(OPERATORS, key=len, reverse=True)))})(?=\s)")
_NUMBER = re.compile(r"(?<![\w.])(0[xX][0-9a-fA-F]+|\d+)([uUlL]*)(?![\w.])")


def mutants(text: str) -> list[Mutant]:
    """All faults of a file, in the order of the text."""
    code = _NO_CODE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    found = [Mutant(text, m.start(), m.end(), OPERATORS[m[0]]) for m in _OPERATOR.finditer(code)]
    found += [Mutant(text, m.start(), m.end(), f"{int(m[1], 0) + 1}{m[2]}") for m in _NUMBER.finditer(code)]
    return sorted(found, key=lambda mutant: mutant.start)
