# SPDX-License-Identifier: Apache-2.0
"""Read the folder of `dyncp validate` (firmware/proof/records.py), checked against itself and the bundle."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from dyncp.base.audio import Pcm, read_pcm
from dyncp.base.config.network import NetworkConfig
from dyncp.base.config.reading import StrictModel
from dyncp.base.errors import ReportError
from dyncp.codegen.plan.stages import stages
from dyncp.export.formats.masks import channel_bits, unpack_masks
from dyncp.firmware.proof.records import ENHANCED, MACS, MASKS, NOISY, PROBES, RECORD, ValidationRecord

REMEDY = "run `dyncp validate` again"

Record = TypeVar("Record", bound=StrictModel)
Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True)
class Validation:
    """One validated run of audio. Frames agree everywhere."""

    record: ValidationRecord
    noisy: Pcm  # int16 [256 · frames]
    enhanced: Pcm  # int16 [256 · frames]
    active: NDArray[np.bool_]  # [frames, blocks, N]
    macs: NDArray[np.int64]  # [frames], of the mask trace; the device's own count where the record is exact
    probes: NDArray[np.int32] | None  # [frames, outputs]


def read_validation(folder: Path, config: NetworkConfig, bundle_hash: str, outputs: int) -> Validation:
    """The run in `folder`, of the bundle with this configuration, hash and number of probe outputs.

    Raises ReportError, naming file and field, where a file is missing or unreadable, where the record is of
    another bundle, where shapes disagree, and where a record that claims to be exact holds a device's count of
    multiply–accumulates that is not what the mask trace predicts (docs/arithmetic.md, section 10) on some frame.
    Raises AudioError for a file that is no WAV of the network's rate.
    """
    record = _read_record(folder / RECORD)
    if record.bundle_hash != bundle_hash:
        raise ReportError(
            f"{folder / RECORD}: bundle_hash is {record.bundle_hash[:12]}…, but this bundle's hash is "
            f"{bundle_hash[:12]}…; validate this bundle or report on that one"
        )
    _check_record(record, config, outputs, folder / RECORD)
    frames = record.frames
    words = _read_array(folder / MASKS, np.uint32, (frames, config.mask_words))
    _check_padding(words, config, folder / MASKS)
    active = unpack_masks(words, config)
    counted = _read_array(folder / MACS, np.uint32, (frames,))
    macs = config.macs_by_frame(active.sum(axis=(1, 2)))
    if record.exact:
        _check_macs(counted, macs, folder / MACS)
    probes = _read_array(folder / PROBES, np.int32, (frames, outputs)) if outputs else None
    noisy, enhanced = (_read_audio(folder / name, frames, config) for name in (NOISY, ENHANCED))
    return Validation(record, noisy, enhanced, active, macs, probes)


def parse_record(model: type[Record], path: Path) -> Record:
    """A JSON file as `model`; every complaint becomes one ReportError that names file and field."""
    try:
        return model.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ReportError(f"{path}: cannot be read ({error.strerror}); {REMEDY}") from None
    except ValidationError as error:
        details = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'document'}: {e['msg']}" for e in error.errors())
        raise ReportError(f"{path}: {details}") from None


def _read_record(path: Path) -> ValidationRecord:
    return parse_record(ValidationRecord, path)


def _check_record(record: ValidationRecord, config: NetworkConfig, outputs: int, path: Path) -> None:
    if record.frames < 1:
        raise ReportError(f"{path}: frames is {record.frames}; validate at least one frame of audio")
    for name, count in Counter(target.name for target in record.targets).items():
        if count > 1:
            raise ReportError(f"{path}: targets holds {name} {count} times; {REMEDY}")
    expected = [*(stage.name for stage in stages(config, outputs)), "call"]
    for target in record.targets:
        for name in sorted(set(expected) ^ target.instructions_by_stage.keys()):
            fault = "missing" if name in expected else "no stage of docs/emitted-c.md"
            raise ReportError(f"{path}: targets.{target.name}.instructions_by_stage.{name} is {fault}; {REMEDY}")


def _read_array(path: Path, dtype: type[Scalar], shape: tuple[int, ...]) -> NDArray[Scalar]:
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, EOFError, ValueError) as error:
        raise ReportError(f"{path}: cannot be read as an array ({error}); {REMEDY}") from None
    if not isinstance(array, np.ndarray) or array.dtype != np.dtype(dtype) or array.shape != shape:
        found = f"{array.dtype} {list(array.shape)}" if isinstance(array, np.ndarray) else "an archive"
        raise ReportError(f"{path}: holds {found}, expected {np.dtype(dtype)} {list(shape)} of {RECORD}; {REMEDY}")
    return array


def _check_padding(words: NDArray[np.uint32], config: NetworkConfig, path: Path) -> None:
    bits = np.zeros(32 * config.mask_words, dtype=np.bool_)
    bits[channel_bits(config).ravel()] = True
    allowed = np.packbits(bits, bitorder="little").view("<u4")
    faulty = np.flatnonzero((words & ~allowed).any(axis=1))
    if faulty.size:
        raise ReportError(f"{path}: padding bits are set in frame {faulty[0]}; {REMEDY}")


def _check_macs(counted: NDArray[np.uint32], predicted: NDArray[np.int64], path: Path) -> None:
    faulty = np.flatnonzero(counted != predicted)
    if faulty.size:
        frame = int(faulty[0])
        raise ReportError(
            f"{path}: the device counted {counted[frame]} multiply–accumulates in frame {frame}, but its masks "
            f"predict {predicted[frame]} ({faulty.size} frames differ); {REMEDY}"
        )


def _read_audio(path: Path, frames: int, config: NetworkConfig) -> Pcm:
    if not path.is_file():
        raise ReportError(f"{path}: no such file; {REMEDY}")
    pcm, hop = read_pcm(path, config.sample_rate), config.hop
    if len(pcm) != frames * hop:
        raise ReportError(
            f"{path}: holds {len(pcm)} samples, but {frames} frames of {RECORD} are {frames * hop}; {REMEDY}"
        )
    return pcm
