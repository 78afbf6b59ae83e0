# SPDX-License-Identifier: Apache-2.0
"""Hunts and proofs over the generated C, as commands (docs/assurance.md): corrupted states, fuzzing, Frama-C.

What they run is in `dyncp.firmware.proof`; here are the networks that they run it on, and the tables they print.
"""
