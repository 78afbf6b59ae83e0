# SPDX-License-Identifier: Apache-2.0
"""Contents of a report: the schema of `report.json`, and the parts that are read or computed for it."""
