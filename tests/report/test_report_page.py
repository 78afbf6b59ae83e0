# SPDX-License-Identifier: Apache-2.0
"""report.html as text: the verdict, what is escaped, what is inlined."""

from __future__ import annotations

import base64
import io
import re
import wave
from pathlib import Path

import numpy as np
import pytest
from report_runs import COMPARISON, FRAMES, Run, make_run, spoiled

from dyncp.base.audio import read_pcm, write_pcm
from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import AudioError, ReportError
from dyncp.export.formats.bundle import write_bundle
from dyncp.firmware.report.build import build_report, write_report
from dyncp.firmware.report.figures.timelines import pool
from dyncp.firmware.report.players import wav_data_uri

pytestmark = pytest.mark.slow

HOSTILE = "</script><script>alert('&$x_1$')</script>"


def page(run: Run, tmp_path: Path) -> str:
    _, path = write_report(build_report(run.bundle, run.folder), run.folder, tmp_path / "out")
    return path.read_text(encoding="utf-8")


def test_exact_run(run: Run, tmp_path: Path) -> None:
    html = page(run, tmp_path)
    assert 'class="verdict passed"' in html
    assert f"<h1>5 cores, {FRAMES} frames, 0 mismatches</h1>" in html
    assert "cycle" not in html.lower()


def test_mismatch_is_red_and_located(run: Run, tmp_path: Path) -> None:
    run.write(spoiled(run.record))
    html = page(run, tmp_path)
    assert 'class="verdict failed"' in html
    assert 'class="verdict passed"' not in html
    assert f"<h1>5 cores, {FRAMES} frames, 4 mismatches</h1>" in html
    assert "cortex-m4: 4 words differ; the first in frame 3, stage front, channel 2: expected 7, got 8." in html


def test_page_without_cores_and_probes(tmp_path: Path) -> None:
    run = make_run(NetworkConfig(channels=8, hidden=16, stacks=1, dilations=(1,), gate=4), tmp_path)
    run.bundle.probes = None
    write_bundle(run.bundle, tmp_path / "bundle")
    (run.folder / "probes.npy").unlink()
    run.write(run.record.model_copy(update={"bundle_hash": run.bundle.hash, "targets": []}))
    html = page(run, tmp_path)
    assert "No core was run." in html
    assert "Signals over time" not in html


def test_quality(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "quality.json"
    shown = []
    for comparison in (COMPARISON, COMPARISON.model_copy(update={"differing_informative_bits": None})):
        path.write_text(comparison.model_dump_json(), encoding="utf-8")
        report = build_report(run.bundle, run.folder, path)
        shown.append(write_report(report, run.folder, tmp_path / "out")[1].read_text(encoding="utf-8"))
    assert "<td>0.600</td><td>0.700</td><td>0.690</td>" in shown[0]
    assert "24.5 dB SI-SDR, and 0.30 % of the mask bits differ" in shown[0]
    assert "(0.40 % of the 17 informative ones)." in shown[0]
    assert "informative ones" not in shown[1]


def test_hostile_names_are_escaped(run: Run, tmp_path: Path) -> None:
    assert run.bundle.probes is not None
    tasks = run.bundle.probes.tasks
    tasks[1] = tasks[1].model_copy(update={"classes": [HOSTILE, "$\\frac{", "b"]})
    tasks[2] = tasks[2].model_copy(update={"unit": HOSTILE})
    run.bundle.sources[HOSTILE] = HOSTILE
    write_bundle(run.bundle, tmp_path / "bundle")
    first, *others = run.record.targets
    first = first.model_copy(update={"name": HOSTILE, "emulator": HOSTILE, "flags": HOSTILE})
    run.write(
        run.record.model_copy(update={"bundle_hash": run.bundle.hash, "targets": [first, *others]}),
    )
    html = page(run, tmp_path)
    assert "<script>alert" not in html
    # The page's own script, and the data of the signals.
    assert (html.count("<script"), html.count("</script>")) == (2, 2)
    assert "&lt;script&gt;alert(&#39;&amp;$x_1$&#39;)" in html


def test_everything_is_inlined(run: Run, tmp_path: Path) -> None:
    html = page(run, tmp_path)
    references = re.findall(r'(?:src|srcset|href)="([^"]*)"', html)
    assert len([each for each in references if each.startswith("data:")]) >= 2 * 7 + 2
    assert all(reference.startswith(("data:", "#")) for reference in references)
    targets = {reference[1:] for reference in references if reference.startswith("#")}
    assert len(targets) > 5
    assert targets <= set(re.findall(r'id="([^"]*)"', html))
    assert not re.search(r"url\((?!%23)", html)  # a figure's own clip paths apart
    assert "@import" not in html


def played(html: str) -> list[np.ndarray]:
    """What the players hold, int16."""
    recordings = []
    for source in re.findall(r'<audio[^>]* src="data:audio/wav;base64,([^"]+)"', html):
        with wave.open(io.BytesIO(base64.b64decode(source))) as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)
            recordings.append(np.frombuffer(file.readframes(file.getnframes()), "<i2"))
    return recordings


def test_the_players_hold_the_audio(run: Run, tmp_path: Path) -> None:
    """Without clean speech there are two of them, and nothing speaks of a third."""
    html = page(run, tmp_path)
    recordings = played(html)
    assert len(recordings) == 2
    for samples, name in zip(recordings, ("noisy.wav", "enhanced.wav"), strict=True):
        assert np.array_equal(samples, read_pcm(run.folder / name))
    assert "lean reference" not in html


def test_clean_speech_is_a_third_player(run: Run, tmp_path: Path) -> None:
    """Filled up with silence to whole hops, as the audio that was validated."""
    clean = np.arange(FRAMES * 256 - 5).astype(np.int16)
    write_pcm(tmp_path / "clean.wav", clean)
    report = build_report(run.bundle, run.folder)
    _, path = write_report(report, run.folder, tmp_path / "out", tmp_path / "clean.wav")
    html = path.read_text(encoding="utf-8")
    _, _, heard = played(html)
    assert np.array_equal(heard, [*clean, 0, 0, 0, 0, 0])
    assert re.findall(r"<b>([A-Z])</b> ([A-Z][a-z]+)", html) == [("A", "Noisy"), ("B", "Enhanced"), ("C", "Clean")]


def test_other_clean_speech_is_refused_before_anything_is_written(run: Run, tmp_path: Path) -> None:
    write_pcm(tmp_path / "clean.wav", np.zeros(FRAMES * 256 + 1, np.int16))
    report = build_report(run.bundle, run.folder)
    with pytest.raises(ReportError, match=r"clean\.wav: holds 51456 samples in whole hops, but .* has 51200"):
        write_report(report, run.folder, tmp_path / "out", tmp_path / "clean.wav")
    with pytest.raises(AudioError, match=r"none\.wav"):
        write_report(report, run.folder, tmp_path / "out", tmp_path / "none.wav")
    assert not (tmp_path / "out").exists()


def test_players_hold_a_minute_at_most() -> None:
    uri = wav_data_uri(np.zeros(61 * 16000, np.int16))
    with wave.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))) as file:
        assert file.getnframes() == 60 * 16000


@pytest.mark.parametrize(("length", "columns"), [(10, 4), (10, 10), (3, 7), (1, 1)])
def test_pooling_keeps_the_sum(length: int, columns: int) -> None:
    values = np.arange(2 * length).reshape(length, 2)
    pooled = pool(values, columns)
    run = -(-length // columns)
    assert len(pooled) <= columns
    assert np.array_equal(pooled[0], values[:run].mean(axis=0))
    assert np.array_equal(pooled[-1], values[(len(pooled) - 1) * run :].mean(axis=0))
