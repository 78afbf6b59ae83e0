# SPDX-License-Identifier: Apache-2.0
"""A faulty device is noticed: the self-test passes on every core, and an altered constant or kernel fails it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from libraries import SMALL, STRICT, program, written_bundle

from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import ToolchainError
from dyncp.codegen.generate import generate, read_library, renew_probes
from dyncp.codegen.lowering.selftest import hash_words
from dyncp.firmware.building import toolchain
from dyncp.firmware.building.boards import Board, default_boards, select
from dyncp.firmware.emulators.counting import build_plugin
from dyncp.firmware.proof.selftest import run_selftest
from dyncp.firmware.proof.validate import validate

pytestmark = pytest.mark.slow

Site = Literal["output", "hidden"]
HERE = Path(__file__).parent
SHAPES = {
    "output-window": SMALL,
    "hidden-ema": SMALL.model_copy(update={"gate_site": "hidden", "pooling": "ema", "channels": 33}),
}
SOUND = "0 0 0 1"
FAULTY = "6 6 0 1"
"""Of check_tables, selftest, the state after it, and NULL."""


def made(folder: Path, config: NetworkConfig = SMALL, probes: Literal["int8", "int16"] | None = "int8") -> Path:
    return generate(written_bundle(folder / "bundle", config, probes=probes), folder / "library", selftest=True)


def statuses(folder: Path, work: Path, *flags: str, compiler: str = "gcc") -> str:
    sources = [HERE / "selftest.c", folder / "dyncp.c"]
    built = program(work / "selftest", sources, include=[folder], compiler=compiler, flags=flags or ("-O2",))
    return subprocess.run([built], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("kernels", ["PORTABLE", "DSP"])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_sound_library_passes(tmp_path: Path, shape: str, compiler: str, kernels: str) -> None:
    folder = made(tmp_path, SHAPES[shape], "int8" if kernels == "DSP" else "int16")
    assert statuses(folder, tmp_path, "-O2", f"-DDYNCP_{kernels}", compiler=compiler) == SOUND


def test_without_probes(tmp_path: Path) -> None:
    assert statuses(made(tmp_path, probes=None), tmp_path) == SOUND


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("board", [*default_boards(), *select(["cortex-m0"])], ids=lambda board: board.core)
def test_every_core_passes(tmp_path: Path, board: Board, shape: str) -> None:
    cost = run_selftest(made(tmp_path, SHAPES[shape]), board, tmp_path / "work", build_plugin(tmp_path), 120)
    assert 0 < cost.tables < cost.whole


def tables_of(folder: Path) -> list[tuple[str, str]]:
    """File and name of every constant table."""
    found = []
    for file in ("dyncp_tables.h", "dyncp_probes.h"):
        text = (folder / file).read_text()
        found += [(file, name) for name in re.findall(r"static const \w+ (dyncp_\w+)\[\d+\] = \{", text)]
    return found


def alter(folder: Path, file: str, name: str) -> None:
    """Add 1 to the table's last number, or take it away from the largest that a type holds."""
    path = folder / file
    head, rest = re.split(rf"(?<= {name})(?=\[)", path.read_text(), maxsplit=1)
    body, tail = rest.split("\n};", maxsplit=1)
    before, number, suffix = re.fullmatch(r"(.*?)(-?\d+)(u|ull)?", body, re.DOTALL).groups()  # type: ignore[union-attr]
    changed = int(number) - 1 if int(number) > 0 else int(number) + 1
    path.write_text(f"{head}{before}{changed}{suffix or ''}\n}};{tail}")


@pytest.mark.parametrize(("shape", "kernels"), [("output-window", "DSP"), ("hidden-ema", "PORTABLE")])
def test_one_altered_number_in_any_table_is_noticed(tmp_path: Path, shape: str, kernels: str) -> None:
    folder = made(tmp_path, SHAPES[shape])
    # What the other kernels read is no part of this build.
    unread = ("_gathered", *(("_front_bias", "_back_bias", "_expand_bias") if kernels == "DSP" else ("_paired",)))
    tried = 0
    for file, name in tables_of(folder):
        if name.endswith(unread):
            continue
        original = (folder / file).read_text()
        alter(folder, file, name)
        assert statuses(folder, tmp_path, "-O0", f"-DDYNCP_{kernels}") == FAULTY, name
        (folder / file).write_text(original)
        tried += 1
    assert tried > 20


def test_a_kernel_that_errs_is_noticed(tmp_path: Path) -> None:
    """The tables are sound, and what comes out is not."""
    folder = made(tmp_path)
    kernels = folder / "dyncp_layers.h"
    text = kernels.read_text()
    assert "w[2 * tap] * h[r]" in text
    kernels.write_text(text.replace("w[2 * tap] * h[r]", "w[2 * tap] * (h[r] & 126)"))
    assert statuses(folder, tmp_path, "-O2", "-DDYNCP_PORTABLE") == "0 6 0 1"


def test_validation_fails_where_the_self_test_does(tmp_path: Path) -> None:
    bundle = written_bundle(tmp_path / "bundle")
    folder = generate(bundle, tmp_path / "library", selftest=True)
    header = folder / "dyncp_selftest.h"
    header.write_text(re.sub(r"HEARD_HASH 0x\w+u", "HEARD_HASH 0x00000001u", header.read_text()))
    pcm = np.zeros(512, np.int16)
    with pytest.raises(ToolchainError, match="known audio gave another hash"):
        validate(bundle, folder, pcm, tmp_path / "out", boards=["cortex-m3"], trace=False)


def test_only_on_request_and_kept_with_new_probes(tmp_path: Path) -> None:
    bundle = written_bundle(tmp_path / "bundle")
    plain = generate(bundle, tmp_path / "plain")
    assert not read_library(plain).selftest
    assert not any("selftest" in path.read_text().lower() for path in plain.glob("dyncp*.[ch]"))
    folder = generate(bundle, tmp_path / "library", selftest=True)
    assert read_library(folder).selftest
    renew_probes(bundle, folder, signals=["snr"])
    assert read_library(folder).selftest
    assert statuses(folder, tmp_path) == SOUND
    generate(bundle, folder)
    assert not (folder / "dyncp_selftest.h").exists()


def test_the_command(tmp_path: Path) -> None:
    written_bundle(tmp_path / "bundle")
    words = ["generate", str(tmp_path / "bundle"), str(tmp_path / "library"), "--selftest"]
    subprocess.run([sys.executable, "-c", "from dyncp.cli import app; app()", *words], check=True)
    assert statuses(tmp_path / "library", tmp_path) == SOUND


def test_emitted_as_clang_format_would(tmp_path: Path) -> None:
    folder = made(tmp_path)
    style = "--style={BasedOnStyle: LLVM, IndentWidth: 4, ColumnLimit: 100, AllowShortFunctionsOnASingleLine: None}"
    files = [path for path in sorted(folder.glob("*.[ch]")) if path.name != "dyncp_tables.h"]
    toolchain.run(["clang-format", style, "--dry-run", "--Werror", *files])
    cpp = ["g++", "-std=c++11", *toolchain.WARNINGS, "-x", "c++", "-c", folder / "dyncp.c", "-o", tmp_path / "dyncp.o"]
    toolchain.run(cpp)


HASHES = r"""
#include <stdio.h>
#include "dyncp_hash.h"
int main(void) {
    static unsigned char bytes[256];
    const size_t count = fread(bytes, 1, sizeof bytes, stdin);
    printf("%u\n", (unsigned)dcp_hash8(DCP_HASH_START, bytes, count));
    return 0;
}
"""


@pytest.fixture(scope="module")
def hashing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("hash")
    (work / "hash.c").write_text(HASHES)
    folder = made(work)
    toolchain.run(["gcc", *STRICT, f"-I{folder}", work / "hash.c", "-o", work / "hash"])
    return work / "hash"


@given(st.binary(max_size=10))
def test_the_hash_is_the_generators(hashing: Path, quarter: bytes) -> None:
    data = quarter + quarter[::-1] * 3
    done = subprocess.run([hashing], input=data, capture_output=True, check=True)
    assert int(done.stdout) == hash_words([np.frombuffer(data, np.uint8)])


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=20), st.data())
def test_a_change_within_a_word_always_changes_the_hash(words: list[int], data: st.DataObject) -> None:
    changed = list(words)
    changed[data.draw(st.integers(0, len(words) - 1))] ^= data.draw(st.integers(1, 2**32 - 1))
    assert hash_words([np.array(words, np.uint32)]) != hash_words([np.array(changed, np.uint32)])
