# SPDX-License-Identifier: Apache-2.0
"""What several commands share: arguments with one meaning, the console, and scores computed with a progress bar."""
