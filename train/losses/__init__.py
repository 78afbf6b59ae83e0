# SPDX-License-Identifier: Apache-2.0
"""Losses: spectral error, differentiable versions of PESQ and ESTOI, utilization, read-outs of the masks."""
