# SPDX-License-Identifier: Apache-2.0
"""Engines that run a network on a stream and record its masks: the generated C on the host, or the float network."""
