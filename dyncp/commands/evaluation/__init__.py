# SPDX-License-Identifier: Apache-2.0
"""`dyncp evaluate` with its options: how good a network is."""
