# SPDX-License-Identifier: Apache-2.0
"""What the integer network shows of itself on a stream, through the host build of the generated C."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np

from dyncp.base.audio import Pcm, pad_to_the_end
from dyncp.base.config.framing import Framing
from dyncp.export.formats.bundle import Bundle
from dyncp.export.formats.masks import unpack_masks
from dyncp.export.integers.run import hops
from dyncp.export.transforms import stft
from dyncp.export.transforms.frontend import over_bins
from dyncp.firmware.host.library import host_library
from dyncp.train.probes.observation import Observation, log_magnitude

# Frames per call of the library: a trace takes some 20 kB a frame.
BLOCK_FRAMES = 1024
SUPPRESSION_ONE = 32767


def observe(
    bundle: Bundle, pcm: Pcm, progress: Callable[[int], object] | None = None, masks_only: bool = False
) -> Observation:
    """Run int16 PCM [T · hop] from the initial state; `progress` is told the frames that each step has added.

    The scores are the device's int32 words. With `masks_only`, which needs a fifth of the memory, scores, suppression
    and log magnitude have no columns: [T, B, 0] and [T, 0]. Raises AudioError for audio that is not a positive whole
    number of hops, ToolchainError where there is no compiler.
    """
    config = bundle.config
    framing, hop = config.framing, config.hop
    padded = pad_to_the_end(pcm, framing)
    # The silence before the first hop that the first frames hear.
    past = -(-framing.analysis // hop) - 1
    heard = np.pad(padded, (past * hop, 0)).reshape(-1, hop)
    frames = len(hops(pcm, hop)) + framing.overlaps - 1
    gated, bins = (0, 0) if masks_only else (config.gated, framing.bins)
    seen = Observation(
        masks=np.empty((frames, config.blocks, config.gated), np.bool_),
        scores=np.empty((frames, config.blocks, gated), np.float32),
        suppression=np.empty((frames, bins), np.float32),
        log_magnitude=np.empty((frames, bins), np.float32),
        output=np.empty(len(padded), np.int16),
    )
    # Without probes: renewing them then needs no new library.
    with host_library(replace(bundle, probes=None), trace=not masks_only) as library:
        stream = library.stream()
        for start, stop in pairwise([*range(0, frames, BLOCK_FRAMES), frames]):
            run = stream.run(padded[start * hop : stop * hop], trace=not masks_only)
            seen.masks[start:stop] = unpack_masks(run.masks, config)
            seen.output[start * hop : stop * hop] = run.output
            if not masks_only:
                for block in range(config.blocks):
                    seen.scores[start:stop, block] = run.trace[f"block{block}_score"]
                mask = over_bins(run.trace["suppression"].astype(np.int64), config.bands)
                seen.suppression[start:stop] = mask.astype(np.float32) / SUPPRESSION_ONE
                seen.log_magnitude[start:stop] = log_magnitude(stft.analyse(heard[start : stop + past], framing)[past:])
            if progress is not None:
                progress(stop - start)
    return without_last_hops(seen, framing)


def without_last_hops(seen: Observation, framing: Framing) -> Observation:
    """The observation of audio that was padded by the delay: T frames, the output advanced by it."""
    end = len(seen.masks) - framing.overlaps + 1
    frames = (seen.masks[:end], seen.scores[:end], seen.suppression[:end], seen.log_magnitude[:end])
    return Observation(*frames, seen.output[framing.delay :])
