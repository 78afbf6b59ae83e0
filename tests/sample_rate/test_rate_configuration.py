# SPDX-License-Identifier: Apache-2.0
"""A network's sample rate: 8 or 16 kHz, left out where it is 16, and refused early where something has no 8 kHz."""

from __future__ import annotations

from pathlib import Path

import pytest
from framings import framed
from libraries import SMALL, written_bundle
from pydantic import ValidationError
from typer.testing import CliRunner

from dyncp.base.config.experiment import load_config
from dyncp.base.config.framing import STANDARD, Framing
from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import ConfigError, GenerationError
from dyncp.bench.assurance.framings import TELEPHONE
from dyncp.cli import commands
from dyncp.codegen.generate import generate
from dyncp.firmware.page.page import render_page

NETWORK = framed(SMALL, TELEPHONE)
TOML = """
[network]
sample_rate = 8000
hop = 80
fft = 256
analysis_window = 240
synthesis_window = 160
"""


def refused(*arguments: object) -> str:
    result = CliRunner().invoke(commands, [str(a) for a in arguments])
    assert isinstance(result.exception, ConfigError), result.output
    return str(result.exception)


def test_a_configuration_comes_back_and_says_nothing_of_16_khz(tmp_path: Path) -> None:
    (tmp_path / "narrow.toml").write_text(TOML)
    config = load_config(tmp_path / "narrow.toml").network
    assert config.framing == TELEPHONE
    assert config.model_dump()["sample_rate"] == 8000
    assert NetworkConfig.model_validate(config.model_dump()) == config
    assert "sample_rate" not in NetworkConfig(sample_rate=16_000).model_dump()


def test_what_counts_in_seconds_follows_the_rate() -> None:
    assert (TELEPHONE.delay_ms, TELEPHONE.latency_ms, TELEPHONE.frames_per_second) == (10, 20, 100)
    assert TELEPHONE.frames(0.5) == 50
    assert TELEPHONE.standard == Framing(128, 256, 256, 256, 8000)
    assert TELEPHONE.standard.standard == TELEPHONE.standard
    assert Framing(64, 256, 256, 128).standard == STANDARD
    # Frames of 10 ms on the grid of 16 ms: those that end with 10, 20 … 50 ms.
    assert TELEPHONE.standard_hops(5).tolist() == [0, 1, 1, 2, 3]
    assert TELEPHONE.within(slice(160, 1600), 100) == slice(1, 10)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"sample_rate": 44_100}, "sample_rate: must be 8000 or 16000"),
        ({"sample_rate": 8000, "hop": 512, "fft": 1024, "analysis_window": 1024, "synthesis_window": 1024}, "256 samp"),
    ],
)
def test_other_rates_and_hops_longer_than_32_ms_are_refused(fields: dict[str, int], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        NetworkConfig.model_validate(fields)


def test_a_clip_holds_a_segment_of_estoi_at_either_rate(tmp_path: Path) -> None:
    losses = "[mixing]\nclip_s = {}\n[training]\nintelligibility_weight = 1.0\n"
    (tmp_path / "short.toml").write_text(TOML + losses.format(0.38))
    with pytest.raises(ConfigError, match=r"at least 0\.394 s"):
        load_config(tmp_path / "short.toml")
    (tmp_path / "enough.toml").write_text(TOML + losses.format(0.4))
    load_config(tmp_path / "enough.toml")


def test_the_library_has_the_rate_and_no_stream(tmp_path: Path) -> None:
    bundle = written_bundle(tmp_path / "bundle", NETWORK)
    assert bundle.config.sample_rate == 8000
    header = (generate(bundle, tmp_path / "library") / "dyncp.h").read_text()
    assert "#define DYNCP_SAMPLE_RATE 8000\n" in header
    assert "80 int16 samples (10 ms at 8 kHz, one channel)" in header
    with pytest.raises(GenerationError, match=r"--stream: .* network.sample_rate is 8000"):
        generate(bundle, tmp_path / "streaming", stream=True)
    assert not (tmp_path / "streaming").exists()
    generate(bundle, tmp_path / "crate", layout="rust")
    lines = (tmp_path / "crate" / "src" / "lib.rs").read_text().splitlines()
    assert "pub const SAMPLE_RATE: u32 = 8_000;" in lines


def test_the_page_and_comparisons_refuse_8_khz(tmp_path: Path) -> None:
    bundle = written_bundle(tmp_path / "bundle", NETWORK)
    with pytest.raises(GenerationError, match="sample_rate"):
        render_page({"narrow": bundle})
    (tmp_path / "narrow.toml").write_text(TOML)
    front = ("front", "--day", "--network", tmp_path / "narrow.toml", "--out", tmp_path / "out", "--corpus", tmp_path)
    assert refused(*front).startswith("network.sample_rate: is 8000; a front")
    with pytest.raises(ConfigError, match="takes networks of 16000 Hz only"):
        TELEPHONE.require_corpus_rate("this")
    STANDARD.require_corpus_rate("this")
