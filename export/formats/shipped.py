# SPDX-License-Identifier: Apache-2.0
"""What a network costs and how good it is: `NAME.json` beside each bundle that the package brings.

`make bundles` measures and writes it; the seal tells edits. Nobody types a figure in.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from dyncp.base.config.reading import StrictModel, parse
from dyncp.base.errors import BundleError, ConfigError
from dyncp.base.files.reading import LARGEST_TEXT, read_limited
from dyncp.base.files.sealed import seal, unseal
from dyncp.base.paths import NETWORKS, shipped_networks
from dyncp.base.scores import Score

REMEDY = "install dyncp again"


class Gain(StrictModel):
    """A metric of speech quality on the mixtures of the model card."""

    noisy: float
    enhanced: float = Field(description="by the integer network")


class MacsOfFrame(StrictModel):
    """Multiply–accumulates of one frame, on the audio of the demo."""

    mean: float
    max: int
    none_active: int
    all_active: int


class CoreFigures(StrictModel):
    """The C library with all signals on one emulated core, on the audio of the demo."""

    name: str
    compiler: str
    optimize: str
    network: int = Field(description="bytes of weights and tables in flash")
    probes: int = Field(description="bytes of probes in flash")
    code: int = Field(description="bytes of code in flash")
    state: int = Field(description="bytes of the state in RAM, scratch included")
    stack: int = Field(description="bytes, at most")
    instructions_mean: float = Field(description="per frame")
    instructions_max: int = Field(description="of the worst frame")

    @property
    def flash(self) -> int:
        return self.network + self.probes + self.code

    @property
    def ram(self) -> int:
        return self.state + self.stack


class NetworkFigures(StrictModel):
    """`NAME.json`; its seal comes last (dyncp/base/files/sealed.py)."""

    schema_name: Literal["dyncp-network"] = "dyncp-network"
    schema_version: Literal[1] = 1
    command: str = Field(description="that made this file and the bundle")
    checkpoint_sha256: str = Field(description="of the weights that the bundle was made of")
    bundle_hash: str
    network_hash: str
    hop_ms: float = Field(description="from one frame to the next")
    latency_ms: float = Field(description="how old what is heard is: delay and hop")
    quality: dict[str, Gain] = Field(description="metric → from the table of the model card")
    signals: dict[str, Score] = Field(description="signal → how good its probe is on unseen speakers and noises")
    macs: MacsOfFrame
    core: CoreFigures


def figures_path(name: str) -> Path:
    return NETWORKS / f"{name}.json"


def figures_document(figures: NetworkFigures) -> bytes:
    """The file's bytes."""
    return seal(figures.model_dump(mode="json", exclude_none=True))


def read_figures(name: str) -> NetworkFigures:
    """Of a shipped network. Raises BundleError for a file that is missing or altered."""
    path = figures_path(name)
    document = unseal(read_limited(path, LARGEST_TEXT, BundleError), path, BundleError, REMEDY)
    try:
        return parse(NetworkFigures, document, str(path))
    except ConfigError as error:
        raise BundleError(str(error)) from None


@cache
def figures_of(network_hash: str) -> NetworkFigures | None:
    """Of the shipped network with these integers, whatever its probes; None of any other."""
    every = map(read_figures, shipped_networks())
    return next((figures for figures in every if figures.network_hash == network_hash), None)
