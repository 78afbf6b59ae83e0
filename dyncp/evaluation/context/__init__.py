# SPDX-License-Identifier: Apache-2.0
"""Small additions to the plain masks: what a probe gains from them, and what they cost on the device."""
