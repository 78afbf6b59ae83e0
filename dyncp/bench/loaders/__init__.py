# SPDX-License-Identifier: Apache-2.0
"""A hunt over everything that reads files: whatever bytes a file holds, only errors of ours may come out.

`targets` has one reader per kind of file, `hunt` what atheris runs in a process of its own, `command` the command.
"""
