# SPDX-License-Identifier: Apache-2.0
"""The generated C on this machine, called from Python: the same library as in the firmware, bit for bit."""
