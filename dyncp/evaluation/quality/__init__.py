# SPDX-License-Identifier: Apache-2.0
"""Quality of enhanced speech: clip by clip, against input level, against a cap, against TFLite."""
