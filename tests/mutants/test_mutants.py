# SPDX-License-Identifier: Apache-2.0
"""The makers of faults: each fault is one place of a program that stays one, and the tests tell which are noticed."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from dyncp.base.errors import ToolchainError
from dyncp.bench.mutants import c_source, python_source
from dyncp.bench.mutants.mutant import Mutant
from dyncp.bench.mutants.subjects import SUBJECTS
from dyncp.bench.mutants.trial import Suite, in_module

ROOT = Path(__file__).parents[2]

PYTHON = '''\
"""What it does."""
Kind = int | float
LIMIT = 3


def clipped(values: list[int | None], low: int = -2) -> list[int]:
    """At least 0."""
    found = [max(low, value // 2) for value in values if value is not None and not value > 9]
    if any(found):
        raise ValueError(f"{1 + 2} is too much")
    found = found * 2
    log(found)
    return found
'''

C = """\
/* Adds 1 + 2. */
#define TWICE(x) \\
    ((x) + (x))
static int32_t sum(const int8_t *x, size_t n) {
    int32_t total = 0; // 5 < 6
    for (size_t i = 0; i < n; ++i) {
        total += x[i] << 0x1Fu;
    }
    return total == -1 ? 'a' - 1 : total & 7;
}
"""


def changes(found: list[Mutant]) -> list[tuple[int, str, str]]:
    return [(mutant.line, mutant.text[mutant.start : mutant.stop], mutant.after) for mutant in found]


def test_faults_in_python() -> None:
    found = python_source.mutants(PYTHON)
    assert changes(found) == [
        (3, "3", "4"),
        (6, "-", ""),
        (6, "2", "3"),
        (8, "max", "min"),
        (8, "//", "*"),
        (8, "2", "3"),
        (8, "is not", "is"),
        (8, "and", "or"),
        (8, "not", ""),
        (8, ">", ">="),
        (8, "9", "10"),
        (9, "any", "all"),
        (9, "any(found)", "(not (any(found)))"),
        (11, "found = found * 2", "pass"),
        (11, "*", "+"),
        (11, "2", "3"),
        (12, "log(found)", "pass"),
    ]
    assert str(found[4]).startswith("8: found = [max(low, value // 2) for")
    assert "→  found = [max(low, value * 2) for" in str(found[4])


def test_faults_in_c() -> None:
    assert changes(c_source.mutants(C)) == [
        (5, "0", "1"),
        (6, "0", "1"),
        (6, "<", "<="),
        (7, "+=", "-="),
        (7, "<<", ">>"),
        (7, "0x1Fu", "32u"),
        (9, "==", "!="),
        (9, "1", "2"),
        (9, "-", "+"),
        (9, "1", "2"),
        (9, "&", "|"),
        (9, "7", "8"),
    ]


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.path)
def test_every_fault_changes_one_place_of_a_program(subject: object) -> None:
    path, module = subject.path, subject.module  # type: ignore[attr-defined]
    text = (ROOT / path).read_text(encoding="utf-8")
    found = (c_source if module is None else python_source).mutants(text)
    assert len(found) >= 10
    assert len({mutant.source for mutant in found}) == len(found)
    for mutant in found:
        assert mutant.source != text
        if module is not None:
            ast.parse(mutant.source)
    for test in subject.tests:  # type: ignore[attr-defined]
        assert (ROOT / test).exists()


TESTED = "def double(x: int) -> int:\n    return x * 2\n"
TEST = "from dyncp.planted import double\n\n\ndef test_double() -> None:\n    assert double({}) == {}\n"


@pytest.mark.slow
@pytest.mark.parametrize(("argument", "result", "noticed"), [(3, 6, True), (2, 4, False)])
def test_tests_notice_a_fault_or_do_not(argument: int, result: int, noticed: bool, tmp_path: Path) -> None:
    """Of 2 · 2 and 2 + 2 nobody can tell which it was."""
    (tmp_path / "test_double.py").write_text(TEST.format(argument, result))
    tests = Suite(tmp_path, ["test_double.py"])
    assert not tests.notice(in_module("dyncp.planted", TESTED))
    assert tests.notice(in_module("dyncp.planted", TESTED.replace("*", "+"))) == noticed
    assert "dyncp.planted" not in sys.modules


@pytest.mark.slow
def test_tests_that_fail_anyway_tell_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_double.py").write_text("def test_double() -> None:\n    raise AssertionError\n")
    with pytest.raises(ToolchainError, match=r"without any fault, these fail: test_double\.py"):
        Suite(tmp_path, ["test_double.py"]).time()
