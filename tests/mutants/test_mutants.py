# SPDX-License-Identifier: Apache-2.0
"""The makers of faults: each fault is one place of a program that stays one, and the tests tell which are noticed."""

from __future__ import annotations

import ast
import importlib
import sys
from multiprocessing import get_context
from pathlib import Path

import pytest
from kernel_networks import case

from dyncp.base.errors import ToolchainError
from dyncp.bench.mutants import c_source, python_source
from dyncp.bench.mutants.c_trial import CTests
from dyncp.bench.mutants.explained import LIST, read_explained, reason
from dyncp.bench.mutants.mutant import Mutant
from dyncp.bench.mutants.placing import enclosing_statement
from dyncp.bench.mutants.python_trial import PythonTests
from dyncp.bench.mutants.subjects import SUBJECTS

ROOT = Path(__file__).parents[2]

PYTHON = '''\
"""What it does."""
Kind = int | float
LIMIT = 3


def clipped(values: list[int | None], low: int = -2) -> list[int]:
    """At least 0."""
    found = [max(low, value // 2) for value in values if value is not None and not value > 9]
    pairs = zip(found, values, strict=True)
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
        (10, "any", "all"),
        (10, "any(found)", "(not (any(found)))"),
        (12, "found = found * 2", "pass"),
        (12, "*", "+"),
        (12, "2", "3"),
        (13, "log(found)", "pass"),
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
    assert len(found) >= 5
    assert len({mutant.source for mutant in found}) == len(found)
    for mutant in found:
        assert mutant.source != text
        if module is not None:
            ast.parse(mutant.source)
    for test in subject.tests:  # type: ignore[attr-defined]
        assert (ROOT / test.partition("::")[0]).exists()


PLANTED = """\
LIMIT = 4


def double(x: int) -> int:
    if x > 100:
        return x - 1
    return x * 2


class Box:
    def __init__(self, size: int = 7) -> None:
        self.size = size
"""
TEST = """\
from planted import LIMIT, Box, double


def test_double() -> None:
    assert double({}) == {}


def test_rest() -> None:
    assert (LIMIT, Box().size) == (4, 7)
"""


def judged(folder: Path) -> dict[tuple[str, str], str]:
    """What becomes of each fault of planted.py, by the text that it changes."""
    sys.path.insert(0, str(folder))
    importlib.import_module("planted")
    tests, found = PythonTests(folder, ["test_planted.py"], ["planted"]), {}

    def body() -> None:
        for fault in python_source.mutants((folder / "planted.py").read_text()):
            items = tests.running("planted", fault)
            outcome = "noticed" if items and tests.notice(items, "planted", fault) else "not noticed"
            found[fault.text[fault.start : fault.stop], fault.after] = outcome if items else "not run"

    tests.run(body)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("argument", "result", "product"), [(3, 6, "noticed"), (2, 4, "not noticed")])
def test_tests_notice_a_fault_or_do_not(argument: int, result: int, product: str, tmp_path: Path) -> None:
    """Of 2 · 2 and 2 + 2 nobody can tell which it was. In functions, in what is run once, in defaults."""
    (tmp_path / "planted.py").write_text(PLANTED)
    (tmp_path / "test_planted.py").write_text(TEST.format(argument, result))
    # Elsewhere, for a second pytest in this process would leave its settings behind.
    with get_context("fork").Pool(1) as pool:
        found = pool.apply(judged, [tmp_path])
    assert found == {
        ("4", "5"): "noticed",
        (">", ">="): "not noticed",
        ("100", "101"): "not noticed",
        ("x > 100", "(not (x > 100))"): "noticed",
        ("-", "+"): "not run",
        ("1", "2"): "not run",
        ("*", "+"): product,
        ("2", "3"): "noticed",
        ("7", "8"): "noticed",
    }
    assert "planted" not in sys.modules


@pytest.mark.slow
def test_tests_that_fail_anyway_tell_nothing(tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text(PLANTED)
    (tmp_path / "test_planted.py").write_text(TEST.format(2, 5))
    with (
        get_context("fork").Pool(1) as pool,
        pytest.raises(ToolchainError, match=r"without any fault, this fails: test_planted\.py::test_double"),
    ):
        pool.apply(judged, [tmp_path])


def test_a_fault_belongs_to_its_statement() -> None:
    found = {
        fault.text[fault.start : fault.stop]: enclosing_statement(fault) for fault in python_source.mutants(PYTHON)
    }
    assert found["3"] is None
    assert found["-"] is None
    assert found["//"] == (8, 9)
    assert found["any"] == (10, 11)
    assert found["*"] == (12, 13)


@pytest.mark.slow
def test_faults_in_c_are_noticed_or_compiled_to_the_same(tmp_path: Path) -> None:
    tests = CTests({"tied": case("tied")}, tmp_path / "builds")
    runtime = ROOT / "firmware" / "runtime"
    before = {path: path.read_bytes() for path in (tmp_path / "builds" / "tied").iterdir()}
    masks, flips = (runtime / name for name in ("dyncp_masks.h", "dyncp_flips.h"))
    fault = next(f for f in c_source.mutants(masks.read_text()) if f.text[f.start : f.stop] == "+=")
    assert tests.judge(masks.name, fault, tmp_path / "scratch") == "noticed"
    # Compiled for Arm alone.
    fault = next(f for f in c_source.mutants(flips.read_text()) if f.lines[1].startswith("flips->table"))
    assert tests.judge(flips.name, fault, tmp_path / "scratch") == "same code"
    assert {path: path.read_bytes() for path in (tmp_path / "builds" / "tied").iterdir()} == before


def test_every_explained_fault_is_one_that_is_made() -> None:
    """What is explained and no longer there has to go."""
    explained = read_explained(ROOT / LIST)
    faults = {
        subject.path: (c_source if subject.module is None else python_source).mutants((ROOT / subject.path).read_text())
        for subject in SUBJECTS
    }
    for entry in explained:
        assert any(entry.tells_of(entry.file, fault) for fault in faults[entry.file]), entry
    assert len(set(explained)) == len(explained)


def test_a_reason_is_asked_for(tmp_path: Path) -> None:
    entry = '[[fault]]\nfile = "a.py"\nbefore = "1"\nafter = "2"\nreason = "{}"\n'
    (tmp_path / "list.toml").write_text(entry.format("Because."))
    [explained] = read_explained(tmp_path / "list.toml")
    assert reason([explained], "a.py", Mutant("1\n", 0, 1, "2")) == "Because."
    assert reason([explained], "b.py", Mutant("1\n", 0, 1, "2")) is None
    (tmp_path / "list.toml").write_text(entry.format(""))
    with pytest.raises(ValueError, match="and a reason"):
        read_explained(tmp_path / "list.toml")
