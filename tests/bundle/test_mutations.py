# SPDX-License-Identifier: Apache-2.0
"""No byte of a bundle or a checkpoint is free: each change of one is refused, and the file is named."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from bundles import random_bundle
from shipped import SHIPPED

from dyncp.base.config.experiment import Config
from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import BundleError, CheckpointError, DyncpError
from dyncp.base.paths import CHECKPOINTS
from dyncp.base.tasks import VOICE_ACTIVITY
from dyncp.export.formats.bundle import read_bundle, write_bundle
from dyncp.train.network.checkpoint import load_checkpoint, write_checkpoint
from dyncp.train.network.enhancer import Enhancer
from dyncp.train.network.resume_file import Best, Resumable, read_resume, write_resume
from dyncp.train.network.seal import seal_checkpoint
from dyncp.train.probes.files import FloatProbes, load_probes, save_probes

TINY = NetworkConfig(channels=4, hidden=4, gate=1, stacks=1, dilations=(1,), pooling_frames=4)

# Of a large file as many positions, beside its first and last bytes.
SAMPLE = 60
WHOLE = 9000
EDGE = 80


def positions(size: int) -> Iterator[int]:
    if size <= WHOLE:
        return iter(range(size))
    chosen = np.random.default_rng(size).integers(EDGE, size - EDGE, SAMPLE)
    return iter([*range(EDGE), *chosen.tolist(), *range(size - EDGE, size)])


def mutations(data: bytes) -> Iterator[bytes]:
    """Each position by two of several changes in turn; then bytes less, more and others."""
    changes = (lambda b: b ^ 1, lambda b: b ^ 0x20, lambda b: (b + 1) % 256, lambda b: 0)
    for count, place in enumerate(positions(len(data))):
        for change in (changes[count % len(changes)], changes[(count + 1) % len(changes)]):
            changed = change(data[place])
            yield data[:place] + bytes([changed if changed != data[place] else data[place] ^ 0x80]) + data[place + 1 :]
    yield from (data[:-1], data[1:], data + b"\n", data + b" ", b" " + data, b"", data[:1] * len(data))


def refuse_all(folder: Path, load: Callable[[Path], object], error: type[DyncpError]) -> dict[str, int]:
    """Tries every mutation of every file: how many of each were tried. All must be refused under the file's name."""
    tried = {}
    for path in sorted(folder.iterdir()):
        intact, count = path.read_bytes(), 0
        for mutated in mutations(intact):
            path.write_bytes(mutated)
            with pytest.raises(error, match=re.escape(path.name)):
                load(folder)
            count += 1
        path.write_bytes(intact)
        load(folder)
        tried[path.name] = count
    return tried


def test_every_byte_of_a_bundle(tmp_path: Path) -> None:
    write_bundle(random_bundle(TINY, 1), tmp_path / "bundle")
    tried = refuse_all(tmp_path / "bundle", read_bundle, BundleError)
    assert tried.keys() == {"manifest.json", "network.safetensors", "probes.safetensors"}
    assert tried["manifest.json"] > (tmp_path / "bundle" / "manifest.json").stat().st_size
    assert sum(tried.values()) > 3000


def checkpoint(folder: Path) -> Path:
    """With everything that one may hold."""
    write_checkpoint(folder, Enhancer(TINY), Config(network=TINY), 3, [0.25], 0.1, {"features": 0.5})
    probes = FloatProbes(np.ones((4, 1)), np.zeros(1), np.arange(4, dtype=np.int32), [VOICE_ACTIVITY])
    save_probes(folder, probes, {}, "hash")
    (folder / "README.md").write_text("What it is.\n")
    seal_checkpoint(folder)
    return folder


@pytest.mark.slow
def test_every_byte_of_a_checkpoint(tmp_path: Path) -> None:
    tried = refuse_all(checkpoint(tmp_path / "run"), load_checkpoint, CheckpointError)
    assert tried.keys() == {
        *("checkpoint.json", "config.toml", "network.safetensors", "probes.safetensors", "scales.json", "README.md")
    }
    assert sum(tried.values()) > 3000


def test_every_byte_of_what_a_training_is_resumed_from(tmp_path: Path) -> None:
    tensors = {"network.a": torch.arange(12.0).reshape(3, 4), "optimizer.0.step": torch.tensor(7.0)}
    training = Resumable(3, Config(network=TINY), tensors, Best(2, 0.125))
    write_resume(tmp_path, training)
    found = read_resume(tmp_path)
    assert (found.epoch, found.config, found.best) == (3, training.config, training.best)
    assert found.tensors.keys() == tensors.keys()
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in tensors.items())
    tried = refuse_all(tmp_path, read_resume, CheckpointError)
    assert tried["resume.safetensors"] > 2 * (tmp_path / "resume.safetensors").stat().st_size > 2000


def test_what_earlier_versions_resume_from_is_refused_until_it_is_sealed(tmp_path: Path) -> None:
    folder, tensors = checkpoint(tmp_path / "run"), {"network.a": torch.arange(12.0)}
    earlier = safetensors.torch.save(tensors, {"epoch": "3", "config": Config(network=TINY).model_dump_json()})
    (folder / "resume.safetensors").write_bytes(earlier)
    with pytest.raises(CheckpointError, match=r"resume\.safetensors: has no seal: .*dyncp\.train\.network\.seal"):
        read_resume(folder)
    seal_checkpoint(folder)
    found = read_resume(folder)
    assert (found.epoch, found.best) == (3, None)
    assert torch.equal(found.tensors["network.a"], tensors["network.a"])
    sealed = (folder / "resume.safetensors").read_bytes()
    (folder / "resume.safetensors").write_bytes(sealed.replace(b'"epoch":"3"', b'"epoch":"2"'))
    with pytest.raises(CheckpointError, match=r"resume\.safetensors: altered"):
        seal_checkpoint(folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_bytes_of_the_shipped_checkpoints(name: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(CHECKPOINTS / name, tmp_path / name))
    load_checkpoint(folder)
    load_probes(folder)
    for path in sorted(folder.iterdir()):
        intact = path.read_bytes()
        for place in (0, len(intact) // 3, len(intact) - 1):
            path.write_bytes(intact[:place] + bytes([intact[place] ^ 1]) + intact[place + 1 :])
            with pytest.raises(CheckpointError, match=re.escape(path.name)):
                load_checkpoint(folder)
        path.write_bytes(intact)


def test_an_edited_card_is_sealed_and_damage_is_not(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "run")
    (folder / "README.md").write_text("What it is, in other words.\n")
    with pytest.raises(CheckpointError, match=r"README\.md: .*dyncp\.train\.network\.seal"):
        load_checkpoint(folder)
    seal_checkpoint(folder)
    load_checkpoint(folder)
    (folder / "config.toml").write_text((folder / "config.toml").read_text() + "\n")
    with pytest.raises(CheckpointError, match=r"config\.toml"):
        seal_checkpoint(folder)
