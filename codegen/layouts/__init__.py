# SPDX-License-Identifier: Apache-2.0
"""Layouts: the files that a build system wants around a library (docs/layouts.md). Here: `arrange`.

A folder for each, shaped like what it writes: `x/y.j2` becomes `x/y`, PREFIX in a name the library's prefix. What
several layouts share is in `shared`.
"""
