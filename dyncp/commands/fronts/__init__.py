# SPDX-License-Identifier: Apache-2.0
"""`dyncp front`: dynamic networks against the front of static ones."""
