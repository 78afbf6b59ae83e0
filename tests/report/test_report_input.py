# SPDX-License-Identifier: Apache-2.0
"""A validation folder that is incomplete, altered or of another bundle is refused, naming file and field."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from report_runs import COMPARISON, FRAMES, Run, spoiled

from dyncp.base.audio import write_pcm
from dyncp.base.errors import AudioError, ReportError
from dyncp.firmware.report.build import build_report, write_report

FILES = ("validation.json", "noisy.wav", "enhanced.wav", "masks.npy", "macs.npy", "probes.npy")


@pytest.mark.parametrize("name", FILES)
def test_missing_file(run: Run, name: str) -> None:
    (run.folder / name).unlink()
    with pytest.raises(ReportError, match=name):
        build_report(run.bundle, run.folder)


@pytest.mark.parametrize("name", FILES)
def test_truncated_file(run: Run, name: str) -> None:
    data = (run.folder / name).read_bytes()
    (run.folder / name).write_bytes(data[: len(data) // 2])
    with pytest.raises((ReportError, AudioError), match=name):
        build_report(run.bundle, run.folder)


def test_another_bundle(run: Run) -> None:
    run.write(run.record.model_copy(update={"bundle_hash": "f" * 64}))
    with pytest.raises(ReportError, match=r"validation\.json: bundle_hash is ffffffffffff"):
        build_report(run.bundle, run.folder)


def alter_record(change: Callable[[dict[str, object]], None]) -> Callable[[Run], None]:
    def alter(run: Run) -> None:
        path = run.folder / "validation.json"
        document = json.loads(path.read_text(encoding="utf-8"))
        change(document)
        path.write_text(json.dumps(document), encoding="utf-8")

    return alter


def alter_array(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Run], None]:
    def alter(run: Run) -> None:
        path = run.folder / name
        np.save(path, change(np.load(path)))

    return alter


def add_one_mac(macs: np.ndarray) -> np.ndarray:
    macs[7] += 1
    return macs


def flip_one_bit(masks: np.ndarray) -> np.ndarray:
    masks[9, 2] ^= 1
    return masks


def set_padding(masks: np.ndarray) -> np.ndarray:
    masks[5, 1] |= 1 << 8
    return masks


@pytest.mark.parametrize(
    ("alter", "complaint"),
    [
        (alter_record(lambda d: d.update(schema_version=2)), r"validation\.json: schema_version"),
        (alter_record(lambda d: d.update(surprise=1)), r"validation\.json: surprise"),
        (alter_record(lambda d: d.pop("host")), r"validation\.json: host"),
        (alter_record(lambda d: d.update(frames=0)), r"validation\.json: frames is 0"),
        (alter_record(lambda d: d.update(targets=d["targets"] * 2)), "targets holds cortex-m3 2 times"),
        (
            alter_record(lambda d: d["targets"][3]["instructions_by_stage"].pop("block1_mask")),  # type: ignore[index]
            r"targets\.cortex-m33\.instructions_by_stage\.block1_mask is missing",
        ),
        (
            alter_record(lambda d: d["targets"][0]["instructions_by_stage"].update(nap=1)),  # type: ignore[index]
            r"instructions_by_stage\.nap is no stage",
        ),
        (alter_array("macs.npy", add_one_mac), r"macs\.npy: the device counted \d+ .* in frame 7,"),
        (alter_array("masks.npy", flip_one_bit), r"macs\.npy: the device counted \d+ .* in frame 9,"),
        (alter_array("masks.npy", set_padding), r"masks\.npy: padding bits are set in frame 5"),
        (alter_array("masks.npy", lambda a: a[:-1]), r"masks\.npy: holds uint32 \[199, 4\], expected"),
        (alter_array("masks.npy", lambda a: a.astype(np.int64)), r"masks\.npy: holds int64"),
        (alter_array("probes.npy", lambda a: a[:, :-1]), r"probes\.npy: holds int32 \[200, 4\]"),
    ],
)
def test_altered(run: Run, alter: Callable[[Run], None], complaint: str) -> None:
    alter(run)
    with pytest.raises(ReportError, match=complaint):
        build_report(run.bundle, run.folder)


def test_array_of_objects_is_never_unpickled(run: Run) -> None:
    np.save(run.folder / "macs.npy", np.array([{}] * FRAMES, dtype=object), allow_pickle=True)
    with pytest.raises(ReportError, match=r"macs\.npy"):
        build_report(run.bundle, run.folder)


def test_audio_of_another_length(run: Run) -> None:
    write_pcm(run.folder / "enhanced.wav", np.zeros(FRAMES * 256 - 1, np.int16))
    with pytest.raises(ReportError, match=r"enhanced\.wav: holds 51199 samples, but 200 frames"):
        build_report(run.bundle, run.folder)


def test_a_device_that_is_known_to_differ_may_count_otherwise(run: Run) -> None:
    run.write(spoiled(run.record))
    alter_array("macs.npy", add_one_mac)(run)
    assert not build_report(run.bundle, run.folder).verdict.passed


@pytest.mark.parametrize("text", ["{}", "nonsense", '{"frames": NaN}'])
def test_bad_quality_record(run: Run, tmp_path: Path, text: str) -> None:
    path = tmp_path / "quality.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ReportError, match=r"quality\.json: "):
        build_report(run.bundle, run.folder, path)


def test_quality_without_integers(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "quality.json"
    path.write_text(COMPARISON.model_copy(update={"int8": None}).model_dump_json(), encoding="utf-8")
    with pytest.raises(ReportError, match=r"quality\.json: int8 is null"):
        build_report(run.bundle, run.folder, path)


def test_out_dir_that_is_a_file(run: Run, tmp_path: Path) -> None:
    report = build_report(run.bundle, run.folder)
    (tmp_path / "out").write_text("", encoding="utf-8")
    with pytest.raises(ReportError, match="out: is a file; choose a folder"):
        write_report(report, run.folder, tmp_path / "out")


def test_nothing_is_written_when_the_folder_has_changed(run: Run, tmp_path: Path) -> None:
    report = build_report(run.bundle, run.folder)
    (run.folder / "noisy.wav").unlink()
    with pytest.raises(ReportError):
        write_report(report, run.folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()
