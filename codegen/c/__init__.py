# SPDX-License-Identifier: Apache-2.0
"""C as text: valid names, constant tables, structs and their sizes, and the list of runtime headers."""
