# SPDX-License-Identifier: Apache-2.0
"""`dyncp report`: report.json, report.html and a table, built from a bundle and its validation.

`contents` is the schema and what fills it, `figures` draws; here both become a document.
"""
