# SPDX-License-Identifier: Apache-2.0
"""Linear probes on masks: their features, how they are fitted, and the file that stores them, in float."""
