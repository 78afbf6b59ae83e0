# SPDX-License-Identifier: Apache-2.0
"""Configurations: data (TOML), validated, shared by every room. Nothing here imports torch."""
