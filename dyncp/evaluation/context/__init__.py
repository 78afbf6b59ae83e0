# SPDX-License-Identifier: Apache-2.0
"""What little additions to the plain masks a probe gains, and what they cost on the device."""
