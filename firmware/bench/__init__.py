# SPDX-License-Identifier: Apache-2.0
"""Instructions of a network on every core, by kernel, and the instructions that skipping a channel saves."""
