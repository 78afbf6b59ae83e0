# SPDX-License-Identifier: Apache-2.0
"""Long continuous noisy signals from one split, with metadata per frame, for fitting probes and for demonstrations."""
