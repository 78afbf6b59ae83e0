# SPDX-License-Identifier: Apache-2.0
"""Code generation: from a bundle to a folder of C99, and an account of its cost. Here: `generate` and `accounting`.

In: a bundle. Out: `.c` and `.h` files that need no library. `c` formats C, `plan` decides structs and buffers,
`lowering` names everything; `templates` only print. The same bundle gives the same bytes.
"""
