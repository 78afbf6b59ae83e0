# SPDX-License-Identifier: Apache-2.0
"""What several commands share: arguments with one meaning, and scores computed with a progress bar."""
