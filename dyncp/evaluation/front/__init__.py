# SPDX-License-Identifier: Apache-2.0
"""Quality against cost: which networks are compared under one protocol, and where each lies."""
