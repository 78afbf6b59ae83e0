# SPDX-License-Identifier: Apache-2.0
"""Every kind of file that is read, as a function of its bytes. Seals and hashes are made to fit, so that what lies
behind them is reached: a forger could do the same."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch

from dyncp.base.audio import read_pcm
from dyncp.base.config.experiment import Config, load_config
from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import AudioError
from dyncp.base.files.sealed import seal
from dyncp.base.sounds.source import Source
from dyncp.base.tasks import VOICE_ACTIVITY
from dyncp.codegen.generate import generate, read_library
from dyncp.export.formats.bundle import Bundle, Probes, ProbeTask, read_bundle, write_bundle
from dyncp.export.formats.masks import channel_bits
from dyncp.export.integers.truth import read_truth
from dyncp.export.quantization.fold import fold_network
from dyncp.export.quantization.quantize import quantize_trained, scales_for
from dyncp.train.corpora.layouts.tables import read_tables
from dyncp.train.network.checkpoint import load_checkpoint, write_checkpoint
from dyncp.train.network.enhancer import Enhancer
from dyncp.train.network.resume_file import Best, Resumable, read_resume, write_resume
from dyncp.train.probes.files import FloatProbes, load_probes, save_probes

TINY = NetworkConfig(channels=4, hidden=4, gate=1, stacks=1, dilations=(1,), pooling_frames=4)
FRAMES = 4


@dataclass(frozen=True)
class Reader:
    """What reads one kind of file, and files of that kind to start from."""

    read: Callable[[bytes], object]
    seeds: list[bytes]


def manifest_of_a_bundle(folder: Path) -> Reader:
    _bundle(folder)
    return _sealed(folder / "manifest.json", lambda: read_bundle(folder))


def tensors_of_a_bundle(folder: Path) -> Reader:
    _bundle(folder)
    path, manifest = folder / "network.safetensors", folder / "manifest.json"
    document = _document(manifest)

    def read(data: bytes) -> None:
        path.write_bytes(data)
        manifest.write_bytes(seal({**document, "network_sha256": hashlib.sha256(data).hexdigest()}))
        read_bundle(folder)

    return Reader(read, [path.read_bytes()])


def probes_of_a_bundle(folder: Path) -> Reader:
    _bundle(folder)
    path, manifest = folder / "probes.safetensors", folder / "manifest.json"
    document = _document(manifest)

    def read(data: bytes) -> None:
        path.write_bytes(data)
        probes = {**document["probes"], "sha256": hashlib.sha256(data).hexdigest()}  # type: ignore[dict-item]
        manifest.write_bytes(seal({**document, "probes": probes}))
        read_bundle(folder)

    return Reader(read, [path.read_bytes()])


def manifest_of_a_checkpoint(folder: Path) -> Reader:
    _checkpoint(folder)
    return _sealed(folder / "checkpoint.json", lambda: load_checkpoint(folder))


def weights_of_a_checkpoint(folder: Path) -> Reader:
    return _listed(folder, "network.safetensors")


def configuration_of_a_checkpoint(folder: Path) -> Reader:
    return _listed(folder, "config.toml")


def scales_of_a_checkpoint(folder: Path) -> Reader:
    return _listed(folder, "scales.json")


def probes_of_a_checkpoint(folder: Path) -> Reader:
    return _listed(folder, "probes.safetensors")


def training_to_resume(folder: Path) -> Reader:
    tensors = {"network.a": torch.arange(4.0), "optimizer.0.step": torch.tensor(7.0)}
    write_resume(folder, Resumable(3, Config(network=TINY), tensors, Best(2, 0.125)))
    path = folder / "resume.safetensors"

    def read(data: bytes) -> None:
        if found := re.search(rb'"seal":"([0-9a-f]{64})"', data):
            blank = data[: found.start(1)] + b"0" * 64 + data[found.end(1) :]
            digest = hashlib.sha256(blank).hexdigest().encode()
            data = data[: found.start(1)] + digest + data[found.end(1) :]
        path.write_bytes(data)
        read_resume(folder)

    return Reader(read, [path.read_bytes()])


def manifest_of_a_library(folder: Path) -> Reader:
    generate(_bundle(folder / "bundle"), folder / "library")
    path = folder / "library" / "dyncp_manifest.json"
    return _plain(path, lambda: read_library(folder / "library"), [path.read_bytes()])


def tables_of_a_corpus(folder: Path) -> Reader:
    """The same bytes as both tables; the files that the seeds name are there."""
    for name in ("a.wav", "b.wav"):
        soundfile.write(folder / name, np.zeros(16, np.int16), 16_000)
    seeds = [
        b"file,speaker,category,license,gender,split\na.wav,s1,hum,CC0,f,train\nb.wav,s2,hum,CC BY,male,test\n",
        b"\xef\xbb\xbfsep=;\r\nfile;speaker;category;license\r\na.wav;s1;hum;CC0, of nobody\r\n",
        "file\tspeaker\tcategory\tlicense\na.wav\ts1\thum\tCC0\n".encode("utf-16"),
        b'"file"|"speaker"|"category"|"license"\n"a.wav"|"s ""1"""|"hum"|"CC0"\n',
    ]

    def read() -> None:
        (folder / "noise.csv").write_bytes((folder / "speech.csv").read_bytes())
        read_tables(folder)

    return _plain(folder / "speech.csv", read, seeds)


def truth_over_time(folder: Path) -> Reader:
    tasks = [VOICE_ACTIVITY, ProbeTask(name="snr", kind="regression", outputs=1, q=8, unit="dB")]
    text = io.StringIO(newline="")
    csv.writer(text).writerows(
        [["time_s", "vad", "snr_db"], *([f"{n * 0.016:.3f}", str(n % 2), f"{n}.5"] for n in range(FRAMES))]
    )
    path = folder / "truth.csv"
    return _plain(path, lambda: read_truth(path, tasks, FRAMES), [text.getvalue().encode()])


def audio(folder: Path) -> Reader:
    """Read whole, and block by block at any rate and with any channels."""
    seeds, noise = [], np.random.default_rng(0).uniform(-0.5, 0.5, (400, 2))
    for form, subtype, rate, channels in (
        ("WAV", "PCM_16", 16_000, 1),
        ("WAV", "FLOAT", 44_100, 2),
        ("WAVEX", "PCM_24", 8000, 2),
        ("FLAC", "PCM_16", 16_000, 1),
        ("OGG", "VORBIS", 16_000, 1),
    ):
        file = io.BytesIO()
        soundfile.write(file, noise[:, :channels], rate, subtype, format=form)
        seeds.append(file.getvalue())
    path = folder / "sound"

    def read() -> None:
        for _ in Source(path, resample=True, mono=True).blocks(1 << 16):
            pass
        with suppress(AudioError):
            # Of another rate or with more channels, as a corpus must not have it.
            read_pcm(path)

    return _plain(path, read, seeds)


def configuration(folder: Path) -> Reader:
    path = folder / "own.toml"
    seeds = [
        b'[network]\nchannels = 16\ngate_site = "hidden"\nbands = [0, 100, 257]\n[training]\naverage_decay = 0.5\n',
        b"[mixing]\nsnr_db = [-5.0, 20.0]\n[training]\nlearning_rate = 1.5e-3\npatience = 3\nkeep_best = true\n",
    ]
    return _plain(path, lambda: load_config(path), seeds)


TARGETS: dict[str, Callable[[Path], Reader]] = {
    target.__name__.replace("_", " "): target
    for target in (
        manifest_of_a_bundle,
        tensors_of_a_bundle,
        probes_of_a_bundle,
        manifest_of_a_checkpoint,
        weights_of_a_checkpoint,
        configuration_of_a_checkpoint,
        scales_of_a_checkpoint,
        probes_of_a_checkpoint,
        training_to_resume,
        manifest_of_a_library,
        tables_of_a_corpus,
        truth_over_time,
        audio,
        configuration,
    )
}
"""What is fuzzed, each made in an empty folder."""


def _bundle(folder: Path) -> Bundle:
    torch.manual_seed(0)
    noise = np.random.default_rng(0).integers(-3000, 3000, 50 * 256).astype(np.int16)
    folded = fold_network(Enhancer(TINY).eval(), "0" * 64)
    channel = channel_bits(TINY).ravel().astype(np.int32)
    tasks = [ProbeTask(**VOICE_ACTIVITY.model_dump(), q=8)]
    probes = Probes(np.ones((len(channel), 1), np.int8), np.zeros(1, np.int32), channel, tasks)
    bundle = quantize_trained(folded, scales_for(folded, [noise]), probes)
    write_bundle(bundle, folder)
    return bundle


def _checkpoint(folder: Path) -> None:
    write_checkpoint(folder, Enhancer(TINY), Config(network=TINY), 3, [0.25], 0.1, {"features": 0.5})
    probes = FloatProbes(np.ones((4, 1)), np.zeros(1), np.arange(4, dtype=np.int32), [VOICE_ACTIVITY])
    save_probes(folder, probes, {}, "0" * 64)


def _document(path: Path) -> dict[str, object]:
    document: dict[str, object] = json.loads(path.read_bytes())
    del document["seal"]
    return document


def _plain(path: Path, load: Callable[[], object], seeds: list[bytes]) -> Reader:
    def read(data: bytes) -> None:
        path.write_bytes(data)
        load()

    return Reader(read, seeds)


def _sealed(path: Path, load: Callable[[], object]) -> Reader:
    """Bytes are those before the seal."""

    def read(data: bytes) -> None:
        end = f',\n  "seal": "{hashlib.sha256(data).hexdigest()}"\n}}\n'.encode()
        path.write_bytes(data + end)
        load()

    intact = path.read_bytes()
    return Reader(read, [intact[: intact.rindex(b',\n  "seal"')]])


def _listed(folder: Path, name: str) -> Reader:
    """A file whose hash is in a checkpoint's manifest."""
    _checkpoint(folder)
    path, manifest = folder / name, folder / "checkpoint.json"
    document = _document(manifest)

    def read(data: bytes) -> None:
        path.write_bytes(data)
        files = {**document["files"], name: hashlib.sha256(data).hexdigest()}  # type: ignore[dict-item]
        manifest.write_bytes(seal({**document, "files": files}))
        load_checkpoint(folder)
        load_probes(folder)

    return Reader(read, [path.read_bytes()])
