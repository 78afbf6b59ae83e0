# SPDX-License-Identifier: Apache-2.0
"""How long work takes."""

from __future__ import annotations

import time
from collections.abc import Callable

REPEATS = 5


def fastest(work: Callable[[], object]) -> float:
    """Seconds of the fastest of a few runs: the one that other programs disturbed least."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
