# SPDX-License-Identifier: Apache-2.0
"""A probe set is files of its own: renewed without touching the network, restricted to some signals, named in C."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bundles import TASKS, random_bundle
from libraries import SMALL, STRICT, assert_same, difficult_audio, library

from dyncp.base.errors import GenerationError, ToolchainError
from dyncp.codegen.generate import generate, manifest_name, read_library, renew_probes, with_signals
from dyncp.export.formats.bundle import Bundle, Probes, ProbeTask, write_bundle
from dyncp.export.formats.probe_set import restrict
from dyncp.export.integers import reference
from dyncp.firmware.building import toolchain
from dyncp.firmware.host.library import HostLibrary

pytestmark = pytest.mark.slow

OF_THE_PROBES = {"dyncp_manifest.json", "dyncp_probe_state.h", "dyncp_probes.h", "dyncp_signals.h"}

Contents = dict[str, bytes]


def contents(folder: Path) -> Contents:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def changed(before: Contents, after: Contents) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name in before if before[name] != after[name]}


def other_probes(bundle: Bundle, folder: Path, probes: Probes | None) -> Bundle:
    made = replace(bundle, probes=probes)
    write_bundle(made, folder)
    return made


def fewer(bundle: Bundle) -> Probes | None:
    return restrict(bundle.probes, ["noise"])


def wider(bundle: Bundle) -> Probes | None:
    return random_bundle(SMALL, 9, "int16").probes


def none(bundle: Bundle) -> Probes | None:
    return None


@pytest.mark.parametrize("change", [fewer, wider, none])
def test_only_the_files_of_the_probes_depend_on_them(tmp_path: Path, change: object) -> None:
    assert callable(change)
    bundle, folder = library(tmp_path)
    other = other_probes(bundle, tmp_path / "other", change(bundle))
    assert other.hash != bundle.hash
    assert other.network_hash == bundle.network_hash
    whole = contents(generate(other, tmp_path / "whole"))
    assert changed(contents(folder), whole) == OF_THE_PROBES

    stamps = {path.name: path.stat().st_mtime_ns for path in folder.iterdir() if path.name not in OF_THE_PROBES}
    renew_probes(other, folder)
    assert contents(folder) == whole, "renewed, it is the library that would have been generated as a whole"
    assert stamps == {name: (folder / name).stat().st_mtime_ns for name in stamps}, "the network's files are untouched"
    audio = difficult_audio()
    assert_same(reference.run(other, audio), HostLibrary(folder, build_dir=tmp_path).run(audio))


def test_probes_of_another_network_are_refused(tmp_path: Path) -> None:
    _, folder = library(tmp_path)
    before = contents(folder)
    other, _ = library(tmp_path / "other", seed=1)
    with pytest.raises(GenerationError, match=r"dyncp_manifest\.json: network_hash is .*without --probes-only"):
        renew_probes(other, folder)
    assert contents(folder) == before


def test_a_library_of_another_runtime_is_refused(tmp_path: Path) -> None:
    bundle, folder = library(tmp_path)
    manifest = folder / manifest_name("dyncp")
    manifest.write_text(manifest.read_text().replace('"runtime_version": 9', '"runtime_version": 1'))
    with pytest.raises(GenerationError, match="runtime_version is 1"):
        renew_probes(bundle, folder)


def test_there_must_be_a_library_to_renew(tmp_path: Path) -> None:
    bundle, _ = library(tmp_path)
    with pytest.raises(GenerationError, match=r"nowhere.dyncp_manifest\.json: cannot be read"):
        renew_probes(bundle, tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_headers_of_two_probe_sets_do_not_compile(tmp_path: Path) -> None:
    bundle, folder = library(tmp_path)
    other = generate(bundle, tmp_path / "other", signals=["snr"])
    shutil.copy(other / "dyncp_signals.h", folder)
    with pytest.raises(ToolchainError, match=r"dyncp_signals\.h is of another probe set"):
        toolchain.run(["gcc", "-std=c99", "-Wfatal-errors", "-c", folder / "dyncp.c", "-o", tmp_path / "dyncp.o"])


@pytest.mark.parametrize("names", [["vad"], ["snr"], ["snr", "noise"], ["snr", "noise", "vad"], []])
def test_any_signals_of_the_bundle(tmp_path: Path, names: list[str]) -> None:
    bundle, _ = library(tmp_path)
    folder = generate(bundle, tmp_path / "some", signals=names)
    manifest = read_library(folder)
    assert manifest.bundle_hash == bundle.hash
    assert [task.name for task in manifest.tasks] == [task.name for task in TASKS if task.name in names]
    header = (folder / "dyncp_signals.h").read_text()
    assert all((f"DYNCP_{task.name.upper()}_Q" in header) == (task.name in names) for task in TASKS)
    audio = difficult_audio()
    expected = reference.run(with_signals(bundle, names), audio, trace=True)
    assert_same(expected, HostLibrary(folder, trace=True, build_dir=tmp_path).run(audio, trace=True))
    # The same words as with all of them.
    every = reference.run(bundle, audio)
    assert bundle.probes is not None
    columns = [c for task, c in zip(bundle.probes.tasks, bundle.probes.columns, strict=True) if task.name in names]
    wanted = np.concatenate([every.signals[:, :0], *(every.signals[:, c] for c in columns)], axis=1)
    np.testing.assert_array_equal(expected.signals, wanted)


def test_an_unknown_signal_is_named_with_those_that_exist(tmp_path: Path) -> None:
    bundle, _ = library(tmp_path)
    with pytest.raises(GenerationError, match=r"no task 'pitch'; the bundle has vad, noise, snr"):
        generate(bundle, tmp_path / "some", signals=["vad", "pitch"])
    assert not (tmp_path / "some").exists()
    without, _ = library(tmp_path / "without", probes=None)
    with pytest.raises(GenerationError, match=r"no task 'vad'; the bundle has none"):
        generate(without, tmp_path / "some", signals=["vad"])


def test_features_that_no_chosen_signal_weighs_are_dropped() -> None:
    probes = random_bundle(SMALL, 0).probes
    assert probes is not None
    probes.weight[:, 4] = 0
    probes.weight[[2, 5], 4] = [3, -1]
    some = restrict(probes, ["snr"])
    assert some is not None
    assert some.channel.tolist() == probes.channel[[2, 5]].tolist()
    assert some.weight.tolist() == [[3], [-1]]
    assert some.bias.tolist() == [probes.bias[4]]


def test_a_signal_that_weighs_nothing_is_its_bias(tmp_path: Path) -> None:
    bundle = random_bundle(SMALL, 0)
    assert bundle.probes is not None
    bundle.probes.weight[:, 4] = 0
    write_bundle(bundle, tmp_path / "bundle")
    folder = generate(bundle, tmp_path / "library", signals=["snr"])
    audio = difficult_audio()
    run = HostLibrary(folder, build_dir=tmp_path).run(audio)
    assert set(run.signals.ravel().tolist()) == {int(bundle.probes.bias[4])}


def test_the_command_chooses_and_renews(tmp_path: Path) -> None:
    bundle, folder = library(tmp_path)
    write_bundle(bundle, tmp_path / "b")
    bundle_folder = str(tmp_path / "b")
    assert dyncp("generate", bundle_folder, str(tmp_path / "some"), "--signals", "snr, vad") == 0
    assert contents(tmp_path / "some") == contents(generate(bundle, tmp_path / "same", signals=["vad", "snr"]))
    assert dyncp("generate", bundle_folder, str(folder), "--probes-only", "--signals", "") == 0
    assert read_library(folder).tasks == []
    assert dyncp("generate", bundle_folder, str(folder), "--probes-only", "--signals", "pitch") == 1


def dyncp(*arguments: str) -> int:
    return subprocess.run(
        [sys.executable, "-c", "from dyncp.cli import app; app()", *arguments], check=False
    ).returncode


LABELS = ["a b", "a-b", "A_B", "", "ü", "q", "unit", "classes", "h", "valid", "*/", "_" * 9, "2", "a b 2"]


@pytest.mark.parametrize("task", ["x", "probes", "error", "stage"])
@pytest.mark.parametrize("compiler", [["gcc", *STRICT], ["g++", "-std=c++11", "-x", "c++", *toolchain.WARNINGS]])
def test_class_names_of_any_text_are_unique_enumerators(tmp_path: Path, compiler: list[str], task: str) -> None:
    bundle = random_bundle(SMALL, 0)
    probes, count = bundle.probes, len([*LABELS, "hash", "null", "front"])
    assert probes is not None
    classes = [*LABELS, "hash", "null", "front"]
    probes.weight = np.repeat(probes.weight[:, :1], count, axis=1)
    probes.bias = np.repeat(probes.bias[:1], count)
    probes.tasks = [ProbeTask(name=task, kind="multiclass", outputs=count, q=8, unit="score", classes=classes)]
    write_bundle(bundle, tmp_path / "bundle")
    folder = generate(bundle, tmp_path / "library")
    header = (folder / "dyncp_signals.h").read_text()
    (listed,) = re.findall(rf"enum {{\n((?: +DYNCP_{task.upper()}_\w+ = \d+,?\n)+)}};", header)
    lines = listed.splitlines()
    names = [line.split("=")[0].strip() for line in lines]
    assert [int(line.split("=")[1].strip(" ,")) for line in lines] == list(range(count))
    assert len(set(names)) == count
    assert names[:3] == [f"DYNCP_{task.upper()}_A_B{suffix}" for suffix in ("", "_2", "_3")]
    toolchain.run([*compiler, "-c", folder / "dyncp.c", "-o", tmp_path / "dyncp.o"])
