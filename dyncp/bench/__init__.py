# SPDX-License-Identifier: Apache-2.0
"""Benchmarks that users can rerun: `make bench`, `make soak`, `python -m dyncp.bench.NAME`.

In: shipped checkpoints and the demo's corpus. Out: tables on the terminal, JSON under build/bench, and the tables of
docs/benchmarks.md and docs/skipping.md. No other room imports it.
"""
