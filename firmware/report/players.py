# SPDX-License-Identifier: Apache-2.0
"""The recordings that the page plays and draws: noisy, enhanced, and the clean speech where it is known."""

from __future__ import annotations

import base64
import io
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dyncp.base.audio import Pcm, pad_to_hop, read_pcm
from dyncp.base.config.framing import SAMPLE_RATE
from dyncp.base.errors import ReportError
from dyncp.firmware.report.contents.schema import Report
from dyncp.firmware.report.contents.validation import Validation
from dyncp.firmware.report.figures.drawing import Drawing
from dyncp.firmware.report.figures.timelines import SHOWN_SECONDS, audio_figure, spectrogram_db


@dataclass(frozen=True)
class Player:
    """One recording: its samples as a WAV data URI and its figure."""

    letter: str
    name: str
    caption: str
    uri: str
    figure: Drawing


def read_clean(path: Path, validation: Validation, hop: int, rate: int) -> Pcm:
    """The clean speech of the audio that was validated, as long as that.

    Raises ReportError for another length, AudioError for a file that is no mono audio of this rate.
    """
    pcm = pad_to_hop(read_pcm(path, rate), hop=hop)
    if len(pcm) != len(validation.noisy):
        raise ReportError(
            f"{path}: holds {len(pcm)} samples in whole hops, but the validated audio has {len(validation.noisy)}; "
            "give the clean speech that was mixed into it"
        )
    return pcm


def make_players(report: Report, validation: Validation, clean: Pcm | None) -> list[Player]:
    """Two of them, or three: what is not known is left out."""
    audio, rate = report.audio, report.audio.sample_rate
    recordings = [
        ("Noisy input", "What every engine was given.", validation.noisy),
        (
            "Enhanced output",
            f"The integer reference's output, which every core must equal; it lags the input by {audio.delay_ms:g} ms, "
            f"and what a device gives out is {audio.latency_ms:g} ms old, since a hop has to come in first.",
            validation.enhanced,
        ),
    ]
    if clean is not None:
        recordings.append(("Clean reference", "The speech alone, before the noise was added to it.", clean))
    # One colour scale for all; isolated clicks do not set its top.
    loudest_db = float(np.ceil(np.percentile(spectrogram_db(validation.noisy, rate), 99.9)))
    return [
        Player(letter, name, caption, wav_data_uri(pcm, rate), audio_figure(pcm, loudest_db, rate))
        for letter, (name, caption, pcm) in zip("ABC", recordings, strict=False)
    ]


def wav_data_uri(pcm: Pcm, rate: int = SAMPLE_RATE) -> str:
    """At most the first `SHOWN_SECONDS` as a 16-bit mono WAV."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm[: SHOWN_SECONDS * rate].astype("<i2").tobytes())
    return "data:audio/wav;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
