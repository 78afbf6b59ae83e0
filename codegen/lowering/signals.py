# SPDX-License-Identifier: Apache-2.0
"""Lowering of the public face of a probe set: macros, class names and the members of the signals struct."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dyncp.base.config.network import NetworkConfig
from dyncp.codegen.c.names import check_member
from dyncp.codegen.c.text import aligned
from dyncp.codegen.plan.stages import stages
from dyncp.export.formats.bundle import ProbeTask


@dataclass(frozen=True)
class Signal:
    """One task: its macros, the enumerators of its classes, and where its words are."""

    name: str
    kind: str
    first: int
    outputs: int
    period: int
    """Frames from one decision, or value, to the next."""
    checked: bool
    """Whether it has a validity flag."""
    macros: list[str]
    classes: list[str]
    """Lines of an enum; empty unless multiclass."""


def signals(tasks: list[ProbeTask], config: NetworkConfig, upper: str) -> list[Signal]:
    """`upper` is the prefix of macros."""
    described, first = [], 0
    taken = {f"{upper}_{name}" for name in _FIXED} | {f"{upper}_DECISION_{task.name.upper()}" for task in tasks}
    taken |= {f"{upper}_STAGE_{s.name.upper()}" for s in stages(config, 1)}
    for task in tasks:
        described.append(
            Signal(
                name=task.name,
                kind=task.kind,
                first=first,
                outputs=task.outputs,
                period=task.period,
                checked=task.frames == "speech",
                macros=_macros(task, upper),
                classes=aligned(((line, "") for line in _classes(task, upper, taken)), indent=4),
            )
        )
        first += task.outputs
    return described


def _macros(task: ProbeTask, upper: str) -> list[str]:
    name = f"{upper}_{task.name.upper()}"
    return [f"#define {name}_Q {task.q}", f'#define {name}_UNIT "{plain(task.unit)}"']


def _classes(task: ProbeTask, upper: str, taken: set[str]) -> list[str]:
    """Enumerators, made unique by a number where labels differ in nothing that C can carry."""
    lines = []
    for index, label in enumerate(task.classes):
        stem = f"{upper}_{task.name.upper()}_" + (re.sub(r"[^A-Z0-9]+", "_", label.upper()).strip("_") or "CLASS")
        name, count = stem, 1
        # `_Q`, `_UNIT` and `_H` end the names of macros.
        while name in taken or name.endswith(("_Q", "_UNIT", "_H")):
            count += 1
            name = f"{stem}_{count}"
        taken.add(name)
        lines.append(f"{name} = {index},")
    return lines


# Names of the emitted headers that a task and a class together could spell.
_FIXED = {"SAMPLE_RATE", "MASK_WORDS", "WARM_UP", "STATE_BYTES", "SCRATCH_BYTES", "NETWORK_HASH", "BUNDLE_HASH"}
_FIXED |= {"PROBE_SET", "PROBE_OUTPUTS", "PROBE_STATE_BYTES", "PROBES_VERSION", "PROBES_HASH"}
_FIXED |= {"ERROR_NULL", "ERROR_UNINITIALIZED", "ERROR_VERSION", "VERSION_MAJOR", "VERSION_MINOR", "VERSION_PATCH"}
_FIXED |= {"ERROR_SETTING", "ERROR_CAP", "DECISIONS", "NO_LIMIT", "HAS_VAD", "BAND_EDGES"}
_FIXED |= {"ERROR_SELFTEST", "TABLES_HASH", "HEARD_HASH", "HEARD_FRAMES", "TOLD_HASH"}


def members(tasks: list[ProbeTask], counts: bool = True) -> list[str]:
    """Lines of the signals struct, with its counts of work or without.

    Raises GenerationError for a task that C cannot name.
    """
    listed = fields(tasks)[0 if counts else COUNTS :]
    return aligned(((f"{kind} {name}{dims};", comment) for kind, name, dims, comment in listed), indent=4)


COUNTS = 2
"""So many fields come first that are no task's."""


def fields(tasks: list[ProbeTask]) -> list[tuple[str, str, str, str]]:
    """Type, name, dimensions and comment of each member of the signals struct. Raises as `members` does."""
    listed = [
        ("uint32_t", "macs", "", "multiply-accumulates of this frame, counted while running"),
        ("uint32_t", "active", "", "active channels of this frame"),
    ]
    taken = {"macs", "active"}
    for task in tasks:
        own = _task_members(task)
        for _, name, _, _ in own:
            check_member(name, task.name, taken)
            taken.add(name)
        listed += own
    return listed


def _task_members(task: ProbeTask) -> list[tuple[str, str, str, str]]:
    """Type, name, dimensions and comment of a task's members of the signals struct."""
    value = f"Q{task.q}, {plain(task.unit)}" + (f", anew every {task.period} frames" if task.period > 1 else "")
    own = {
        "regression": [("int32_t", task.name, "", value)],
        "binary": [
            ("int32_t", f"{task.name}_score", "", value),
            ("uint8_t", task.name, "", "1 where the score > 0, unless set otherwise"),
        ],
        "multiclass": [
            ("int32_t", f"{task.name}_scores", f"[{task.outputs}]", f"{value}, one a class"),
            ("uint8_t", task.name, "", "class of the first largest score, unless set otherwise"),
        ],
    }[task.kind]
    if task.frames == "speech":
        own.append(("uint8_t", f"{task.name}_valid", "", "1 where there is speech to judge"))
    return own


def plain(text: str) -> str:
    """Text from a manifest as it may stand in a C comment or string: nothing there can end it or continue a line."""
    return re.sub(r"[^A-Za-z0-9 .,_%+()-]", "_", text)
