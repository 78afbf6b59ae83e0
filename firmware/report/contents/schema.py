# SPDX-License-Identifier: Apache-2.0
"""The schema of `report.json` (docs/report.md): what the page and the terminal show are views of it."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from dyncp.base.config.network import NetworkConfig
from dyncp.base.config.reading import StrictModel
from dyncp.base.quality import Comparison
from dyncp.export.formats.bundle import ProbeTask
from dyncp.firmware.cost.events import CycleEstimate
from dyncp.firmware.proof.records import CrossCheck, Divergence, Mismatches, Spread
from dyncp.firmware.report.contents.day import DayRecord
from dyncp.firmware.report.contents.signals import SignalsReport


class Versions(StrictModel):
    """What made this report and the audio's integers."""

    dyncp: str
    arithmetic: int
    python: str
    numpy: str


class BundleInfo(StrictModel):
    hash: str = Field(description="sha256 of the bundle's manifest")
    probes_hash: str | None = Field(description="sha256 of the probe set: its tables and tasks; null without probes")
    sources: dict[str, str] = Field(description="sha256 of what the bundle came from")
    network: NetworkConfig


class Audio(StrictModel):
    sample_rate: int
    hop: int = Field(description="samples per frame")
    frames: int
    seconds: float
    delay_ms: float = Field(description="by which the output lags the input, beyond the hop that has to come in first")
    latency_ms: float = Field(description="delay and hop: how old what is heard is, with a processor of no time")


class Verdict(StrictModel):
    """`passed`: every engine ran every frame and no word differs from the reference."""

    passed: bool
    cores: int
    frames: int
    mismatches: int = Field(description="words that differ, over all cores and the host")


class MacsPerFrame(StrictModel):
    """Multiply–accumulates of the network in one frame, over all frames of the audio."""

    min: int
    mean: float
    p50: float
    p95: float
    max: int
    all_active: int = Field(description="with every gated channel active")
    capped: int | None = Field(description="with as many channels active as the cap allows; null without a cap")
    none_active: int = Field(description="with none")


class LayerMacs(StrictModel):
    """One layer's multiply–accumulates in one frame; the layers of a column add up to `macs.per_frame`."""

    layer: str
    mean: float
    all_active: int | float
    none_active: int | float


class Macs(StrictModel):
    per_frame: MacsPerFrame
    by_layer: list[LayerMacs]
    resampling: int = Field(description="of a frame that comes and goes at 48 kHz (docs/stream.md), not in the others")


class BlockUtilization(StrictModel):
    """The gates of one block. `always_active` + `never_active` + `switching` = `channels`."""

    block: int
    dilation: int
    channels: int
    mean: float = Field(description="share of channels active, 0 to 1, mean over frames")
    always_active: int
    never_active: int
    switching: int
    flips_per_frame: float = Field(description="mask bits that differ from the frame before, mean")


class Utilization(StrictModel):
    mean: float = Field(description="share of gated channels active, 0 to 1, mean over frames")
    by_block: list[BlockUtilization]


class CountsPerFrame(StrictModel):
    """Distribution over frames."""

    mean: float
    p95: float
    max: int = Field(description="the dearest frame of this audio, the first (from the masks of silence) included")
    bound: int = Field(description="no frame of any audio has more")


class ProbeReport(StrictModel):
    outputs: int
    features: int = Field(description="mask bits that the probes read")
    table_bytes: int = Field(description="weights, biases, and which bits they belong to")
    set_per_frame: float = Field(description="features whose bit is set, mean: what a sum from scratch would add")
    flips_per_frame: CountsPerFrame = Field(description="features whose bit differs from the frame before")
    adds_per_frame: CountsPerFrame = Field(description="flipped features × outputs")
    tasks: list[ProbeTask]


class Flash(StrictModel):
    """Bytes."""

    weights: int
    tables: int
    probes: int
    code: int

    @property
    def total(self) -> int:
        return self.weights + self.tables + self.probes + self.code


class Ram(StrictModel):
    """Bytes."""

    state: int
    scratch: int


class LibraryMemory(StrictModel):
    """The library alone, read from the linked image."""

    flash: Flash
    ram: Ram


class MemoryReport(LibraryMemory):
    """Of the target on which the library takes most flash."""

    state_members: dict[str, int] = Field(
        description="bytes by member of the state struct, without scratch; blocks and probes taken apart"
    )
    scratch_buffers: dict[str, int] = Field(
        description="bytes by buffer; those that are never in use at the same time share theirs"
    )


class Share(StrictModel):
    """Shares, 0 to 1, of the instructions of a mean frame."""

    mean: float
    p95: float
    max: float


class ProbeInstructions(Spread):
    """Of updating the sums, smoothing them and filling the struct."""

    share: Share


class TargetReport(StrictModel):
    """One emulated core."""

    name: str
    emulator: str
    compiler: str
    flags: str
    frames: int
    mismatches: int
    mismatches_by_kind: Mismatches
    constructed_mismatches: int = Field(
        0, description="words that differ in frames that prove what the audio left unread"
    )
    first_divergence: Divergence | None
    miscounted_frames: int = Field(description="frames whose own MAC count is not what their masks predict")
    instructions_per_frame: Spread
    probe_instructions: ProbeInstructions | None = Field(description="null without probes")
    instructions_by_stage: dict[str, float] = Field(description="mean per frame; stages of docs/emitted-c.md")
    instructions_by_group: dict[str, float] = Field(description="the same, summed by kind of stage")
    memory: LibraryMemory
    stack_bytes: int
    flash_bytes: int = Field(description="the whole image, start-up code included")
    ram_bytes: int = Field(description="static RAM of the whole image plus the stack")
    cross_checks: list[CrossCheck] = Field(description="the same image in further emulators")
    program_flash_bytes: int = Field(description="of `flash_bytes`, what is not the library's")
    program_ram_bytes: int = Field(description="of `ram_bytes`, what is neither state, scratch nor stack")
    cycles: CycleEstimate | None = Field(description="null unless the validation counted for it")


class HostReport(StrictModel):
    compiler: str
    frames: int
    mismatches: int
    mismatches_by_kind: Mismatches
    constructed_mismatches: int = Field(
        0, description="words that differ in frames that prove what the audio left unread"
    )
    first_divergence: Divergence | None


class Report(StrictModel):
    model_config = ConfigDict(title="dyncp report")

    schema_name: Literal["dyncp-report"] = Field("dyncp-report", alias="schema")
    schema_version: Literal[1] = 1
    versions: Versions
    bundle: BundleInfo
    audio: Audio
    verdict: Verdict
    macs: Macs
    utilization: Utilization
    probes: ProbeReport | None
    memory: MemoryReport
    host: HostReport
    targets: list[TargetReport]
    quality: Comparison | None
    day: DayRecord | None = Field(None, description="cost and quality over a day; null where none was given")
    signals: SignalsReport | None = Field(description="every signal over time; null without probes")
