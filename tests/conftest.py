# SPDX-License-Identifier: Apache-2.0
"""Settings of all tests."""

from hypothesis import settings

# A slow machine is not a failure.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
