# SPDX-License-Identifier: Apache-2.0
"""Lowering of the probes: the members of the signals struct and the bitmask-indexed tables."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from dyncp.codegen.names import check_member
from dyncp.codegen.tables import Table, table
from dyncp.codegen.text import aligned
from dyncp.export.bundle import Probes, ProbeTask
from dyncp.train.config import NetworkConfig


@dataclass(frozen=True)
class Signal:
    """One probe task: where its words are."""

    name: str
    kind: str
    first: int
    outputs: int


@dataclass(frozen=True)
class ProbeTables:
    """The bitmask-indexed table of `dcp_probe8` and `dcp_probe16`."""

    bits: int
    features: int
    tables: list[Table]


def signals(tasks: list[ProbeTask]) -> list[Signal]:
    firsts = np.cumsum([0, *(task.outputs for task in tasks)]).tolist()
    return [Signal(task.name, task.kind, first, task.outputs) for task, first in zip(tasks, firsts, strict=False)]


def signals_members(tasks: list[ProbeTask]) -> list[str]:
    members = [
        ("uint32_t", "macs", "", "multiply-accumulates of this frame, counted while running"),
        ("uint32_t", "active", "", "active channels of this frame"),
    ]
    taken = {"macs", "active"}
    for task in tasks:
        own = _task_members(task)
        for _, name, _, _ in own:
            check_member(name, task.name, taken)
            taken.add(name)
        members += own
    return aligned(((f"{kind} {name}{dims};", comment) for kind, name, dims, comment in members), indent=4)


def _task_members(task: ProbeTask) -> list[tuple[str, str, str, str]]:
    """Type, name, dimensions and comment of a task's members of the signals struct."""
    value = f"Q{task.q}, {_plain(task.unit)}"
    if task.kind == "regression":
        return [("int32_t", task.name, "", value)]
    if task.kind == "binary":
        return [
            ("int32_t", f"{task.name}_score", "", value),
            ("uint8_t", task.name, "", "1 where the score > 0"),
        ]
    classes = ", ".join(f"{i} {_plain(label)}" for i, label in enumerate(task.classes))
    return [
        ("int32_t", f"{task.name}_scores", f"[{task.outputs}]", value),
        ("uint8_t", task.name, "", f"the largest: {classes}"),
    ]


def _plain(text: str) -> str:
    """Text from a manifest as it may stand in a C comment: nothing there can end it or continue a line."""
    return re.sub(r"[^A-Za-z0-9 .,_%+()-]", "_", text)


def probe_tables(probes: Probes, config: NetworkConfig) -> ProbeTables:
    informative = np.zeros(config.mask_words, dtype=np.uint32)
    np.bitwise_or.at(informative, probes.channel // 32, np.uint32(1) << (probes.channel % 32).astype(np.uint32))
    per_word = np.bincount(probes.channel // 32, minlength=config.mask_words)
    base = (np.cumsum(per_word) - per_word).astype(np.uint32)
    # C has no empty arrays; a row that no bit points to does no harm.
    weight = probes.weight if len(probes.channel) else np.zeros((1, len(probes.bias)), probes.weight.dtype)
    features, outputs = probes.weight.shape
    return ProbeTables(
        bits=8 * probes.weight.dtype.itemsize,
        features=features,
        tables=[
            table("probe_informative", informative, "mask bits that the probes look at"),
            table("probe_base", base, "row of each word's lowest informative bit"),
            table("probe_weight", weight, f"[{features}][{outputs}]"),
            table("probe_bias", probes.bias, ""),
        ],
    )
