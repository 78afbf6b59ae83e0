# SPDX-License-Identifier: Apache-2.0
"""The day: the stream of everyday situations on which cost and quality are told together, and its recipe."""
