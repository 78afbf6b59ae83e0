# SPDX-License-Identifier: Apache-2.0
"""`dyncp evaluate` with its options, and `dyncp front`: how good a network is, and for what cost."""
