# SPDX-License-Identifier: Apache-2.0
"""How long work takes."""

from __future__ import annotations

import time
from collections.abc import Callable

REPEATS = 5


def fastest(work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """Seconds of the fastest of a few runs, the one that other programs disturbed least.

    Processor time of this process, unless another clock is given: work on a GPU needs that on the wall.
    """
    times = []
    for _ in range(REPEATS):
        start = clock()
        work()
        times.append(clock() - start)
    return min(times)
