# SPDX-License-Identifier: Apache-2.0
"""The schema of `paper.json`: every number behind the figures and tables of the paper's experiments."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from dyncp.base.config.network import NetworkConfig
from dyncp.base.config.reading import StrictModel
from dyncp.base.files import replace_file
from dyncp.base.scores import Score
from dyncp.base.tasks import Task


class SplitData(StrictModel):
    """What one split's stream is made of."""

    minutes: float
    speakers: int
    utterances: int
    noise_recordings: int
    frames: dict[str, int] = Field(description="frames that each task is fitted or scored on")


class TaskRow(StrictModel):
    """One task read from one feature set: fitted on the training stream, scored on the test stream."""

    task: str
    features: str
    dimensions: int = Field(description="features that vary on the training stream")
    score: Score | None
    reason: str = Field("", description="why there is no score")


class Example(StrictModel):
    """The stretch of the test stream that Fig. 2 shows."""

    start_s: float
    seconds: float
    informative: int
    switching: int = Field(description="informative masks that change in it")
    flips_per_frame: float = Field(description="informative mask bits that change from one frame to the next, mean")


class Embedding(StrictModel):
    """t-SNE of Fig. 4. Purity: share of a frame's ten nearest points with its class, and what chance would give."""

    frames: int
    components: int = Field(description="principal components that t-SNE starts from")
    variance: float = Field(description="share of the variance that they hold")
    perplexity: float
    purity: dict[str, float]
    chance: dict[str, float]


class Channel(StrictModel):
    block: int
    channel: int


class OutputCoefficients(StrictModel):
    """Coefficients of one probe output on the strongest channels, divided by the largest absolute one."""

    task: str
    output: str
    values: list[float]


class Coefficients(StrictModel):
    """Fig. 5. Channels in order of block; by_block counts the strongest channels of each block."""

    channels: list[Channel]
    outputs: list[OutputCoefficients]
    by_block: list[int]
    informative_by_block: list[int]


class SpeakerRow(StrictModel):
    """One feature set, back end and number of enrolment utterances of Fig. 6."""

    features: str
    backend: Literal["cosine of raw means", "WCCN + LDA"]
    enrolment: int
    dimensions: int
    targets: int
    impostors: int
    eer: float | None = Field(description="equal error rate, 0 to 1")
    reason: str = Field("", description="why there is no rate")


class SpeakerData(StrictModel):
    """Utterances of Fig. 6. `enrollable`: test speakers with utterances of two recordings or more."""

    train_speakers: int
    train_utterances: int
    test_speakers: int
    test_utterances: int
    enrollable: int


class CostRow(StrictModel):
    """Additions per frame of reading all outputs, and their share of the frame's multiply–accumulates."""

    method: str
    features: int = Field(description="mask bits that any of the outputs reads")
    outputs: int
    additions_mean: float
    additions_p95: float
    additions_max: int
    macs_mean: float
    share_mean: float = Field(description="of the mean frame")
    share_all_active: float = Field(description="mean additions, of a frame with all channels active")


class Paper(StrictModel):
    """All results of `dyncp evaluate --paper`."""

    schema_version: Literal[1] = 1
    network_hash: str = Field(description="of the integers that made the masks")
    network: NetworkConfig
    tasks: list[Task]
    train: SplitData
    test: SplitData
    example: Example
    tasks_by_features: list[TaskRow]
    embedding: Embedding | None = Field(description="null where no mask ever changes")
    coefficients: Coefficients
    speaker_data: SpeakerData
    speakers: list[SpeakerRow]
    cost: list[CostRow]
    remarks: list[str] = Field(default_factory=list, description="what had to be left out, and why")


def write_results(results: Paper, path: Path) -> None:
    replace_file(path, (results.model_dump_json(indent=2) + "\n").encode())
