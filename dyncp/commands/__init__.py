# SPDX-License-Identifier: Apache-2.0
"""The command line, a module per command, in the rooms of the pipeline. Here: `demo`, which runs them all.

In: arguments. Out: files, tables, exit status. A command reads arguments, calls the rooms and prints; anything
useful from Python belongs in a room. Heavy packages are imported in the function that needs them.
"""
