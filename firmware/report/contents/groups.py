# SPDX-License-Identifier: Apache-2.0
"""Kinds of stages: what the many stages of a frame are summed into for a reader."""

from __future__ import annotations

import re

# In the order of execution: a kind and the stages of docs/emitted-c.md that belong to it, without their block.
# `call` is what lies outside every stage (firmware/proof/records.py).
STAGE_GROUPS = {
    "analysis": ("spectrum", "features"),
    "front": ("front",),
    "gates": ("input", "pool", "gate", "score", "mask"),
    "expand": ("expand",),
    "depthwise": ("depthwise",),
    "project": ("project",),
    "back": ("back_input", "logits", "suppression"),
    "synthesis": ("synthesis",),
    "probes": ("probes", "signals"),
    "call": ("call",),
}


def stage_group(stage: str) -> str:
    """The kind of a stage: `block3_pool` belongs to `gates`."""
    kind = re.sub(r"^block\d+_", "", stage)
    return next(group for group, kinds in STAGE_GROUPS.items() if kind in kinds)


def stage_row(stage: str) -> str:
    """Where a stage stands in the network: its block, or the kind it belongs to."""
    block = re.match(r"block(\d+)_", stage)
    return f"block {block[1]}" if block else stage_group(stage)
