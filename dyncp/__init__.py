# SPDX-License-Identifier: Apache-2.0
"""dyncp: speech enhancement that prunes itself at run time, from training to bit-exact C."""

__version__ = "0.1.0"
