# SPDX-License-Identifier: Apache-2.0
"""Generating: the same bytes each time, nothing written where the request makes no sense."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bundles import random_bundle
from libraries import SMALL, library, written_bundle

from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import GenerationError
from dyncp.codegen.generate import generate, read_library
from dyncp.export.formats.bundle import Probes, ProbeTask, write_bundle

FILES = [
    "dyncp.c",
    "dyncp.h",
    "dyncp_bands.h",
    "dyncp_butterfly.h",
    "dyncp_controls.h",
    "dyncp_dsp.h",
    "dyncp_dsp_channels.h",
    "dyncp_dsp_fft.h",
    "dyncp_dsp_frames.h",
    "dyncp_dsp_pairs.h",
    "dyncp_features_helium.h",
    "dyncp_fft.h",
    "dyncp_fft_helium.h",
    "dyncp_fft_scalar.h",
    "dyncp_flips.h",
    "dyncp_frames_helium.h",
    "dyncp_hash.h",
    "dyncp_helium.h",
    "dyncp_helium_columns.h",
    "dyncp_helium_dense.h",
    "dyncp_helium_dot.h",
    "dyncp_helium_gated.h",
    "dyncp_kernels.h",
    "dyncp_layers.h",
    "dyncp_manifest.json",
    "dyncp_masks.h",
    "dyncp_portable.h",
    "dyncp_private.h",
    "dyncp_probe_state.h",
    "dyncp_probes.h",
]
FILES += ["dyncp_readout.h", "dyncp_rows.h", "dyncp_runtime.h", "dyncp_sections.h"]
FILES += ["dyncp_signals.h", "dyncp_silence.h", "dyncp_simd.h", "dyncp_stages.h", "dyncp_tables.h"]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_same_bytes_each_time(tmp_path: Path) -> None:
    bundle, first = library(tmp_path)
    second = generate(bundle, tmp_path / "second")
    assert list(contents(first)) == FILES
    assert contents(first) == contents(second)


def test_a_library_is_replaced_and_its_neighbours_are_not(tmp_path: Path) -> None:
    bundle, folder = library(tmp_path)
    before = contents(folder)
    (tmp_path / "neighbour").write_text("stays")
    (folder / "dyncp.c").write_text("stale")
    names = sorted(path.name for path in tmp_path.iterdir())
    generate(bundle, folder)
    assert contents(folder) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_the_manifest_tells_what_the_library_is(tmp_path: Path) -> None:
    bundle, folder = library(tmp_path, prefix="voice")
    manifest = read_library(folder, "voice")
    assert manifest.bundle_hash == bundle.hash
    assert manifest.network == bundle.config
    assert bundle.probes is not None
    assert manifest.tasks == bundle.probes.tasks
    assert (manifest.network_hash, manifest.probes_hash) == (bundle.network_hash, bundle.probes.hash)
    assert f'#define VOICE_NETWORK_HASH "{bundle.network_hash}"' in (folder / "voice.h").read_text()
    assert f'#define VOICE_BUNDLE_HASH "{bundle.hash}"' in (folder / "voice_signals.h").read_text()


NOT_IDENTIFIERS = ["", "1st", "a-b", "../up", "a b", "a\nb", "a;b", "é"]
TAKEN = ["_x", "x_", "a__b", "int", "class", "Template", "stdint", "dyncp_fft", "dcp", "dcp_x"]


@pytest.mark.parametrize("prefix", [*NOT_IDENTIFIERS, *TAKEN, "x" * 32])
def test_a_prefix_that_c_cannot_carry_is_refused(tmp_path: Path, prefix: str) -> None:
    bundle = written_bundle(tmp_path / "bundle")
    with pytest.raises(GenerationError, match="prefix"):
        generate(bundle, tmp_path / "out" / "library", prefix)
    assert not (tmp_path / "out").exists()


def test_files_of_the_user_stay_where_they_are(tmp_path: Path) -> None:
    bundle = written_bundle(tmp_path / "bundle")
    folder = tmp_path / "src"
    (folder / "cmake").mkdir(parents=True)
    (folder / "CMakeLists.txt").write_text("add_library(voice dyncp.c)")
    (folder / "cmake" / "mine.cmake").write_text("mine")
    (folder / "link").symlink_to("CMakeLists.txt")
    for _ in range(2):
        generate(bundle, folder)
        names = sorted(path.name for path in folder.iterdir())
        assert names == sorted([*FILES, "CMakeLists.txt", "cmake", "link"])
        assert read_library(folder).files == FILES
        assert (folder / "CMakeLists.txt").read_text() == "add_library(voice dyncp.c)"
        assert (folder / "cmake" / "mine.cmake").read_text() == "mine"
        assert (folder / "link").is_symlink()


@pytest.mark.parametrize("name", ["dyncp.c", "dyncp_fft.h", "dyncp_manifest.json"])
def test_somebody_elses_file_of_a_name_that_is_needed_is_an_error(tmp_path: Path, name: str) -> None:
    bundle = written_bundle(tmp_path / "bundle")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / name).write_text("mine")
    with pytest.raises(GenerationError, match=name):
        generate(bundle, tmp_path / "src")
    assert contents(tmp_path / "src") == {name: b"mine"}


def test_what_a_library_no_longer_has_goes(tmp_path: Path) -> None:
    bundle, folder = library(tmp_path)
    manifest = json.loads((folder / "dyncp_manifest.json").read_text())
    manifest["files"].append("dyncp_gone.h")
    (folder / "dyncp_manifest.json").write_text(json.dumps(manifest))
    (folder / "dyncp_gone.h").write_text("of an earlier version")
    (folder / "dyncp_mine.h").write_text("mine")
    generate(bundle, folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted([*FILES, "dyncp_mine.h"])


def test_a_library_of_before_it_listed_its_files_is_renewed(tmp_path: Path) -> None:
    bundle, folder = library(tmp_path)
    manifest = json.loads((folder / "dyncp_manifest.json").read_text())
    del manifest["files"]
    (folder / "dyncp_manifest.json").write_text(json.dumps({**manifest, "schema_version": 2}))
    with pytest.raises(GenerationError, match=r"schema_version.*generate again"):
        read_library(folder)
    generate(bundle, folder)
    assert read_library(folder).files == FILES


def test_two_libraries_share_a_folder_and_the_runtime(tmp_path: Path) -> None:
    bundle, other = written_bundle(tmp_path / "one"), written_bundle(tmp_path / "two", seed=1)
    alone = contents(generate(bundle, tmp_path / "alone", "near"))
    generate(other, tmp_path / "both", "far")
    generate(bundle, tmp_path / "both", "near")
    both = contents(tmp_path / "both")
    assert alone.items() <= both.items()
    assert {"far.c", "far_manifest.json", "near.c", "dyncp_fft.h"} <= both.keys()
    generate(other, tmp_path / "both", "far")
    assert contents(tmp_path / "both") == both


def test_a_path_that_cannot_be_a_folder_is_refused(tmp_path: Path) -> None:
    bundle = written_bundle(tmp_path / "bundle")
    file = tmp_path / "file"
    file.write_text("mine")
    for path in (file, file / "below", tmp_path / "with\0nul", tmp_path / ("x" * 300)):
        with pytest.raises(GenerationError):
            generate(bundle, path)
    assert file.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "file"]


def test_a_static_network_is_refused(tmp_path: Path) -> None:
    bundle = written_bundle(tmp_path / "bundle", SMALL.model_copy(update={"gate_site": "none"}), probes=None)
    with pytest.raises(GenerationError, match=r"network\.gate_site is none"):
        generate(bundle, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_bundle_without_a_hash_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match="write_bundle"):
        generate(random_bundle(SMALL, 0), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["int", "class", "active", "macs", "size_t", "noise_scores", "vad_score", "linux"])
def test_a_task_that_c_cannot_name_is_refused(tmp_path: Path, name: str) -> None:
    bundle = random_bundle(SMALL, 0)
    assert bundle.probes is not None
    bundle.probes.tasks[-1] = ProbeTask(name=name, kind="regression", outputs=1, q=8, unit="dB")
    write_bundle(bundle, tmp_path / "bundle")
    with pytest.raises(GenerationError, match=name):
        generate(bundle, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_text_of_a_manifest_cannot_leave_its_comment(tmp_path: Path) -> None:
    bundle = random_bundle(SMALL, 0)
    assert bundle.probes is not None
    unit = '*/ #error "out" /* ??/ \\\n#error µ'
    bundle.probes.tasks[-1] = ProbeTask(name="snr", kind="regression", outputs=1, q=8, unit=unit)
    write_bundle(bundle, tmp_path / "bundle")
    header = (generate(bundle, tmp_path / "out") / "dyncp_signals.h").read_text()
    line = next(line for line in header.splitlines() if "int32_t snr;" in line)
    assert line.count("*/") == line.count("/*") == 1
    assert not any(line.startswith("#error") for line in header.splitlines())
    text = next(line for line in header.splitlines() if "SNR_UNIT" in line)
    assert re.fullmatch(r'#define DYNCP_SNR_UNIT "[^"\\\\?/*]*"', text)


def test_probe_weights_that_the_row_table_cannot_reach_are_refused(tmp_path: Path) -> None:
    config = NetworkConfig(channels=1024, hidden=4, gate=1, stacks=1, dilations=(1,) * 8)
    outputs = 72
    weight = np.zeros((config.blocks * config.gated, outputs), np.int8)
    tasks = [ProbeTask(name=f"t{o}", kind="regression", outputs=1, q=0, unit="dB", smoothing=0) for o in range(outputs)]
    probes = Probes(weight, np.zeros(outputs, np.int32), np.arange(len(weight), dtype=np.int32), tasks)
    bundle = replace(random_bundle(config, 0), probes=probes)
    write_bundle(bundle, tmp_path / "bundle")
    with pytest.raises(GenerationError, match=r"8192 features and 72 outputs.*fewer --signals"):
        generate(bundle, tmp_path / "out")
    assert not (tmp_path / "out").exists()
