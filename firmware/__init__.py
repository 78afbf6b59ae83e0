# SPDX-License-Identifier: Apache-2.0
"""Firmware: C runtime, boards, builds, emulation and validation."""
