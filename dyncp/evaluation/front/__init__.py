# SPDX-License-Identifier: Apache-2.0
"""Quality against cost: the networks that are compared under one protocol, and the point of each."""
