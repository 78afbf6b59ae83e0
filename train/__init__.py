# SPDX-License-Identifier: Apache-2.0
"""Training: corpora, network, losses, fitting, probes."""
