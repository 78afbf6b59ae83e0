# SPDX-License-Identifier: Apache-2.0
"""Tests on one fault in Python after the other: collected and run once without a fault, which tells what each costs and
which lines it runs; then each fault has a forked child, which runs the tests of its lines until one fails.

A fault inside functions is put into the functions themselves, so that nothing is loaded again.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from dyncp.base.errors import ToolchainError
from dyncp.bench.mutants.mutant import Mutant
from dyncp.bench.mutants.placing import enclosing_statement, in_functions, in_module

PATIENCE = 10
"""Times what the chosen tests take without a fault, in processor time: longer is a fault that was noticed."""
LEAST_S = 10


@dataclass
class Cost:
    """Of a test, without a fault, and the faults that it has noticed so far."""

    seconds: float = 0.0
    noticed: int = 0


@dataclass
class PythonTests:
    """Files and single tests by pytest's names, below `root`, and the modules that faults are put into."""

    root: Path
    names: Sequence[str]
    modules: Sequence[str]
    items: list[pytest.Item] = field(default_factory=list)
    cost: dict[str, Cost] = field(default_factory=dict)
    lines: dict[str, dict[int, set[str]]] = field(default_factory=dict)
    """Of each module, which tests run a line."""

    def run(self, body: Callable[[], None]) -> None:
        """Collect the tests, run them without a fault, then `body`, which may ask `notice`.

        Raises ToolchainError where tests fail without a fault: then no fault tells anything.
        """
        plugin, names = _Plugin(self, body), [str(self.root / name) for name in self.names]
        # No terminal, so that only what the caller prints is seen; its options are not known then.
        words = ["-s", "-p", "no:terminal", "-p", "no:cacheprovider", "-o", "addopts=", "--hypothesis-seed=0"]
        code = pytest.main([f"--rootdir={self.root}", *words, "-m", "not slow", *names], plugins=[plugin])
        if plugin.raised is not None:
            raise plugin.raised
        if code != 0 or not self.items:
            raise ToolchainError(f"the tests cannot be run: {' '.join(self.names)}")

    def running(self, module: str, mutant: Mutant) -> list[pytest.Item]:
        """Tests that run the statement of the fault, the best first; all, for a statement outside of functions."""
        span = enclosing_statement(mutant)
        wanted = (
            None if span is None else set[str]().union(*(self.lines[module].get(line, set()) for line in range(*span)))
        )
        found = [item for item in self.items if wanted is None or item.nodeid in wanted]
        return sorted(found, key=lambda item: self.cost[item.nodeid].seconds / (1 + self.cost[item.nodeid].noticed))

    def notice(self, items: Sequence[pytest.Item], module: str, mutant: Mutant) -> bool:
        """Whether one of `items` fails, or they take far too long, with the fault in place."""
        put = in_functions(sys.modules[module], mutant)

        def work() -> int | None:
            if put is None:
                # The module has to be loaded again, and with it everything.
                return _afresh(in_module(module, mutant.source), self, items)
            put()
            return self._first_failure(items)

        return self._in_child(work, items)

    def _in_child(self, work: Callable[[], int | None], items: Sequence[pytest.Item]) -> bool:
        """`work` returns the index of the test that failed."""
        receive, send = os.pipe()
        child = os.fork()
        if child == 0:
            told = b"?"
            try:
                limit = max(float(LEAST_S), PATIENCE * sum(self.cost[item.nodeid].seconds for item in items))
                signal.signal(signal.SIGPROF, signal.SIG_DFL)
                signal.setitimer(signal.ITIMER_PROF, limit)
                nothing = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nothing, 1)
                os.dup2(nothing, 2)
                failed = work()
                told = b"none" if failed is None else b"%d" % failed
            finally:
                os.write(send, told)
                os._exit(0)
        os.close(send)
        told = os.read(receive, 20)
        os.close(receive)
        os.waitpid(child, 0)
        if told.isdigit():
            self.cost[items[int(told)].nodeid].noticed += 1
        return told != b"none"

    def _first_failure(self, items: Sequence[pytest.Item]) -> int | None:
        for i, item in enumerate(items):
            if not run_test(item, items[i + 1] if i + 1 < len(items) else None):
                return i
        return None


@dataclass
class _Plugin:
    """Stands in for pytest's own loop over the tests."""

    tests: PythonTests
    body: Callable[[], None]
    raised: BaseException | None = None

    def pytest_sessionstart(self) -> None:
        from hypothesis import HealthCheck, Phase, settings

        # A failing example is enough: none is made smaller, explained or kept.
        phases = [Phase.explicit, Phase.generate]
        settings.register_profile(
            "mutants", deadline=None, phases=phases, database=None, suppress_health_check=list(HealthCheck)
        )
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        try:
            if session.testsfailed:
                raise ToolchainError(f"the tests cannot be collected: {' '.join(self.tests.names)}")
            self.tests.items = list(session.items)
            self._without_a_fault()
            self.body()
        except BaseException as raised:
            self.raised = raised
        return True

    def _without_a_fault(self) -> None:
        files = {sys.modules[name].__file__ or "": name for name in self.tests.modules}
        self.tests.lines = {name: defaultdict(set) for name in self.tests.modules}
        for i, item in enumerate(self.tests.items):
            following = self.tests.items[i + 1] if i + 1 < len(self.tests.items) else None
            started = time.process_time()
            with _lines_run(files) as found:
                passed = run_test(item, following)
            self.tests.cost[item.nodeid] = Cost(time.process_time() - started)
            for name, line in found:
                self.tests.lines[name][line].add(item.nodeid)
            if not passed:
                raise ToolchainError(f"without any fault, this fails: {item.nodeid}")


def run_test(item: pytest.Item, following: pytest.Item | None) -> bool:
    """Whether it passes."""
    outcomes: list[bool] = []

    class Listener:
        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            outcomes.append(not report.failed)

    listener = Listener()
    item.config.pluginmanager.register(listener)
    try:
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
    finally:
        item.config.pluginmanager.unregister(listener)
    return bool(outcomes) and all(outcomes)


@contextmanager
def _lines_run(files: dict[str, str]) -> Iterator[set[tuple[str, int]]]:
    """Of modules by their files: which lines are run in the meantime."""
    found: set[tuple[str, int]] = set()

    def inside(frame: FrameType, event: str, _: object) -> Any:
        if event == "line":
            found.add((files[frame.f_code.co_filename], frame.f_lineno))
        return inside

    def entered(frame: FrameType, event: str, _: object) -> Any:
        return inside if frame.f_code.co_filename in files else None

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        yield found
    finally:
        sys.settrace(before)


def _afresh(put: Callable[[], None], tests: PythonTests, items: Sequence[pytest.Item]) -> int | None:
    """The tests collected again, in a process that has forgotten theirs."""
    own = {str(item.path) for item in tests.items}
    for loaded, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if file in own or Path(file).is_relative_to(tests.root / "tests"):
            del sys.modules[loaded]
    put()
    words = ["-x", "-s", "-p", "no:terminal", "-p", "no:cacheprovider", "-o", "addopts=", "--hypothesis-seed=0"]
    plugin = _Failures()
    code = pytest.main(
        [f"--rootdir={tests.root}", *words, *(f"{tests.root}/{item.nodeid}" for item in items)], plugins=[plugin]
    )
    if code == 0:
        return None
    numbers = {item.nodeid: i for i, item in enumerate(items)}
    return next((numbers[name] for name in plugin.names if name in numbers), 0)


@dataclass
class _Failures:
    names: list[str] = field(default_factory=list)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.names.append(report.nodeid)
