# SPDX-License-Identifier: Apache-2.0
"""Proofs of what a product has around a frame: settings that change, and the optional stream."""
