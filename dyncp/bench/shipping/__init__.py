# SPDX-License-Identifier: Apache-2.0
"""`make bundles`: the networks that the package brings, as bundles with their figures.

In: shipped checkpoints and the demo's corpus. Out: `dyncp/networks`, a bundle and a JSON for each.
"""
