# SPDX-License-Identifier: Apache-2.0
"""Audio files as people have them: any rate, channels and length, read block by block; written whole or not at all."""
