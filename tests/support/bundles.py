# SPDX-License-Identifier: Apache-2.0
"""Random bundles for tests: those of `make misra` and `make prove`."""

from __future__ import annotations

from dyncp.bench.assurance.random_networks import TASKS, ProbeWidth, random_bundle

__all__ = ["TASKS", "ProbeWidth", "random_bundle"]
