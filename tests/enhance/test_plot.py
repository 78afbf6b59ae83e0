# SPDX-License-Identifier: Apache-2.0
"""`dyncp enhance --plot`: audio and signals over time, drawn to a file."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from click.testing import Result
from libraries import written_bundle
from matplotlib.colors import to_rgb
from signals import speech_like
from typer.testing import CliRunner

from dyncp.base.audio import write_pcm
from dyncp.base.errors import ReportError
from dyncp.cli import commands
from dyncp.firmware.report.figures.drawing import BLUE, WIDE
from dyncp.firmware.report.figures.traces import INVALID

Enhance = Callable[..., Result]


@pytest.fixture
def enhance(tmp_path: Path) -> Enhance:
    """Runs `dyncp enhance` on two seconds, with a plot of this name."""
    written_bundle(tmp_path / "bundle")
    write_pcm(tmp_path / "in.wav", speech_like(125))

    def run(plot: str) -> Result:
        files = [tmp_path / "in.wav", tmp_path / "out.wav", "--bundle", tmp_path / "bundle", "--plot", tmp_path / plot]
        return CliRunner().invoke(commands, ["enhance", *map(str, files)], catch_exceptions=False)

    return run


@pytest.mark.slow
def test_png_shows_audio_signals_and_where_they_are_not_valid(enhance: Enhance, tmp_path: Path) -> None:
    assert enhance("plot.png").exit_code == 0
    image = matplotlib.image.imread(tmp_path / "plot.png")[:, :, :3]
    height, width = image.shape[:2]
    assert width == 2 * WIDE.width
    blue = np.abs(image - to_rgb(BLUE)).max(axis=2) < 0.02
    grey = np.abs(image - to_rgb(INVALID)).max(axis=2) < 0.005
    # Below the legend come two spectrograms, whose colours are their own; the signals fill what is left.
    signals = slice(height // 2, height)
    assert blue[signals].any(axis=1).mean() > 0.4
    assert blue[signals].any(axis=0).mean() > 0.6
    assert 0.0001 < grey.mean() < 0.2
    spectrograms = image[int(0.1 * height) : int(0.4 * height), int(0.1 * width) : int(0.8 * width)]
    assert spectrograms.reshape(-1, 3).std(axis=0).min() > 0.1


@pytest.mark.slow
def test_svg_names_files_and_signals(enhance: Enhance, tmp_path: Path) -> None:
    assert enhance("plot.svg").exit_code == 0
    texts = {element.text for element in ElementTree.parse(tmp_path / "plot.svg").iter() if element.text}
    assert {"in.wav", "out.wav", "vad, log-odds", "noise", "street", "snr, dB", "active channels"} <= texts


def test_another_suffix_is_refused_before_anything_is_written(enhance: Enhance, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"plot\.jpg: a plot is written as PNG or SVG"):
        enhance("plot.jpg")
    assert not (tmp_path / "out.wav").exists()
