# SPDX-License-Identifier: Apache-2.0
"""What a generated library is laid out like: order of weights, stages of a frame, state, shared work space."""
