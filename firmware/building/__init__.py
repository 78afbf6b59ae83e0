# SPDX-License-Identifier: Apache-2.0
"""Compilers as subprocesses, boards as data, images linked from both, and readers of ELF files."""
