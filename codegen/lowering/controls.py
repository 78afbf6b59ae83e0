# SPDX-License-Identifier: Apache-2.0
"""Lowering of the controls: prototypes of their functions, the settings struct, the edges of the bands."""

from __future__ import annotations

from dyncp.base.config.network import NetworkConfig
from dyncp.codegen.c.text import WIDTH, aligned, prototype

ARGUMENTS = {
    "limit": ["uint32_t decibels"],
    "strength": ["uint32_t percent"],
    "bypass": ["int bypass"],
    "smoothing": ["uint32_t attack", "uint32_t release"],
    "decision": ["uint32_t decision", "int32_t level", "uint32_t hangover"],
    "vad": ["int32_t level", "uint32_t hangover"],
}
"""Of P_set_…, after the state."""


def setters(prefix: str) -> dict[str, str]:
    """Prototypes by what they set, without their ends, and that of P_get_settings."""
    listed = {
        name: prototype(prefix, f"set_{name}", [f"{prefix}_state *state", *arguments])
        for name, arguments in ARGUMENTS.items()
    }
    own = [f"const {prefix}_state *state", f"{prefix}_settings *settings"]
    return listed | {"settings": prototype(prefix, "get_settings", own)}


def setting_lines(prefix: str) -> list[str]:
    """Members of the settings struct."""
    count = f"{prefix.upper()}_DECISIONS"
    members = [
        ("uint32_t block_cap, frame_cap;", "most active channels"),
        ("uint32_t limit;", "dB"),
        ("uint32_t strength;", "percent"),
        ("uint32_t bypass;", "0 or 1"),
        ("uint32_t attack, release;", "percent"),
        (f"{prefix}_decision decisions[({count} > 0) ? {count} : 1];", ""),
    ]
    return aligned(members, indent=4)


def edge_lines(config: NetworkConfig, upper: str) -> list[str]:
    """A macro that initializes a table of the bands' edges; nothing for a network of bins."""
    if config.bands is None:
        return []
    whole = f"#define {upper}_BAND_EDGES {', '.join(map(str, config.bands))}"
    if len(whole) <= WIDTH:
        return [whole]
    lines, filled = [f"#define {upper}_BAND_EDGES"], " " * 4
    for edge in config.bands:
        piece = f"{edge}" if edge == config.bands[-1] else f"{edge}, "
        if len(filled + piece) > WIDTH - 3:
            lines.append(filled.rstrip())
            filled = " " * 4
        filled += piece
    lines.append(filled)
    column = WIDTH - 1
    return [f"{line:<{column}}\\" for line in lines[:-1]] + lines[-1:]
