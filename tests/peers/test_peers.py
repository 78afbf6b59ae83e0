# SPDX-License-Identifier: Apache-2.0
"""Peers: what is installed runs and is aligned, what is missing is named; DNSMOS judges as its own package does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from command import run
from networks import SHAPES, trained_enough
from onnx import TensorProto, helper
from signals import speech_like
from sounds import small_corpus

from dyncp.base.config.experiment import Config
from dyncp.base.errors import AudioError
from dyncp.base.metrics import dnsmos
from dyncp.base.quality import Score
from dyncp.evaluation.peers import graphs
from dyncp.evaluation.peers.packages import MissingPeerError, package_file
from dyncp.evaluation.peers.peers import PEERS, common_delay, enhance, find_peers
from dyncp.train.network.checkpoint import write_checkpoint

pytestmark = pytest.mark.slow

SPEECH = speech_like(200, seed=4)
IN = {"mix": [1, 257, 1, 2], "cache": [1, 1]}
OUT = {"enh": [1, 257, 1, 2], "cache_out": [1, 1]}
# The extra `benchmark` leaves these out, whose wheels pull in some 60 packages; all other peers must be there.
BESIDE_THE_EXTRA = ("DTLN", "GTCRN", "UL-UNAS")
REMEDY = r"pip install|clone github\.com"


@pytest.mark.parametrize("lag", [0, 1, 256, 480])
def test_a_delay_is_found_to_the_sample(lag: int) -> None:
    rng = np.random.default_rng(lag)
    clean = [speech_like(100, seed=seed) for seed in (1, 2)]
    heard = [np.roll(pcm, lag) // 2 + rng.integers(-300, 300, len(pcm)).astype(np.int16) for pcm in clean]
    assert common_delay(clean, heard) == lag


def test_every_peer_runs_or_is_named_with_a_remedy() -> None:
    found = find_peers()
    assert {*found.names, *(peer.name for peer in found.missing)} == set(PEERS)
    assert all(re.search(REMEDY, peer.remedy) for peer in found.missing)


@pytest.mark.parametrize("name", list(PEERS))
def test_a_peer_keeps_length_and_passes_speech(name: str) -> None:
    rng = np.random.default_rng(1)
    noisy = (SPEECH + rng.normal(0, 100, len(SPEECH))).clip(-32768, 32767).astype(np.int16)
    if name in BESIDE_THE_EXTRA and name not in find_peers().names:
        with pytest.raises(MissingPeerError, match=REMEDY):
            enhance(name, noisy)
        return
    heard = enhance(name, noisy)
    assert heard.dtype == np.int16
    assert heard.shape == noisy.shape
    assert heard.any()
    assert np.array_equal(heard, enhance(name, noisy)), "a second clip hears nothing of the first"


def test_a_graph_of_spectra_is_framed_without_a_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that gives back what it hears, and counts frames in its cache, as a graph of UL-UNAS' interface."""
    spectrum, count = (helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in IN.items())
    outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in OUT.items()]
    one = helper.make_tensor("one", TensorProto.FLOAT, [1, 1], [1.0])
    nodes = [helper.make_node("Identity", ["mix"], ["enh"]), helper.make_node("Add", ["cache", "one"], ["cache_out"])]
    graph = helper.make_graph(nodes, "passing", [spectrum, count], outputs, [one])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(tmp_path / "passing.onnx"))
    monkeypatch.setenv(graphs.UL_UNAS, str(tmp_path / "passing.onnx"))
    heard = graphs.ul_unas()(SPEECH)
    assert np.abs(heard[256:].astype(int) - SPEECH[:-256]).max() <= 1
    monkeypatch.setenv(graphs.UL_UNAS, str(tmp_path / "none.onnx"))
    with pytest.raises(MissingPeerError, match="clone github"):
        graphs.ul_unas()


def test_a_package_that_is_not_there() -> None:
    with pytest.raises(MissingPeerError, match="pip install nothing"):
        package_file("dyncp_no_such_package", "model.onnx", "pip install nothing")
    with pytest.raises(MissingPeerError, match=r"holds no model\.onnx"):
        package_file("dyncp.evaluation.peers", "model.onnx", "pip install nothing")


@pytest.mark.parametrize("seconds", [1.5, 6.0, 10.6])
def test_dnsmos_judges_as_its_package(seconds: float) -> None:
    from speechmos import dnsmos as package

    pcm = np.resize(SPEECH, round(16_000 * seconds))
    wanted = package.run(pcm / 32768, 16_000)
    heard = dnsmos(pcm)
    assert heard is not None
    assert heard == pytest.approx((wanted["sig_mos"], wanted["bak_mos"], wanted["ovrl_mos"]), abs=1e-4)


def test_dnsmos_prefers_speech_without_noise() -> None:
    noise = np.random.default_rng(2).normal(0, 2000, len(SPEECH))
    clean, noisy = dnsmos(SPEECH), dnsmos((SPEECH + noise).clip(-32768, 32767).astype(np.int16))
    assert clean is not None
    assert noisy is not None
    assert clean.bak > noisy.bak + 0.3
    with pytest.raises(AudioError, match="DNSMOS needs one channel"):
        dnsmos(np.zeros(0, np.int16))


def test_scores_without_dnsmos_stay_without() -> None:
    score = Score(pesq=2, stoi=0.8, estoi=0.7, si_sdr=5)
    judged = score.model_copy(update={"sig": 3.0, "bak": 3.0, "ovrl": 2.5})
    assert (judged - score).ovrl is None
    assert Score.mean([judged, score]).sig is None
    assert Score.mean([judged, judged]).ovrl == 2.5


def test_the_table_of_peers(tmp_path: Path) -> None:
    corpus = small_corpus(tmp_path / "corpus")
    config = SHAPES[0]
    write_checkpoint(tmp_path / "net", trained_enough(config), Config(network=config), 1, [0.5] * config.blocks, 0.1)
    out = tmp_path / "peers.json"
    result = run("evaluate", tmp_path / "net", "--corpus", corpus, "--peers", "--clips", 2, "--json", "--out", out)
    table = json.loads(result.stdout)
    assert table == json.loads(out.read_bytes())
    rows = {row["name"]: row for row in table["rows"]}
    assert list(rows)[:2] == ["noisy", "dyncp, float"]
    assert rows["noisy"]["delay_ms"] == 0
    assert rows["dyncp, float"]["delay_ms"] == 16
    assert len(rows) - 2 + len(table["missing"]) == len(PEERS)
    assert "delays removed" in result.stderr
