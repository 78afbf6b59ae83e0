# SPDX-License-Identifier: Apache-2.0
"""Training: from recordings to a checkpoint folder. Here: what its rooms share, work spread over processes and cores.

In: a corpus and an experiment (dyncp/presets). Out: a checkpoint (`network.safetensors`, `probes.safetensors`,
`config.toml`, model card). The only room besides evaluation that needs torch at run time; whoever generates,
validates or enhances never loads it.
"""
