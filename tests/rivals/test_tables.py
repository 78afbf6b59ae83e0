# SPDX-License-Identifier: Apache-2.0
"""All rivals on one stream of a real voice in noise, beside masks that know the truth: rows, costs, tables, files."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from dyncp.base.audio import to_pcm
from dyncp.base.config.framing import BINS, HOP
from dyncp.base.tasks import PITCH, SNR_IN, VOICE_ACTIVITY
from dyncp.commands.evaluation.more import run_rivals
from dyncp.commands.shared.terminal import make_console
from dyncp.evaluation.rivals.rivals import Rivals
from dyncp.evaluation.rivals.sheets import rival_sheets
from dyncp.export.transforms.stft import analyse
from dyncp.train.corpora.demo_corpus import read_voice
from dyncp.train.probes.data import ProbeData
from dyncp.train.probes.observation import Observation
from dyncp.train.streams.streams import Stream
from dyncp.train.targets.frames import snr_db, voice_activity
from dyncp.train.targets.pitch import pitch_hz


def voice_in_noise(voice: str, seed: int) -> ProbeData:
    """Twelve seconds of a voice with pauses in white noise; two mask bits, of which one says voice activity."""
    speech = np.pad(np.concatenate(read_voice(voice, 10))[: 500 * HOP], (125 * HOP, 125 * HOP))
    rng = np.random.default_rng(seed)
    noise = to_pcm(0.004 * rng.standard_normal(len(speech)))
    noisy = (speech.astype(np.int32) + noise).clip(-32768, 32767).astype(np.int16)
    active = voice_activity(speech / 32768)
    masks = np.stack([active ^ (rng.random(len(active)) < 0.1), rng.random(len(active)) < 0.5], axis=1)[:, None, :]
    frames = len(masks)
    # The suppression mask of a perfect enhancer: the share of the speech's magnitude.
    magnitudes = [np.abs(analyse(part.reshape(-1, HOP))) for part in (speech, noise)]
    observation = Observation(
        masks,
        masks.astype(np.float32),
        (magnitudes[0] / (magnitudes[0] + magnitudes[1] + 1e-9)).astype(np.float32),
        np.log10(np.abs(analyse(noisy.reshape(-1, HOP))) + 1e-5).astype(np.float32),
        speech,
    )
    assert observation.suppression.shape == (frames, BINS)
    labels = {
        "vad": active.astype(np.int16),
        "f0": pitch_hz(speech / 32768),
        "snr_in": snr_db(speech / 32768, noise / 32768).astype(np.float32),
    }
    return ProbeData(Stream(speech, noise, noisy, (), ()), observation, labels, [VOICE_ACTIVITY, PITCH, SNR_IN])


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rivals, Path, str]:
    """The rivals, the folder that holds their files, and what was printed."""
    out = tmp_path_factory.mktemp("rivals") / "new"
    console = make_console()
    console.results = Console(file=(printed := io.StringIO()), width=250)
    run_rivals(console, voice_in_noise("it_IT_m_Carlo", 1), voice_in_noise("fr_CA_f_June", 2), out)
    return Rivals.model_validate_json((out / "rivals.json").read_text()), out, printed.getvalue()


def test_every_detector_hears_a_voice_well_above_the_noise(written: tuple[Rivals, Path, str]) -> None:
    rows = {row.name: row for row in written[0].detectors}
    assert len(rows) == 10
    for name, row in rows.items():
        if name not in ("webrtcvad, mode 0", "webrtcvad, mode 1"):
            assert (row.score.balanced_accuracy or 0) > 0.7, name
        assert (row.score.auc is None) == name.startswith("webrtcvad, mode")
    assert (rows["Silero VAD"].score.auc or 0) > 0.95
    # Four of five frames that the masks tell: nine of ten right, at one addition for each bit that flips.
    assert rows["masks (ours)"].score.accuracy == pytest.approx(0.9, abs=0.03)
    assert rows["masks (ours)"].delay_frames == 0
    assert rows["masks (ours)"].cost.operations == pytest.approx(0.5 + 2 * 0.1 * 0.9, abs=0.1)


def test_the_ideal_suppression_mask_tells_the_snr_best(written: tuple[Rivals, Path, str]) -> None:
    errors = {row.name: row.score.mae or 99.0 for row in written[0].snr}
    assert min(errors, key=errors.__getitem__).startswith("energy ratio of the suppression mask")
    for name in ("minimum statistics (SciPy)", "noise floor of pyroomacoustics"):
        # A voice that hardly pauses lifts the minima: an offset, which the line fitted on the other voice takes away.
        assert errors[f"{name}, on a fitted line"] < min(5, errors[name]), name


def test_dio_keeps_the_pitch_of_a_voice_well_above_the_noise(written: tuple[Rivals, Path, str]) -> None:
    ours, dio = written[0].pitch
    assert (ours.missed, ours.false_voiced) == (0, None)
    assert dio.gross < 0.1
    assert (dio.score.mae or 99) < 10
    assert 0 < dio.missed < 0.5


def test_tables_show_every_row_in_terminal_and_page(written: tuple[Rivals, Path, str]) -> None:
    rivals, out, printed = written
    page = (out / "rivals.md").read_text()
    names = [row.name for rows in (rivals.detectors, rivals.pitch, rivals.snr) for row in rows]
    assert len(names) == 10 + 2 + 7
    for name in names:
        assert f"| {name} |" in page
        assert name in printed
    assert page.count("###") == len(rival_sheets(rivals)) == 3
    assert json.loads((out / "rivals.json").read_text())["detectors"][0]["name"] == "masks (ours)"
