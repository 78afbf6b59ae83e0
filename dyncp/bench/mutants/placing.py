# SPDX-License-Identifier: Apache-2.0
"""A fault in Python put into a running process: into the functions that it is in, or, where it is in none, into a
module that is then loaded again. And which statement it belongs to."""

from __future__ import annotations

import ast
import gc
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import sys
from collections.abc import Callable, Sequence
from types import CodeType, FunctionType, ModuleType
from typing import Any

from dyncp.bench.mutants.mutant import Mutant


def enclosing_statement(mutant: Mutant) -> tuple[int, int] | None:
    """First line and the one after the last of the statement in a function that holds the fault, of a compound
    statement only its head; None outside of functions, parameters and their defaults included."""
    last = mutant.text.count("\n", 0, max(mutant.start, mutant.stop - 1)) + 1
    best: tuple[int, int] | None = None
    for function in ast.walk(ast.parse(mutant.text)):
        if not isinstance(function, ast.FunctionDef) or not function.body[0].lineno <= mutant.line:
            continue
        for node in ast.walk(function):
            if not isinstance(node, ast.stmt) or node is function:
                continue
            assert node.end_lineno is not None
            body = getattr(node, "body", None)
            end = body[0].lineno if isinstance(body, list) and body[0].lineno > node.lineno else node.end_lineno + 1
            if node.lineno <= mutant.line and last < end and (best is None or end - node.lineno <= best[1] - best[0]):
                best = (node.lineno, end)
    return best


def in_functions(module: ModuleType, mutant: Mutant) -> Callable[[], None] | None:
    """Puts the fault into functions of a loaded module; None where more than code of functions changes."""
    name = module.__file__ or ""
    try:
        pairs = _functions_that_differ(compile(mutant.text, name, "exec"), compile(mutant.source, name, "exec"))
    except SyntaxError:
        return None
    if pairs is None:
        return None
    wanted = {(before.co_qualname, before.co_firstlineno): after for before, after in pairs}
    everything = gc.get_objects()
    places = [
        (o, wanted[key])
        for o in everything
        # Not isinstance, which asks a weak reference's object, and that may be gone.
        if type(o) is FunctionType
        and o.__module__ == module.__name__
        and (key := (o.__code__.co_qualname, o.__code__.co_firstlineno)) in wanted
    ]
    if {(f.__code__.co_qualname, f.__code__.co_firstlineno) for f, _ in places} != wanted.keys():
        return None
    if any(f.__code__.co_freevars != code.co_freevars for f, code in places):
        return None
    # What was remembered was computed without the fault.
    remembered = [o for o in everything if hasattr(type(o), "cache_clear") and _of_this_project(o)]

    def put() -> None:
        for function, code in places:
            function.__code__ = code
        for cache in remembered:
            cache.cache_clear()

    return put


def _of_this_project(cache: Any) -> bool:
    return str(getattr(cache, "__module__", "")).split(".")[0] == "dyncp"


def _functions_that_differ(before: CodeType, after: CodeType) -> list[tuple[CodeType, CodeType]] | None:
    """Of the bodies of a module or class; None where they differ in more than their functions."""
    parts = [[c for c in code.co_consts if isinstance(c, CodeType)] for code in (before, after)]
    rest = [[repr(c) for c in code.co_consts if not isinstance(c, CodeType)] for code in (before, after)]
    same = rest[0] == rest[1] and before.co_code == after.co_code and before.co_names == after.co_names
    if not same or len(parts[0]) != len(parts[1]):
        return None
    found: list[tuple[CodeType, CodeType]] = []
    for first, second in zip(*parts, strict=True):
        if first.co_flags & inspect.CO_OPTIMIZED:
            found += [(first, second)] if _differ(first, second) else []
        elif (inner := _functions_that_differ(first, second)) is None:
            return None
        else:
            found += inner
    return found


def _differ(first: CodeType, second: CodeType) -> bool:
    # A number and its equal of another type are the same to Python's own comparison of code.
    return first != second or repr(_constants(first)) != repr(_constants(second))


def _constants(code: CodeType) -> list[object]:
    return [_constants(c) if isinstance(c, CodeType) else c for c in code.co_consts]


def in_module(name: str, source: str) -> Callable[[], None]:
    """A fault that is put in place before anything of `dyncp` that needs the module is loaded."""

    def put() -> None:
        for loaded in [loaded for loaded in sys.modules if loaded == name or loaded.split(".")[0] == "dyncp"]:
            del sys.modules[loaded]
        sys.meta_path.insert(0, _Instead(name, source))

    return put


class _Instead(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds one module in a text."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_loader(fullname, self) if fullname == self.name else None

    def get_source(self, fullname: str) -> str:
        return self.text

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.text, f"<mutant of {self.name}>", "exec"), module.__dict__)
