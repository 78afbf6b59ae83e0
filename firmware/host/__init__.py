# SPDX-License-Identifier: Apache-2.0
"""The generated C on this machine, called from Python: the library that goes into the firmware, bit for bit."""
