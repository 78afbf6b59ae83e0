# SPDX-License-Identifier: Apache-2.0
"""Linear probes on masks: what they may look at, how they are fitted, and the file that keeps them, in float."""
