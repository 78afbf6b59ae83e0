# SPDX-License-Identifier: Apache-2.0
"""What `dyncp enhance` does: one file or pipe, a folder of files, the CSV and plot of signals, the closing line."""
