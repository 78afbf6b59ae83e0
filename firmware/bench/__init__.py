# SPDX-License-Identifier: Apache-2.0
"""What a network costs on every core by kernel, and what skipping a channel saves."""
