# SPDX-License-Identifier: Apache-2.0
"""What is done to a network after its training: gates that lean, channels of equal size."""
