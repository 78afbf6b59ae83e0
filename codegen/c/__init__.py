# SPDX-License-Identifier: Apache-2.0
"""C as text: names that it may carry, constant tables, structs with their sizes, the runtime's headers."""
