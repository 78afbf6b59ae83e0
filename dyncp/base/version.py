# SPDX-License-Identifier: Apache-2.0
"""The version of this package: part of what it writes, so that a file tells what made it."""

__version__ = "0.2.0"
