# SPDX-License-Identifier: Apache-2.0
"""Lowering of a probe set: what P_signals.h and P_probes.h print, and no file of the network does."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import numpy as np

from dyncp.base.errors import GenerationError
from dyncp.codegen.c.structs import StructText, struct_text
from dyncp.codegen.c.tables import Table, table
from dyncp.codegen.c.text import aligned, wrapped
from dyncp.codegen.lowering.selftest import ProbeSelfTest, lower_probe_selftest
from dyncp.codegen.lowering.signals import Signal, members, signals
from dyncp.codegen.plan.layout import probe_state
from dyncp.export.formats.bundle import Bundle, Probes, ProbeTask
from dyncp.export.formats.masks import pack_block
from dyncp.export.formats.probe_set import PROBES_VERSION
from dyncp.export.integers import reference
from dyncp.export.integers.run import Run

UNIT = 8
"""Bytes: where rows of weights begin is counted in these, and no row is shorter."""


@dataclass(frozen=True)
class Smoothing:
    """Adjacent outputs of one smoothing; 0 copies them."""

    shift: int
    first: int
    outputs: int


@dataclass(frozen=True)
class Turn:
    """What is done in one frame of `period`: outputs to smooth or copy, and signals to decide by them."""

    period: int
    smoothing: list[Smoothing]
    """Empty where no signal of the set differs from its word: then the words are the signals."""
    decisions: list[Signal]


@dataclass(frozen=True)
class ProbeSet:
    """A probe set as C; without probes, `outputs` is 0 and there are no tables."""

    hash: str | None
    number: str
    """The start of the hash, as the state keeps it; 0 without probes."""
    tasks: list[ProbeTask]
    constants: list[str]
    """#define lines of P_signals.h."""
    members: list[str]
    """Of the signals struct."""
    signals: list[Signal]
    state: StructText
    outputs: int
    features: int
    bits: int
    """Width of the weights."""
    tables: list[Table]
    turns: list[Turn]
    """The most frequent first."""
    decisions: list[Signal]
    """Those that decide something, in the order of the state's `decisions`."""
    decision_lines: list[str]
    """Their enumerators."""
    voice: int | None
    """Which of them says speech."""
    tell: str
    """Prototype of the function that does the work, without its end."""
    selftest: ProbeSelfTest | None
    """Where the library has a self-test."""

    @property
    def smoothing(self) -> list[Smoothing]:
        """Of all turns; empty where the words are the signals."""
        return [run for turn in self.turns for run in turn.smoothing]

    @property
    def counted(self) -> bool:
        """Whether anything is not done in each frame."""
        return any(turn.period > 1 for turn in self.turns)

    @property
    def checked(self) -> bool:
        """Whether any signal has a validity flag."""
        return any(signal.checked for signal in self.signals)


def lower_probes(bundle: Bundle, prefix: str, selftest: bool = False) -> ProbeSet:
    """The bundle's probe set. Raises GenerationError for a task that C cannot name."""
    probes, config, upper = bundle.probes, bundle.config, prefix.upper()
    tasks = probes.tasks if probes else []
    listed = probe_tables(bundle, probes) if probes else []
    number = f"0x{(bundle.probes_hash or '0')[:8]}u"
    described = signals(tasks, config, upper)
    deciders = [signal for signal in described if signal.kind != "regression"]
    voice = probes.voice_output if probes else None
    return ProbeSet(
        hash=bundle.probes_hash,
        number=number,
        tasks=tasks,
        constants=_constants(bundle, upper, number),
        members=members(tasks),
        signals=described,
        state=struct_text(probe_state(config, probes), prefix),
        outputs=bundle.probe_outputs,
        features=len(probes.channel) if probes else 0,
        bits=8 * probes.weight.dtype.itemsize if probes else 0,
        tables=listed,
        turns=_turns(probes, deciders) if probes else [],
        decisions=deciders,
        decision_lines=_decision_lines(deciders, upper),
        voice=next((n for n, signal in enumerate(deciders) if signal.first == voice), None),
        tell=_tell(prefix),
        selftest=lower_probe_selftest(listed, bundle) if selftest else None,
    )


def _decision_lines(deciders: list[Signal], upper: str) -> list[str]:
    lines = ((f"{upper}_DECISION_{signal.name.upper()} = {n},", "") for n, signal in enumerate(deciders))
    return aligned(lines, indent=4)


def _tell(prefix: str) -> str:
    arguments = [f"{prefix}_probe_state *state", "const uint32_t *masks", f"{prefix}_signals *signals"]
    return wrapped(f"DYNCP_ONCE static void {prefix}_set_tell", arguments, "")


def reader_prototypes(prefix: str, reads: str) -> dict[str, str]:
    """Of the functions of a probe set that reads the masks of the library `reads`, without their ends."""
    state, status = f"{prefix}_state *state", f"{reads}_status {prefix}"
    listed = {
        "read": [state, f"const {reads}_state *network", f"{prefix}_signals *signals"],
        "set_decision": [state, "uint32_t decision", "int32_t level", "uint32_t hangover"],
        "get_decision": [f"const {state}", "uint32_t decision", f"{prefix}_decision *now"],
    }
    return {name: wrapped(f"{status}_{name}", arguments, "") for name, arguments in listed.items()}


def _constants(bundle: Bundle, upper: str, number: str) -> list[str]:
    decisions = len(bundle.probes.deciding) if bundle.probes else 0
    has_vad = int(bundle.probes is not None and bundle.probes.voice_output is not None)
    defines = [
        (f'BUNDLE_HASH "{bundle.hash}"', ""),
        (f"PROBES_VERSION {PROBES_VERSION}", "of the format of a probe set"),
        (f'PROBES_HASH "{bundle.probes_hash or ""}"', ""),
        (f"PROBE_SET {number}", "start of that hash, 0 without probes"),
        (f"PROBE_OUTPUTS {bundle.probe_outputs}", "words of all tasks"),
        (f"DECISIONS {decisions}", "tasks that decide something"),
        (f"HAS_VAD {has_vad}", "whether the binary task vad is one of them"),
        (f"PROBE_STATE_BYTES {probe_state(bundle.config, bundle.probes).bytes}", "sizeof the probe state"),
    ]
    return aligned((f"#define {upper}_{define}", comment) for define, comment in defines)


def _turns(probes: Probes, deciders: list[Signal]) -> list[Turn]:
    runs = _runs(probes) if probes.shapes_signals else []
    return [
        Turn(
            period,
            [run for every, run in runs if every == period],
            [signal for signal in deciders if signal.period == period],
        )
        for period in sorted({task.period for task in probes.tasks})
    ]


def _runs(probes: Probes) -> list[tuple[int, Smoothing]]:
    """Outputs side by side that are smoothed alike and as often, with their period."""
    kinds = [(task.period, task.smoothing) for task in probes.tasks for _ in range(task.outputs)]
    runs: list[tuple[int, Smoothing]] = []
    first = 0
    for (period, shift), run in groupby(kinds):
        outputs = len(list(run))
        runs.append((period, Smoothing(shift, first, outputs)))
        first += outputs
    return runs


def silence(bundle: Bundle) -> Run:
    """The first frame of a silent stream: the device's words start as the sums over its masks.

    Fewer bits of a first frame differ from these than are set in it, so that it costs less; what it tells is the same.
    """
    return reference.run(bundle, np.zeros(bundle.config.hop, np.int16))


def probe_tables(bundle: Bundle, probes: Probes) -> list[Table]:
    """The tables of `dcp_probe8` and `dcp_probe16` (firmware/runtime/dyncp_readout.h), and what they start from.

    Raises GenerationError for weights that are more than 16 bits can point into.
    """
    config = bundle.config
    features, outputs = probes.weight.shape
    # A row of zeros, which a vector may reach into behind the last one.
    weight = np.pad(probes.weight, ((0, 1), (0, -outputs % 8)))
    units = weight[0].nbytes // UNIT
    if units * features > np.iinfo(np.uint16).max:
        raise GenerationError(
            f"probes: the weights of {features} features and {outputs} outputs take {weight.nbytes} bytes, and rows "
            f"begin within {UNIT << 16}; generate with fewer --signals"
        )
    row = np.zeros((config.mask_words, 32), np.uint16)
    row[probes.channel // 32, 31 - probes.channel % 32] = units * np.arange(features)
    used = np.zeros(32 * config.mask_words, np.bool_)
    used[probes.channel] = True
    start = silence(bundle)
    tables = [
        table("probe_row", row, "where the rows of each word's bits begin, from the highest one down"),
        table("probe_used", pack_block(used), "which bits of each word are features"),
        table("probe_weight", weight, f"[{len(weight)}][{weight.shape[1]}]"),
        table("probe_silence", start.masks[0], "masks of a first frame of silence"),
        table("probe_start", start.words[0], "their words"),
    ]
    return [*tables, table("probe_bias", probes.bias, "")] if probes.shapes_signals else tables
