# SPDX-License-Identifier: Apache-2.0
"""Tests on one mutant, in a child of a process that has the large packages loaded: none of them is loaded twice."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from dyncp.base.errors import ToolchainError

PATIENCE = 3
"""Times what the tests take without a fault: longer is a fault that was noticed."""
LEAST_S = 60


class Suite:
    """Files and single tests by pytest's names, below the checkout `root`."""

    def __init__(self, root: Path, names: Sequence[str]) -> None:
        self.root, self.names = root, names
        self.limit_s = 0.0
        """None until `time` has set one."""

    def time(self) -> None:
        """Run them without a fault. Raises ToolchainError where they fail: then no mutant tells anything."""
        started = time.monotonic()
        if self.notice(lambda: None):
            raise ToolchainError(f"without any fault, these fail: {' '.join(self.names)}")
        self.limit_s = max(float(LEAST_S), PATIENCE * (time.monotonic() - started))

    def notice(self, fault: Callable[[], None]) -> bool:
        """Whether a test fails, or takes far too long, once `fault` was put in place."""
        child = os.fork()
        if child == 0:
            self._run(fault)
        _, status = os.waitpid(child, 0)
        return status != 0

    def _run(self, fault: Callable[[], None]) -> None:
        """Does not return."""
        code = 1
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, self.limit_s)
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, 1)
            os.dup2(nothing, 2)
            os.chdir(self.root)
            fault()
            import pytest

            words = ["-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0", "-m", "not slow"]
            code = int(pytest.main([*words, *self.names]))
        finally:
            os._exit(code)


def in_module(name: str, source: str) -> Callable[[], None]:
    """A fault that is put in place before anything of `dyncp` that needs the module is loaded."""

    def put() -> None:
        for loaded in [loaded for loaded in sys.modules if loaded.split(".")[0] == "dyncp"]:
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


def in_runtime(name: str, source: str, folder: Path) -> Callable[[], None]:
    """A fault in one of the runtime's headers, all of which are written into `folder`, where tests then find them."""

    def put() -> None:
        runtime: Any = importlib.import_module("dyncp.codegen.c.runtime")
        libraries: Any = importlib.import_module("libraries")
        for header in list(runtime.RUNTIME):
            text = source if header == name else runtime.RUNTIME[header].read_text(encoding="utf-8")
            (folder / header).write_text(text, encoding="utf-8")
            runtime.RUNTIME[header] = folder / header
        libraries.RUNTIME = (folder,)

    return put
