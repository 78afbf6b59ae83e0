# SPDX-License-Identifier: Apache-2.0
"""Code generation: from a quantized bundle to a C99 library."""
