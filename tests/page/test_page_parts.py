# SPDX-License-Identifier: Apache-2.0
"""What a page is made of: scripts joined to one, samples in which networks hear speech; and what it may not replace."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from bundles import random_bundle
from libraries import SMALL
from typer.testing import CliRunner

from dyncp.base.audio import pad_to_hop
from dyncp.base.config.framing import HOP
from dyncp.base.errors import GenerationError, OutputError, ToolchainError
from dyncp.base.paths import find_bundle
from dyncp.cli import commands
from dyncp.export.formats.bundle import read_bundle
from dyncp.export.integers import reference
from dyncp.export.integers.signals import read_out
from dyncp.firmware.page.joining import SCRIPTS, joined, source_hash
from dyncp.firmware.page.page import render_page
from dyncp.firmware.page.samples import Sample, samples


def invoke(*words: object) -> BaseException | None:
    return CliRunner().invoke(commands, ["page", *map(str, words)]).exception


@pytest.mark.parametrize("entry", ["main", "worklet"])
def test_modules_become_one_script(entry: str) -> None:
    text = joined(entry)
    assert not re.search(r"^(import|export)\b", text, re.MULTILINE)
    declared = re.findall(r"^(?:const|let|class|(?:async )?function) (\w+)", text, re.MULTILINE)
    assert len(set(declared)) == len(declared) > 3
    # An end tag would end the script in HTML.
    assert "</" not in text


def test_every_module_is_on_the_page() -> None:
    text = joined("main") + joined("worklet")
    for path in SCRIPTS.glob("*.js"):
        assert path.read_text(encoding="utf-8").splitlines()[1] in text, path


def test_policies_name_scripts_by_their_hash() -> None:
    # printf 'alert(1)' | openssl dgst -sha256 -binary | base64
    assert source_hash("alert(1)") == "sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI="


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.title)
def test_networks_hear_the_voices_of_a_sample(sample: Sample) -> None:
    """Less noise, speech where it is, and work that falls where nobody speaks."""
    bundle = read_bundle(find_bundle(Path("tiny")))
    run = reference.run(bundle, pad_to_hop(sample.noisy, 1))
    enhanced = run.output[HOP:][: len(sample.noisy)]
    assert error(sample, enhanced) < error(sample, sample.noisy) - 1
    frames = len(sample.clean) // HOP
    spoken = np.abs(sample.clean[: frames * HOP].reshape(frames, HOP)).max(axis=1) > 300
    assert 0.4 < spoken.mean() < 0.8
    vad = read_out(bundle, run.signals)[0]
    assert vad.task.name == "vad"
    assert np.mean((vad.values[:frames, 0] > 0) == spoken) > 0.75
    at_rest = np.convolve(spoken, np.ones(25))[:frames] == 0
    assert run.macs[:frames][at_rest].mean() < 0.6 * run.macs[:frames][spoken].mean()
    assert sample.noisy[-4000:].max() == 0


def error(sample: Sample, heard: np.ndarray) -> float:
    """Power of what is not the clean speech, dB."""
    return float(10 * np.log10(np.mean((heard.astype(float) - sample.clean) ** 2)))


def test_a_file_that_is_no_page_stays(tmp_path: Path) -> None:
    mine = tmp_path / "mine.html"
    mine.write_text("<p>mine</p>")
    fault = invoke("tiny", mine)
    assert isinstance(fault, OutputError)
    assert "no page of this command" in str(fault)
    assert mine.read_text() == "<p>mine</p>"
    assert "must end in .html" in str(invoke("tiny", tmp_path / "page.txt"))


def test_what_is_missing_is_told_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    monkeypatch.setenv("PATH", str(tools))
    fault = invoke("tiny", tmp_path / "page.html")
    assert isinstance(fault, ToolchainError)
    assert "apt-get install clang" in str(fault)
    (tools / "clang").symlink_to("/bin/true")
    assert "apt-get install lld" in str(invoke("tiny", tmp_path / "page.html"))
    assert not (tmp_path / "page.html").exists()


def test_a_network_of_other_frames_is_refused() -> None:
    bundle = random_bundle(SMALL, 0, None)
    bundle.config = SMALL.model_copy(update={"hop": 96, "fft": 256, "analysis_window": 256, "synthesis_window": 192})
    with pytest.raises(GenerationError, match=r"odd: network\.hop, .* divide 256 samples, .* these are 96 and 96"):
        render_page({"odd": bundle})


def test_two_networks_of_one_name(tmp_path: Path) -> None:
    result = CliRunner().invoke(commands, ["page", "tiny", "tiny", str(tmp_path / "page.html")])
    assert result.exit_code == 2
    assert "named twice" in result.stderr
