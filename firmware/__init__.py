# SPDX-License-Identifier: Apache-2.0
"""Firmware: the C that ships, what builds and runs it, what proves it and what shows it.

runtime/    the hand-written C, a folder per instruction set: copied into every generated library
app/ isa/ boards/    the program, start-up code and memory maps that run it on emulated cores: never shipped
building, host, emulators → cost → proof → report, bench    Python, in the order of their imports

In: a generated library and int16 audio. Out: `validation.json`, `report.json`, `report.html`.
Imports nothing of `train`.
"""
