# SPDX-License-Identifier: Apache-2.0
"""Experiments that are trained within seconds."""

from __future__ import annotations


def short(epochs: int, steps: int, *training: str) -> str:
    """TOML of two stacks, each with a gate on 16 conv channels; `training` are further lines of that table."""
    return "\n".join([NETWORK, f"epochs = {epochs}", f"steps_per_epoch = {steps}", *training, ""])


NETWORK = """
[network]
channels = 12
hidden = 16
stacks = 2
dilations = [1, 2]
gate = 4
gate_site = "hidden"
gate_shared = "stack"
pooling_frames = 5
[mixing]
clip_s = 0.5
[training]
batch = 2"""
