# SPDX-License-Identifier: Apache-2.0
"""The training loop: batches in, checkpoint folder out, resumable at every epoch."""
