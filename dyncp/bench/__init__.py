# SPDX-License-Identifier: Apache-2.0
"""Benchmarks that a user reruns: `make bench`, `make soak`, `python -m dyncp.bench.NAME`.

In: shipped checkpoints and the demo's corpus. Out: tables on the terminal, JSON under build/bench, and the tables of
docs that say so. A benchmark prints and compares; it decides nothing, and no other room imports it.
"""
