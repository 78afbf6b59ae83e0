# SPDX-License-Identifier: Apache-2.0
"""Cost and quality over a day of everyday situations: MACs, instructions, energy and speech quality by condition."""
