# SPDX-License-Identifier: Apache-2.0
"""What a report says: the schema of `report.json` and the pieces that are read or computed for it."""
