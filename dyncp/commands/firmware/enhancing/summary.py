# SPDX-License-Identifier: Apache-2.0
"""What was done, for the closing line and for `--json`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dyncp.export.formats.bundle import Bundle
    from dyncp.export.integers.run import Run


@dataclass
class Summary:
    """One stream."""

    source: str
    target: str
    signals: str | None
    """Path of the CSV."""
    seconds: float = 0.0
    """Of audio."""
    took: float = 0.0
    """Seconds of work."""
    frames: int = 0
    macs: int = 0
    """Of all frames."""
    speech_frames: int | None = None
    """Frames with voice activity; None where the network does not tell it."""
    saturated: int = 0
    """Samples beyond full scale once converted."""

    def add(self, bundle: Bundle, run: Run, samples: int) -> None:
        """The next frames, and how many samples they were made of."""
        self.seconds += samples / bundle.config.sample_rate
        self.frames += run.frames
        self.macs += int(run.macs.sum())
        voice = None if bundle.probes is None else bundle.probes.voice_output
        if voice is not None:
            self.speech_frames = (self.speech_frames or 0) + int((run.signals[:, voice] > 0).sum())

    def document(self) -> dict[str, object]:
        """For `--json`."""
        told: dict[str, object] = asdict(self)
        told["macs_per_frame"] = self.macs / max(1, self.frames)
        told["speech_share"] = None if self.speech_frames is None else self.speech_frames / max(1, self.frames)
        return told

    def line(self) -> str:
        signals = f"; signals in {self.signals}" if self.signals else ""
        return f"{self.source} → {self.target}: {described([self])}{signals}"


def described(done: Sequence[Summary]) -> str:
    """How much, how fast, and what was in it."""
    seconds, took, frames = (sum(getattr(one, name) for one in done) for name in ("seconds", "took", "frames"))
    text = f"{duration(seconds)} in {took:.2f} s ({seconds / max(took, 1e-9):.0f} times real time), "
    spoken = [one.speech_frames for one in done if one.speech_frames is not None]
    if spoken:
        text += f"{100 * sum(spoken) / max(1, frames):.0f} % of it speech, "
    return f"{text}{sum(one.macs for one in done) / max(1, frames):,.0f} MACs per frame"


def duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def shown(path: Path, pipe: str) -> str:
    """A path, or what stands for `-`."""
    return pipe if str(path) == "-" else str(path)
