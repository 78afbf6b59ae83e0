# SPDX-License-Identifier: Apache-2.0
"""The proof that host and cores equal the reference, word by word, and the record that it leaves."""
