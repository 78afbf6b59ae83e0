# SPDX-License-Identifier: Apache-2.0
"""Our integers and TFLite's on the same audio, both against the float network they came from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, FiniteFloat

from dyncp.base.config.reading import StrictModel
from dyncp.base.metrics import si_sdr
from dyncp.base.quality import Score
from dyncp.evaluation.quality.clip_scores import Pcm, enhance_float, score
from dyncp.export.formats.bundle import Bundle
from dyncp.export.formats.masks import unpack_masks
from dyncp.export.integers import reference
from dyncp.export.integers.run import hops
from dyncp.export.interchange.tflite import TfliteStep
from dyncp.export.quantization.fold import FoldedNetwork
from dyncp.export.transforms import stft


class Sizes(StrictModel):
    constant_bytes: int = Field(ge=1, description="weights and tables, or the model file")
    working_bytes: int = Field(
        ge=1, description="state and scratch, or TensorFlow Lite Micro's arena and the stream's states"
    )


class Integers(Sizes):
    """One int8 form of the network."""

    score: Score
    agreement_db: FiniteFloat = Field(description="SI-SDR of its output against the float network's, dB")
    differing_mask_bits: FiniteFloat = Field(ge=0, le=1, description="share, against the float network")
    utilization: FiniteFloat = Field(ge=0, le=1)


class TfliteComparison(StrictModel):
    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    clips: int = Field(ge=1)
    frames: int = Field(ge=1)
    calibration_frames: int = Field(ge=1)
    noisy: Score
    float_: Score = Field(alias="float")
    ours: Integers
    tflite: Integers
    operators: dict[str, list[str]] = Field(description="of the TFLite: kind → count × dtypes")


def compare_tflite(
    folded: FoldedNetwork,
    bundle: Bundle,
    model: bytes,
    pairs: Sequence[tuple[Pcm, Pcm]],
    sizes: tuple[Sizes, Sizes],
    calibration_frames: int,
) -> TfliteComparison:
    """Run the three over `pairs` of (clean, noisy) PCM, each a whole number of hops; `sizes` are ours and TFLite's.

    TFLite holds the network alone: it is given the features in float, and its suppression mask is applied in float.
    """
    framing, delay = folded.config.framing, folded.config.framing.delay
    step = TfliteStep(model, folded)
    outputs: list[tuple[NDArray[np.generic], ...]] = []
    masks: list[tuple[NDArray[np.bool_], ...]] = []
    for _, noisy in pairs:
        wanted, active = enhance_float(folded, noisy)
        run = reference.run(bundle, noisy)
        spectrum = stft.analyse(hops(noisy, framing.hop), framing)
        passed = step.run(stft.compress(spectrum, folded.config.bands))
        other = stft.synthesise(spectrum * passed.suppression, framing)
        # The outputs lag.
        outputs.append((noisy[:-delay], wanted[delay:], run.output[delay:], other[delay:]))
        masks.append((active, unpack_masks(run.masks, bundle.config), passed.masks))
    scores = [
        Score.mean(
            [score(clean[:-delay], heard[k], framing.rate) for (clean, _), heard in zip(pairs, outputs, strict=True)]
        )
        for k in range(4)
    ]
    expected, *found = (np.concatenate(kind) for kind in zip(*masks, strict=True))
    ours, tflite = (
        Integers(
            score=scores[2 + k],
            agreement_db=float(np.mean([si_sdr(heard[1], heard[2 + k]) for heard in outputs])),
            differing_mask_bits=float((active != expected).mean()) if active.size else 0.0,
            utilization=float(active.mean()) if active.size else 1.0,
            **sizes[k].model_dump(),
        )
        for k, active in enumerate(found)
    )
    return TfliteComparison(
        clips=len(pairs),
        frames=len(expected),
        calibration_frames=calibration_frames,
        noisy=scores[0],
        float_=scores[1],
        ours=ours,
        tflite=tflite,
        operators=step.dtypes(),
    )
