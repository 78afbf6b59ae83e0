# SPDX-License-Identifier: Apache-2.0
"""Whoever runs a network on a stream and notes what it shows: the generated C on the host, or the float network."""
