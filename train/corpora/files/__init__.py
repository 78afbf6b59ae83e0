# SPDX-License-Identifier: Apache-2.0
"""Files and folders as people have them: which are audio, in which encoding a table is, folders written whole."""
