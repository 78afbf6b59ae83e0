# SPDX-License-Identifier: Apache-2.0
"""Long continuous noisy signals of one split, with metadata at frame resolution, for probes and demonstrations."""
