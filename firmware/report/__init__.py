# SPDX-License-Identifier: Apache-2.0
"""What `dyncp report` makes of a bundle and its validation: report.json, report.html and a table."""
