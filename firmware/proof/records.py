# SPDX-License-Identifier: Apache-2.0
"""What `dyncp validate` leaves behind and `dyncp report` reads: one folder with `validation.json` beside its arrays.

validation.json    this schema
noisy.wav          the audio that every engine was given
enhanced.wav       the output of the NumPy reference (every engine's output, when nothing mismatches)
masks.npy          uint32 [frames, words], packed masks
macs.npy           uint32 [frames], the device's own count
probes.npy         int32 [frames, outputs], probe words, absent without probes
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import soundfile
from numpy.typing import NDArray
from pydantic import Field

from dyncp.base.audio import Pcm
from dyncp.base.config.framing import SAMPLE_RATE
from dyncp.base.config.reading import StrictModel
from dyncp.base.errors import ReportError
from dyncp.base.files import replace_folder
from dyncp.firmware.cost.events import CycleEvents

RECORD = "validation.json"
NOISY = "noisy.wav"
ENHANCED = "enhanced.wav"
MASKS = "masks.npy"
MACS = "macs.npy"
PROBES = "probes.npy"

FILES = frozenset({RECORD, NOISY, ENHANCED, MASKS, MACS, PROBES})
"""All of them; beside them lies `work`, with what was built and run."""


class Mismatches(StrictModel):
    """Words that differ from the NumPy reference, over every image that ran (docs/measuring.md)."""

    output: int
    masks: int
    probes: int = Field(description="of the probe words")
    signals: int = Field(description="of the smoothed probe words")
    macs: int = Field(description="of the two counters `macs` and `active`")
    layers: int = Field(description="of all the stages of docs/emitted-c.md")
    controls: int = Field(0, description="of a pass in which the settings change (docs/controls.md)")

    @property
    def total(self) -> int:
        return self.output + self.masks + self.probes + self.signals + self.macs + self.layers + self.controls


class Divergence(StrictModel):
    """The first word that differs, in the order of frames, then stages, then channels."""

    frame: int
    stage: str
    channel: int
    expected: int
    actual: int


class ConstructedRecord(StrictModel):
    """Frames that prove the constants which the audio left unread (docs/measuring.md, Constants)."""

    frames: int
    mismatches: Mismatches
    first_divergence: Divergence | None


class Table(StrictModel):
    """A tensor of the bundle or of its probes."""

    name: str
    values: int
    read: int = Field(description="that the audio made a device read")
    shown: int = Field(description="in which an error would show in the constructed frames")
    inert: int = Field(description="in which none can, whatever the input")

    @property
    def open(self) -> int:
        """In which an error could show, and would not."""
        return self.values - self.shown - self.inert


class Constants(StrictModel):
    """How much of what a device reads is proved: an error of one unit, or of a thousandth of a scale, would show."""

    frames: int = Field(description="constructed frames")
    tables: list[Table]

    @property
    def read(self) -> float:
        """The share that the audio made a device read."""
        return self._share(lambda table: table.read)

    @property
    def proved(self) -> float:
        """The share that is proved, inert constants included."""
        return self._share(lambda table: table.values - table.open)

    def _share(self, count: Callable[[Table], int]) -> float:
        return sum(map(count, self.tables)) / sum(table.values for table in self.tables)


class Spread(StrictModel):
    """Distribution over frames."""

    mean: float
    p95: float
    max: int


class Memory(StrictModel):
    """Bytes, read from the linked ELF file; `stack` by painting."""

    weights: int = Field(description="int8 weights, biases and multipliers of the network, and its layers' shapes")
    tables: int = Field(description="window, twiddles, thresholds, sigmoid")
    probes: int = Field(0, description="tables of the probe set")
    code: int = Field(description="machine code of the library alone")
    state: int = Field(description="sizeof(state) without scratch")
    scratch: int
    stack: int
    flash: int = Field(description="everything in flash: the whole image, start-up and semihosting included")
    ram: int = Field(description="static RAM of the whole image plus the painted stack")

    @property
    def program_flash(self) -> int:
        """What is not the library's: the program around it, and the gaps between sections."""
        return self.flash - self.weights - self.tables - self.probes - self.code

    @property
    def program_ram(self) -> int:
        """What is neither state, scratch nor stack: the program's own buffers."""
        return self.ram - self.state - self.scratch - self.stack


class CrossCheck(StrictModel):
    """The first frames in another emulator, with the image that was measured."""

    emulator: str = Field(description="for example `unicorn 2.1.4`")
    frames: int
    mismatches: Mismatches
    first_divergence: Divergence | None
    miscounted_frames: int | None = Field(
        description="frames in which a stage took more or fewer instructions than in QEMU; null where none are counted"
    )

    @property
    def exact(self) -> bool:
        return self.mismatches.total == 0 and not self.miscounted_frames


class TargetRecord(StrictModel):
    """One emulated core."""

    name: str = Field(description="the board's core, for example cortex-m4")
    emulator: str = Field(description="for example `qemu-system-arm 7.2.22 -machine mps2-an386 -kernel {image}`")
    compiler: str
    flags: str
    frames: int
    mismatches: Mismatches
    first_divergence: Divergence | None
    instructions_per_frame: Spread
    instructions_by_stage: dict[str, float] = Field(
        description="mean per frame, by stage of docs/emitted-c.md; `call` is what lies outside every stage"
    )
    probe_instructions: Spread | None = Field(
        None,
        description="of the stages `probes` and `signals` together, per frame; null without probes",
    )
    miscounted_frames: int = Field(
        0,
        description="frames whose own MAC count is not docs/arithmetic.md section 10 applied to their masks",
    )
    memory: Memory
    cross_checks: list[CrossCheck] = Field([], description="one for each further emulator")
    cycles: CycleEvents | None = Field(None, description="of the cortex-m4, where asked for")
    constructed: ConstructedRecord | None = Field(None, description="null without traces")


class HostRecord(StrictModel):
    """The host build of the same C."""

    compiler: str
    frames: int
    mismatches: Mismatches
    first_divergence: Divergence | None
    constructed: ConstructedRecord | None = Field(None, description="null without traces")


class ValidationRecord(StrictModel):
    schema_name: Literal["dyncp-validation"] = "dyncp-validation"
    schema_version: Literal[1] = 1
    bundle_hash: str
    frames: int
    host: HostRecord
    targets: list[TargetRecord]
    constants: Constants | None = Field(None, description="null without traces")
    tasks: list[str] | None = Field(None, description="the probe tasks of the library; null: all of the bundle's")
    in_place_fft: bool = Field(False, description="whether transforms of the library work in place of the spectrum")

    @property
    def exact(self) -> bool:
        """Whether every engine equals the reference on every word, and every core and emulator counted right.

        Words of constructed frames count like those of the audio.
        """
        targets_exact = all(t.mismatches.total == 0 and t.miscounted_frames == 0 for t in self.targets)
        emulators_agree = all(check.exact for target in self.targets for check in target.cross_checks)
        constructed = [self.host.constructed, *(target.constructed for target in self.targets)]
        constants_right = all(record is None or record.mismatches.total == 0 for record in constructed)
        return self.host.mismatches.total == 0 and targets_exact and emulators_agree and constants_right


def write_validation(
    folder: Path,
    record: ValidationRecord,
    noisy: Pcm,
    enhanced: Pcm,
    masks: NDArray[np.uint32],
    macs: NDArray[np.integer[Any]],
    words: NDArray[np.int32] | None,
    rate: int = SAMPLE_RATE,
) -> None:
    """Write audio [n · hop], masks [n, words], MACs [n] and probe words [n, outputs] into `folder`, all or none.

    They replace those of an earlier validation; other files of these names are a ReportError.
    """
    contents = {
        NOISY: _wav(noisy, rate),
        ENHANCED: _wav(enhanced, rate),
        MASKS: _npy(masks),
        MACS: _npy(macs.astype(np.uint32)),
        RECORD: (record.model_dump_json(indent=2) + "\n").encode(),
    }
    if words is not None:
        contents[PROBES] = _npy(words)
    own = FILES if is_validation(folder) else frozenset()
    replace_folder(folder, contents, own, ReportError, keep_others=True)


def is_validation(folder: Path) -> bool:
    """Whether `folder` holds what an earlier validation wrote, which another may replace."""
    try:
        with (folder / RECORD).open("rb") as file:
            return b'"bundle_hash"' in file.read(200)
    except OSError:
        return False


def _wav(pcm: Pcm, rate: int) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, pcm, rate, subtype="PCM_16", format="WAV")
    return file.getvalue()


def _npy(array: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()
