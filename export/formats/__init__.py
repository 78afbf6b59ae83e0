# SPDX-License-Identifier: Apache-2.0
"""The quantized bundle: what it must contain, and how it is checked, written and read; packed masks; probe tables."""
