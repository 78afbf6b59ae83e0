# SPDX-License-Identifier: Apache-2.0
"""What a probe may look at (arXiv 2602.10666, section 2.2): the feature sets, taken from an observation.

Only the masks cost nothing on the device; the others say how much the masks leave unsaid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import ConfigError
from dyncp.train.probes.observation import Observation

Values = NDArray[Any]

FIRST_BLOCKS = 2
STRONGEST = 64


@dataclass(frozen=True)
class FeatureSet:
    """Where the values [T, F] come from; `strongest` is how many of them each task's fit keeps, None for all."""

    name: str
    description: str
    extract: Callable[[Observation], Values]
    strongest: int | None = None


@dataclass(frozen=True)
class Features:
    """values [T, F], bool (mask bits) or float32, as `dyncp.train.probes.linear.fit` takes them."""

    set: FeatureSet
    values: Values

    @property
    def binary(self) -> bool:
        return self.values.dtype == np.bool_


def _flat(values: Values) -> Values:
    return values.reshape(len(values), -1)


FEATURE_SETS = {
    feature_set.name: feature_set
    for feature_set in (
        FeatureSet("masks", "all mask bits", lambda seen: _flat(seen.masks)),
        FeatureSet("first_two_blocks", "mask bits of blocks 0 and 1", lambda seen: _flat(seen.masks[:, :FIRST_BLOCKS])),
        FeatureSet("top64", "each task's 64 strongest mask bits", lambda seen: _flat(seen.masks), STRONGEST),
        FeatureSet("scores", "raw gate scores", lambda seen: _flat(seen.scores)),
        FeatureSet("spectrum", "noisy log-magnitude STFT", lambda seen: seen.log_magnitude),
        FeatureSet("suppression", "suppression mask", lambda seen: seen.suppression),
    )
}


def feature_matrix(name: str, observation: Observation, config: NetworkConfig) -> Features:
    """One feature set of T frames; flattened gates are in the order of blocks, then channels.

    Raises ConfigError for a name that is not in FEATURE_SETS, or an observation of another network.
    """
    if name not in FEATURE_SETS:
        raise ConfigError(f"features {name!r}: unknown; the feature sets are {', '.join(FEATURE_SETS)}")
    if observation.masks.shape[1:] != (config.blocks, config.gated):
        raise ConfigError(
            f"features {name}: masks of {list(observation.masks.shape[1:])} gates are not those of a network with "
            f"{config.blocks} × {config.gated}; observe this network"
        )
    feature_set = FEATURE_SETS[name]
    return Features(feature_set, feature_set.extract(observation))
