# SPDX-License-Identifier: Apache-2.0
"""Training: from recordings to a checkpoint folder. Here: work spread over processes and cores, for all its rooms.

In: a corpus and an experiment (dyncp/presets). Out: a checkpoint (`network.safetensors`, `probes.safetensors`,
`config.toml`, model card). Only this room, parts of export and evaluation need torch; generating,
validating and enhancing never load it.
"""
