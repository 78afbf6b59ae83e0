# SPDX-License-Identifier: Apache-2.0
"""What the float network shows of itself on a stream: the comparison row beside the integer network's masks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from dyncp.base.audio import Pcm, to_pcm
from dyncp.export.integers.run import hops
from dyncp.train.network import stft
from dyncp.train.network.checkpoint import Checkpoint
from dyncp.train.probes.observation import Observation, log_magnitude

BLOCK_FRAMES = 1024


def observe_float(checkpoint: Checkpoint, pcm: Pcm, progress: Callable[[int], object] | None = None) -> Observation:
    """Run int16 PCM [T · hop] from the initial state; `progress` is told the frames that each step has added.

    Raises AudioError for audio that is not a positive whole number of hops.
    """
    framing = checkpoint.config.network.framing
    hop, frames = framing.hop, len(hops(pcm, framing.hop))
    # So many hops more than the input that they hold the delayed output's end.
    late = framing.overlaps - 1
    signal = torch.from_numpy(np.pad(pcm, (0, late * hop)).astype(np.float32) / 32768)
    state, parts, enhanced = None, [], []
    # Each chunk hears the hops before it, and its first hops of output overlap with the spectra before it.
    before = -(-framing.analysis // hop) - 1
    last_hops, last_spectra = torch.zeros(before * hop), torch.zeros(1, framing.bins, late, dtype=torch.complex64)
    with torch.inference_mode():
        for chunk in torch.split(signal, BLOCK_FRAMES * hop):
            heard = torch.cat([last_hops, chunk])
            spectrum = stft.analyse(heard[None], framing)[..., before:]
            out = checkpoint.network(stft.features(spectrum, checkpoint.config.network.bands), state)
            clean = torch.cat([last_spectra, spectrum * out.suppression], dim=-1)
            enhanced.append(stft.synthesise(clean, framing)[0, late * hop :])
            state, last_hops, last_spectra = out.state, heard[len(heard) - before * hop :], clean[..., -late:]
            parts.append(
                (
                    out.masks[0].permute(2, 0, 1).numpy() > 0,
                    out.scores[0].permute(2, 0, 1).numpy().astype(np.float32),
                    out.suppression[0].T.numpy(),
                    log_magnitude(spectrum[0].T.numpy()),
                )
            )
            if progress is not None:
                progress(len(chunk) // hop)
    masks, scores, suppression, magnitude = (np.concatenate(kind)[:frames] for kind in zip(*parts, strict=True))
    output = to_pcm(torch.cat(enhanced).numpy().astype(np.float64))[framing.delay :]
    return Observation(masks, scores, suppression, magnitude, output)
