# SPDX-License-Identifier: Apache-2.0
"""What the float network shows of itself on a stream: the comparison row beside the integer network's masks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from dyncp.base.audio import Pcm, pad_to_hop, to_pcm
from dyncp.base.config.framing import BINS, HOP
from dyncp.base.errors import AudioError
from dyncp.train.network import stft
from dyncp.train.network.checkpoint import Checkpoint
from dyncp.train.probes.observation import Observation, log_magnitude

BLOCK_FRAMES = 1024


def observe_float(checkpoint: Checkpoint, pcm: Pcm, progress: Callable[[int], object] | None = None) -> Observation:
    """Run int16 PCM [T · 256] from the initial state; `progress` is told the frames that each step has added.

    Raises AudioError for audio that is not a positive whole number of hops.
    """
    if len(pcm) == 0 or len(pcm) % HOP:
        raise AudioError(f"audio has {len(pcm)} samples; pad it to a positive multiple of {HOP}")
    # One hop more than the input: the delayed output's end.
    signal = torch.from_numpy(pad_to_hop(pcm, extra_hops=1).astype(np.float32) / 32768)
    state, parts, enhanced = None, [], []
    # Each chunk hears the hop before it, and its first hop of output overlaps with the spectrum before it.
    last_hop, last_spectrum = torch.zeros(HOP), torch.zeros(1, BINS, 1, dtype=torch.complex64)
    with torch.inference_mode():
        for chunk in torch.split(signal, BLOCK_FRAMES * HOP):
            spectrum = stft.analyse(torch.cat([last_hop, chunk])[None])[..., 1:]
            out = checkpoint.network(stft.features(spectrum, checkpoint.config.network.bands), state)
            clean = spectrum * out.suppression
            enhanced.append(stft.synthesise(torch.cat([last_spectrum, clean], dim=-1))[0, HOP:])
            state, last_hop, last_spectrum = out.state, chunk[-HOP:], clean[..., -1:]
            parts.append(
                (
                    out.masks[0].permute(2, 0, 1).numpy() > 0,
                    out.scores[0].permute(2, 0, 1).numpy().astype(np.float32),
                    out.suppression[0].T.numpy(),
                    log_magnitude(spectrum[0].T.numpy()),
                )
            )
            if progress is not None:
                progress(len(chunk) // HOP)
    masks, scores, suppression, magnitude = (np.concatenate(kind)[:-1] for kind in zip(*parts, strict=True))
    output = to_pcm(torch.cat(enhanced).numpy().astype(np.float64))[HOP:]
    return Observation(masks, scores, suppression, magnitude, output)
