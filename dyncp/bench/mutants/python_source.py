# SPDX-License-Identifier: Apache-2.0
"""Faults in Python: operators, comparisons, numbers, conditions and left-out statements, found in the syntax tree and
made in the text. Annotations, decorators, strings and what is raised stay; so do assertions, `strict` of `zip` one of
them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise

from dyncp.bench.mutants.mutant import Mutant

OPERATORS: dict[type[ast.AST], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "+"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "//"),
    ast.Pow: ("**", "*"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.And: ("and", "or"),
    ast.Or: ("or", "and"),
}
"""Each operator, as it is written, and what it becomes."""

NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "minimum": "maximum", "maximum": "minimum"}
"""Functions that become their opposites."""


def mutants(text: str) -> list[Mutant]:
    """All faults of a module, in the order of the text."""
    return sorted(_Finder(text).find(), key=lambda mutant: (mutant.start, mutant.stop))


class _Finder:
    def __init__(self, text: str) -> None:
        self.text = text
        # The tree counts columns in bytes of UTF-8.
        self.lines = text.splitlines(keepends=True)
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))

    def find(self) -> Iterator[Mutant]:
        for statement in ast.parse(self.text).body:
            yield from self._visit(statement, inside=False)

    def _visit(self, node: ast.AST, inside: bool) -> Iterator[Mutant]:
        if isinstance(node, ast.Raise | ast.Assert | ast.JoinedStr | ast.Import | ast.ImportFrom):
            return
        if isinstance(node, ast.keyword) and node.arg == "strict":
            return
        if inside or not isinstance(node, ast.Assign):
            yield from self._faults(node, inside)
        inside = inside or isinstance(node, ast.FunctionDef)
        skipped = {"annotation", "returns", "decorator_list"}
        for field, value in ast.iter_fields(node):
            if field not in skipped:
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.AST):
                        yield from self._visit(child, inside)

    def _faults(self, node: ast.AST, inside: bool) -> Iterator[Mutant]:
        match node:
            case ast.BinOp(_, ast.BitOr()) if not inside:
                # Of types.
                pass
            case ast.BinOp(left, operator, right):
                yield from self._between(left, right, operator)
            case ast.Compare(left, operators, right):
                for first, comparison, second in zip([left, *right], operators, right, strict=False):
                    yield from self._between(first, second, comparison)
            case ast.BoolOp(operator, values):
                for first, second in pairwise(values):
                    yield from self._between(first, second, operator)
            case ast.AugAssign(target, operator, value):
                yield from self._between(target, value, operator)
                yield self._replaced(node, "pass")
            case ast.UnaryOp(ast.Not() | ast.USub() as operator):
                length = len("not" if isinstance(operator, ast.Not) else "-")
                yield Mutant(self.text, self._start(node), self._start(node) + length, "")
            case ast.Constant(bool() as value):
                yield self._replaced(node, str(not value))
            case ast.Constant(int() | float() as value):
                yield self._replaced(node, str(value + 1))
            case ast.If(test) | ast.IfExp(test):
                yield self._replaced(test, f"(not ({self._written(test)}))")
            case ast.Name(name) | ast.Attribute(_, name) if name in NAMES:
                yield Mutant(self.text, self._stop(node) - len(name), self._stop(node), NAMES[name])
            case ast.Assign([ast.Name(name)], value) if inside and name in _names(value):
                yield self._replaced(node, "pass")
            case ast.Expr(ast.Call()) if inside:
                yield self._replaced(node, "pass")

    def _between(self, first: ast.expr, second: ast.expr, operator: ast.AST) -> Iterator[Mutant]:
        if type(operator) not in OPERATORS:
            return
        before, after = OPERATORS[type(operator)]
        start, stop = self._stop(first), self._start(second)
        found = re.search(rf"(?<![*/<>=!]){re.escape(before)}(?![*/<>])", self.text[start:stop])
        if found:
            yield Mutant(self.text, start + found.start(), start + found.end(), after)

    def _replaced(self, node: ast.stmt | ast.expr, after: str) -> Mutant:
        return Mutant(self.text, self._start(node), self._stop(node), after)

    def _written(self, node: ast.expr) -> str:
        return self.text[self._start(node) : self._stop(node)]

    def _start(self, node: ast.stmt | ast.expr) -> int:
        return self._offset(node.lineno, node.col_offset)

    def _stop(self, node: ast.stmt | ast.expr) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._offset(node.end_lineno, node.end_col_offset)

    def _offset(self, line: int, column: int) -> int:
        return self.starts[line - 1] + len(self.lines[line - 1].encode()[:column].decode())


def _names(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
