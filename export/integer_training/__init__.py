# SPDX-License-Identifier: Apache-2.0
"""Training through the device's integers: forward as on the device, backward as in real numbers."""
