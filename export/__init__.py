# SPDX-License-Identifier: Apache-2.0
"""Export: folding, quantization and the integer reference."""
