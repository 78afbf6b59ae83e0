# SPDX-License-Identifier: Apache-2.0
"""Layout of a generated library: order of weights, stages of a frame, members of the state, shared work space."""
