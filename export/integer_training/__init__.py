# SPDX-License-Identifier: Apache-2.0
"""Quantization-aware training: the forward pass uses the device's integers, the backward pass real numbers."""
