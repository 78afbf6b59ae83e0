# SPDX-License-Identifier: Apache-2.0
"""Enhancers that people use today, from their own wheels, scored on the same clips as a network of ours."""
