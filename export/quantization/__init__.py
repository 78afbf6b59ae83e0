# SPDX-License-Identifier: Apache-2.0
"""From a float network and float probes to a bundle: batch norm folded, scales calibrated, weights rounded."""
