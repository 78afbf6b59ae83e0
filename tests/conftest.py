# SPDX-License-Identifier: Apache-2.0
"""Settings of all tests."""

import os

from hypothesis import settings

# A slow machine is not a failure.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

# Tests run side by side, one to a processor: threads of each would only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
