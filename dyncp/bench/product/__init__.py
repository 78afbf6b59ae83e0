# SPDX-License-Identifier: Apache-2.0
"""What the parts of the API beside the network cost on an emulated core: the controls, and the optional stream."""
