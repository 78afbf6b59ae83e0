# SPDX-License-Identifier: Apache-2.0
"""The page: one HTML file with the networks as WebAssembly, its audio, its scripts and its style."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from dyncp.base.audio import Pcm
from dyncp.base.config.framing import SAMPLE_RATE
from dyncp.base.errors import GenerationError
from dyncp.base.version import __version__
from dyncp.export.formats.bundle import Bundle
from dyncp.export.formats.probe_set import ProbeTask
from dyncp.export.formats.shipped import figures_of
from dyncp.firmware.page.joining import joined, source_hash
from dyncp.firmware.page.known import known_hash
from dyncp.firmware.page.samples import samples
from dyncp.firmware.page.templates import template
from dyncp.firmware.page.wasm import BEAT, build_wasm, fits_the_beat, frame_columns

SHOWN = 2
"""Networks that run when the page opens."""

MARK = '<meta name="generator" content="dyncp page">'
"""In the head of every page: what may be written over."""

KNOWN_BEATS = 250
"""Of the first sample, for the self-test: 4 s."""

TITLES = {
    "vad": "Speech",
    "gender": "Voice",
    "accent": "Accent",
    "noise": "Noise",
    "snr_in": "SNR in",
    "snr_out": "SNR out",
    "si_sdr": "SI-SDR",
    "pesq": "PESQ",
    "f0": "Pitch",
}
RANGES = {"dB": (-10, 40), "Hz": (60, 350), "MOS": (1, 4.6), "log-odds": (-4, 4)}
"""What a trace shows from bottom to top, by unit; others follow their values."""


def render_page(networks: Mapping[str, Bundle], audio: Mapping[str, Pcm] | None = None) -> str:
    """The page of these networks, by name. `audio`, title → int16 at 16 kHz, comes before what is built in.

    Raises ToolchainError where clang or its linker is missing, GenerationError for a network of another rate or whose
    frames do not fill its beats.
    """
    for name, bundle in networks.items():
        if bundle.config.sample_rate != SAMPLE_RATE:
            raise GenerationError(
                f"{name}: network.sample_rate: is {bundle.config.sample_rate}; a page plays {SAMPLE_RATE} Hz"
            )
        if not fits_the_beat(bundle.config.framing):
            raise GenerationError(
                f"{name}: network.hop, synthesis_window: a page takes hops that divide {BEAT} samples, and a delay "
                f"of at most {BEAT}; these are {bundle.config.hop} and {bundle.config.framing.delay}"
            )
    built_in = samples()
    heard = dict(audio or {}) | {sample.title: sample.noisy for sample in built_in}
    known = built_in[0].noisy[: KNOWN_BEATS * BEAT]
    described = [_network(name, bundle, known) for name, bundle in networks.items()]
    listed = [{"title": title, "pcm": _packed(pcm.astype("<i2"))} for title, pcm in heard.items()]
    colours = np.round(255 * matplotlib.colormaps["magma"](np.arange(256))[:, :3]).astype(np.uint8)
    script, worklet = joined("main"), joined("worklet")
    style = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
    return template("page.html.j2").render(
        version=__version__,
        mark=MARK,
        networks=described,
        samples=listed,
        shown=SHOWN,
        known_seconds=len(known) / SAMPLE_RATE,
        known_title=built_in[0].title,
        data={
            "networks": described,
            "samples": listed,
            "known": list(heard).index(built_in[0].title),
            "colours": _packed(colours),
        },
        script=script,
        script_hash=source_hash(script),
        style=style,
        style_hash=source_hash(style),
        worklet=worklet,
    )


def _network(name: str, bundle: Bundle, known: Pcm) -> dict[str, Any]:
    """What the page must know of one network."""
    config, tasks = bundle.config, bundle.probes.tasks if bundle.probes else []
    columns, goodness = frame_columns(tasks), _goodness(bundle)
    return {
        "name": name,
        "hash": bundle.hash,
        "bytes": _packed(np.frombuffer(build_wasm(bundle), np.uint8)),
        "blocks": config.blocks,
        "gated": config.gated,
        "words": config.mask_words,
        "hop": config.hop,
        "delay": config.framing.delay,
        "most": config.most_macs,
        "columns": [asdict(column) for column in columns],
        "tasks": [_task(task) for task in tasks],
        "goodness": [goodness.get(task.name, "") for task in tasks],
        "known": {"beats": len(known) // BEAT, "hash": known_hash(bundle, known)},
    }


def _goodness(bundle: Bundle) -> dict[str, str]:
    """Of a shipped network's signals, as it was measured on speakers and noises that no training saw."""
    figures = figures_of(bundle.network_hash)
    if figures is None or figures.bundle_hash != bundle.hash:
        return {}
    told = {}
    for name, score in figures.signals.items():
        if score.auc is not None:
            told[name] = f"AUC {score.auc:.2f}"
        elif score.r2 is not None:
            told[name] = f"R² {score.r2:.2f}".replace("-", "−")
    return told


def _task(task: ProbeTask) -> dict[str, Any]:
    return {
        "title": TITLES.get(task.name, task.name),
        "kind": task.kind,
        "unit": task.unit,
        "classes": task.classes,
        "range": RANGES.get(task.unit),
    }


def _packed(values: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(values.tobytes()).decode("ascii")
