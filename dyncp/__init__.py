# SPDX-License-Identifier: Apache-2.0
"""dyncp: speech enhancement with dynamic channel pruning, from training to bit-exact C."""

from dyncp.base.version import __version__ as __version__
