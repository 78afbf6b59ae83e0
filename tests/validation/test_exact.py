# SPDX-License-Identifier: Apache-2.0
"""The generated C equals the NumPy reference on the host and on every core: outputs, masks, probes, MACs, layers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import GenerationError
from dyncp.codegen.plan.stages import stages
from dyncp.export.formats.bundle import Bundle
from dyncp.export.formats.masks import unpack_masks
from dyncp.export.integers import reference
from dyncp.export.integers.caps import Caps
from dyncp.firmware.proof.records import ValidationRecord
from dyncp.firmware.proof.validate import validate

pytestmark = pytest.mark.slow

Make = Callable[..., tuple[Bundle, Path]]

SMALL = NetworkConfig(channels=12, hidden=40, stacks=1, dilations=(1, 3), gate=5, pooling_frames=4)
CORES = ["cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"]
STACK_REGION = 16 * 1024


def check_target(record: ValidationRecord, bundle: Bundle) -> None:
    names = [stage.name for stage in stages(bundle.config, bundle.probe_outputs)]
    integers = sum(t.nbytes for name, t in bundle.tensors.items() if name.endswith("weight"))
    for target in record.targets:
        assert target.mismatches.total == 0
        assert target.first_divergence is None
        assert target.frames == record.frames
        assert list(target.instructions_by_stage) == [*names, "call"]
        spread = target.instructions_per_frame
        assert sum(target.instructions_by_stage.values()) == pytest.approx(spread.mean)
        assert 0 < spread.mean <= spread.max
        cost, stage = target.probe_instructions, target.instructions_by_stage
        assert cost is not None
        assert cost.mean == pytest.approx(stage["probes"] + stage["signals"])
        # The first frame adds the weights of every active bit.
        assert cost.mean < cost.max < spread.max
        # Each multiply-accumulate of the narrowest kernel here takes more than a quarter of an instruction.
        assert spread.mean > bundle.config.macs(0) / 4
        memory = target.memory
        assert 0 < memory.stack < STACK_REGION
        assert integers < memory.weights < 4 * integers
        # Window, twiddles, sigmoid, thresholds and one that nothing reaches, starts of their search, reversed bits;
        # Helium's kernels have a table of their own.
        ones = 16 if target.name == "cortex-m55" else 0
        assert memory.tables == 2 * 512 + 8 * 256 + 2 * 257 + 8 * 128 + 256 + 64 + ones
        assert bundle.probes is not None
        assert bundle.probes.weight.nbytes < memory.probes < 3 * bundle.probes.weight.nbytes + 1000
        assert 1000 < memory.code < memory.flash
        assert 0 < memory.program_flash < 8192
        assert 0 < memory.program_ram < 8192
        assert memory.state + memory.scratch + memory.stack < memory.ram


@pytest.mark.parametrize(("pooling", "frames"), [("window", 4), ("ema", 4), ("gate", (3, 4, 20))])
@pytest.mark.parametrize("gate_site", ["output", "hidden"])
def test_all_cores_are_exact(
    gate_site: Literal["output", "hidden"],
    pooling: Literal["window", "ema", "gate"],
    frames: int | tuple[int, ...],
    make: Make,
    pcm: NDArray[np.int16],
    tmp_path: Path,
) -> None:
    changes = {"gate_site": gate_site, "pooling": pooling, "pooling_frames": frames}
    bundle, library = make(SMALL.model_copy(update=changes))
    record = validate(bundle, library, pcm, tmp_path / "out")
    assert [target.name for target in record.targets] == CORES
    assert record.exact
    assert record.host.mismatches.total == 0
    check_target(record, bundle)


@pytest.mark.parametrize("gate_site", ["output", "hidden"])
def test_capped_networks_are_exact(
    gate_site: Literal["output", "hidden"], make: Make, pcm: NDArray[np.int16], tmp_path: Path
) -> None:
    config = SMALL.model_copy(update={"gate_site": gate_site, "block_cap": 3, "frame_cap": 5})
    bundle, library = make(config)
    record = validate(bundle, library, pcm, tmp_path / "out", boards=["cortex-m3", "cortex-m4", "cortex-m55"])
    assert record.exact
    check_target(record, bundle)
    macs = np.load(tmp_path / "out/macs.npy")
    uncapped = reference.run(bundle, pcm, caps=Caps(config.gated, 2 * config.gated))
    assert macs.max() == config.macs(5) < uncapped.macs.max(), "the cap must have been hit"


def test_paper_sized_network_fits_every_board(make: Make, pcm: NDArray[np.int16], tmp_path: Path) -> None:
    bundle, library = make(NetworkConfig())
    record = validate(bundle, library, pcm[:512], tmp_path / "out")
    assert record.exact
    check_target(record, bundle)


def test_folder_holds_what_the_engines_made(
    make: Make, pcm: NDArray[np.int16], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, library = make(SMALL)
    monkeypatch.chdir(tmp_path)
    library, out = library.relative_to(tmp_path), Path("with space, comma=and 'quote'")
    told: list[tuple[str, int, int]] = []
    record = validate(bundle, library, pcm, out, boards=["mps2-an386"], progress=lambda *step: told.append(step))
    expected = reference.run(bundle, pcm)
    assert ValidationRecord.model_validate_json((out / "validation.json").read_text()) == record
    assert record.bundle_hash == bundle.hash
    assert np.array_equal(soundfile.read(out / "noisy.wav", dtype="int16")[0], pcm)
    assert np.array_equal(soundfile.read(out / "enhanced.wav", dtype="int16")[0], expected.output)
    assert np.array_equal(np.load(out / "masks.npy"), expected.masks)
    assert np.array_equal(np.load(out / "probes.npy"), expected.words)
    macs = np.load(out / "macs.npy")
    assert macs.dtype == np.uint32
    active = unpack_masks(expected.masks, bundle.config).sum(axis=(1, 2))
    assert macs.tolist() == [bundle.config.macs(int(count)) for count in active]
    assert len(set(active.tolist())) > 1
    assert sorted(name for name, _, _ in told) == ["cortex-m4 marks", "cortex-m4 trace", "host"]
    assert [step[1:] for step in told] == [(1, 3), (2, 3), (3, 3)]


def test_layers_narrower_than_a_list_of_channels(make: Make, pcm: NDArray[np.int16], tmp_path: Path) -> None:
    """On Helium, whose lists of channels end with a vector: it must not reach what lies behind the work space."""
    narrow = SMALL.model_copy(update={"channels": 4, "hidden": 4, "gate": 2, "bands": (0, 1, 2, 4, 16, 257)})
    bundle, library = make(narrow.model_copy(update={"gate_site": "hidden"}))
    assert validate(bundle, library, pcm[: 16 * 256], tmp_path / "out", boards=["cortex-m55"]).exact


def test_without_probes(make: Make, pcm: NDArray[np.int16], tmp_path: Path) -> None:
    bundle, library = make(SMALL, probes=None)
    record = validate(bundle, library, pcm, tmp_path / "out", boards=["cortex-m55"])
    assert record.exact
    assert not {"probes", "signals"} & record.targets[0].instructions_by_stage.keys()
    assert record.targets[0].probe_instructions is None
    assert not (tmp_path / "out/probes.npy").exists()


def test_some_of_the_signals(make: Make, pcm: NDArray[np.int16], tmp_path: Path) -> None:
    bundle, library = make(SMALL, signals=["snr"])
    record = validate(bundle, library, pcm, tmp_path / "out", boards=["cortex-m4"])
    assert record.exact
    assert record.tasks == ["snr"]
    every = reference.run(bundle, pcm)
    assert np.array_equal(np.load(tmp_path / "out/probes.npy"), every.words[:, 4:])
    assert not np.array_equal(every.signals[:, 4:], every.words[:, 4:]), "the smoothing must show"
    assert bundle.probes is not None
    bundle.probes.bias[4] += 1
    with pytest.raises(GenerationError, match="probes_hash is not that of the bundle's snr"):
        validate(bundle, library, pcm, tmp_path / "out", boards=["cortex-m4"])


def test_without_trace_one_image_runs(make: Make, pcm: NDArray[np.int16], tmp_path: Path) -> None:
    bundle, library = make(SMALL)
    record = validate(bundle, library, pcm, tmp_path / "out", boards=["cortex-m3"], trace=False)
    assert record.exact
    assert [path.name for path in (tmp_path / "out/work/cortex-m3").iterdir()] == ["marks"]
