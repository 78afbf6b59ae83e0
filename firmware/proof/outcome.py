# SPDX-License-Identifier: Apache-2.0
"""The folder that `records` describes, written whole."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from dyncp.base.config import SAMPLE_RATE
from dyncp.base.errors import ReportError
from dyncp.base.files import replace_folder
from dyncp.firmware.proof.records import ValidationRecord
from dyncp.firmware.proof.task import Task

RECORD = "validation.json"
FILES = frozenset({RECORD, "noisy.wav", "enhanced.wav", "masks.npy", "macs.npy", "probes.npy"})
"""What a validation leaves, beside the folder `work`."""


def write_outcome(out: Path, record: ValidationRecord, task: Task, macs: NDArray[np.int64]) -> None:
    """Make `out` hold these results in place of an earlier run's, all of them or none. Raises ReportError."""
    expected = task.expected
    contents = {
        "noisy.wav": _wav(task.pcm),
        "enhanced.wav": _wav(expected.output),
        "masks.npy": _npy(expected.masks),
        "macs.npy": _npy(macs.astype(np.uint32)),
        RECORD: (record.model_dump_json(indent=2) + "\n").encode(),
    }
    if task.bundle.probe_outputs:
        contents["probes.npy"] = _npy(expected.words)
    own = FILES if is_outcome(out) else frozenset()
    replace_folder(out, contents, own, ReportError, keep_others=True)


def is_outcome(folder: Path) -> bool:
    """Whether `folder` holds what an earlier validation wrote, which another may replace."""
    try:
        with (folder / RECORD).open("rb") as file:
            return b'"bundle_hash"' in file.read(200)
    except OSError:
        return False


def _wav(pcm: NDArray[np.int16]) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, pcm, SAMPLE_RATE, subtype="PCM_16", format="WAV")
    return file.getvalue()


def _npy(array: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()
