# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser: its words are those of the cores, its sound is that of `dyncp enhance`, and it draws."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from bundles import random_bundle
from libraries import SMALL
from page_browser import Page, opened
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from signals import speech_like
from typer.testing import CliRunner

from dyncp.base.audio import pad_to_hop, read_pcm, write_pcm
from dyncp.base.config.framing import HOP, SAMPLE_RATE
from dyncp.base.paths import find_bundle
from dyncp.cli import commands
from dyncp.codegen.generate import generate
from dyncp.export.formats.bundle import read_bundle, write_bundle
from dyncp.export.integers import reference
from dyncp.export.integers.controls import Settings
from dyncp.firmware.building.boards import select
from dyncp.firmware.building.image import build
from dyncp.firmware.emulators.emulate import stream
from dyncp.firmware.page.known import hash_of
from dyncp.firmware.page.page import KNOWN_BEATS
from dyncp.firmware.page.samples import samples
from dyncp.firmware.page.wasm import BEAT

pytestmark = pytest.mark.slow

EARS = 2
"""Its frames are 4 ms, its output is 4 ms late."""
FADE = 160
PAUSE = "return new Promise((resolve) => setTimeout(resolve, arguments[0]))"


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second, and no whole number of hops."""
    path = tmp_path_factory.mktemp("audio") / "own.wav"
    write_pcm(path, np.concatenate([speech_like(60, seed=3), speech_like(1, seed=4)[:99]]))
    return path


@pytest.fixture(scope="module")
def page(audio: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Of a shipped network, of one without probes, and of one with other frames."""
    work = tmp_path_factory.mktemp("page")
    config = SMALL.model_copy(update={"gate_site": "hidden", "pooling": "ema"})
    write_bundle(random_bundle(config, 5, None), work / "mute")
    made = CliRunner().invoke(commands, ["page", "tiny", str(work / "mute"), "ears", str(work / "page.html")])
    assert made.exit_code == 0, made.output
    with opened(work / "page.html", audio, work) as browser:
        # Browsers let no page play before.
        browser.click(".brand")
        yield browser


def assert_saved_as_enhanced(page: Page, number: int, name: str, noisy: Path, out: Path, *options: str) -> None:
    """Samples and CSV of the last take, against those of `dyncp enhance`."""
    done = CliRunner().invoke(commands, ["enhance", name, str(noisy), str(out), *options])
    assert done.exit_code == 0, done.output
    sound, table = (
        page.saved(f'[data-network="{number}"] [data-save="{kind}"]', f"{file}-{name}.{kind}")
        for kind, file in (("wav", "enhanced"), ("csv", "signals"))
    )
    assert np.array_equal(read_pcm(sound), read_pcm(out))
    assert table.read_text(encoding="utf-8") == out.with_suffix(".csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(("number", "name"), [(0, "tiny"), (EARS, "ears")])
def test_the_page_computes_the_words_of_a_core(page: Page, number: int, name: str, tmp_path: Path) -> None:
    bundle = read_bundle(find_bundle(Path(name)))
    (board,) = select(["cortex-m4"])
    image = build(generate(bundle, tmp_path / "library"), board, tmp_path / "work", "marks", 0)
    pcm = samples()[0].noisy[: KNOWN_BEATS * BEAT]
    run, _ = stream(image, pcm, bundle.config, [], outputs=bundle.probe_outputs, trace=False, timeout_s=60)
    page.until("#proof-told", "the words that the cores compute")
    assert page.text(f'[data-proof="{number}"]') == f"equal: {hash_of(bundle, run)}"
    assert page.text('[data-proof="1"]').startswith("equal: ")


def test_a_file_comes_out_as_enhance_writes_it(page: Page, audio: Path, tmp_path: Path) -> None:
    """Opened, and dropped with other settings."""
    for options in ([], ["--limit", "10", "--strength", "50"]):
        for name, value in zip(("limit", "strength"), map(int, options[1::2]), strict=False):
            page.slide(name, value)
        if options:
            page.drop(audio)
        else:
            page.driver.find_element(By.ID, "file").send_keys(str(audio))
        page.until("#status", "Playing")
        page.until("#status", "s heard")
        assert np.array_equal(read_pcm(page.saved('[data-save="noisy"]', "noisy.wav")), read_pcm(audio))
        assert_saved_as_enhanced(page, 0, "tiny", audio, tmp_path / "out.wav", *options)
    page.slide("limit", 97)
    page.slide("strength", 100)


def test_a_network_of_shorter_frames_runs_beside_it(page: Page, audio: Path, tmp_path: Path) -> None:
    """A row of its table every 4 ms, and both networks' samples where the file has them."""
    boxes = page.driver.find_elements(By.CSS_SELECTOR, "[name=run]")
    boxes[EARS].click()
    page.drop(audio)
    page.until("#status", "Playing: own.wav")
    page.until("#status", "s heard")
    for number, name in ((0, "tiny"), (EARS, "ears")):
        assert_saved_as_enhanced(page, number, name, audio, tmp_path / f"{name}.wav")
    macs = int(page.text(f'[data-network="{EARS}"] [data-macs]').replace(",", ""))
    config = read_bundle(find_bundle(Path("ears"))).config
    assert config.macs(0) <= macs <= config.most_macs
    boxes[EARS].click()


def test_the_microphone_comes_out_as_enhance_writes_it(page: Page, audio: Path, tmp_path: Path) -> None:
    """What it hears went through the browser's own devices: resampled there, but the same sound."""
    page.click("#microphone")
    page.until("#status", "Listening")
    page.until("#audio-told", "of its time")
    page.script(PAUSE, 1500)
    page.click("#play")
    page.until("#status", "s heard")
    noisy = page.saved('[data-save="noisy"]', "noisy.wav")
    assert_saved_as_enhanced(page, 0, "tiny", noisy, tmp_path / "out.wav")
    heard, played = (read_pcm(path).astype(float) for path in (noisy, audio))
    part = played[4000:12000]
    likeness = np.correlate(heard, part, "valid") / np.linalg.norm(part)
    power = np.sqrt(np.convolve(heard**2, np.ones(len(part)), "valid"))
    assert (likeness / np.maximum(power, 1)).max() > 0.9
    assert page.script("return !document.getElementById('again').hidden")


def test_a_switch_is_a_fade_from_one_signal_to_the_other(page: Page) -> None:
    """Sample by sample: before and behind ten milliseconds the two signals themselves, aligned, a line in between."""
    noisy = samples()[0].noisy[: 3 * SAMPLE_RATE]
    run = reference.run(read_bundle(find_bundle(Path("tiny"))), pad_to_hop(noisy, 1))
    enhanced_ = run.output[HOP:][: len(noisy)].astype(float)
    at = 2.048
    heard = page.render(noisy, [["hear", 0, False]], at, [["hear", 0, True]])[2 * HOP :][: len(noisy)]
    first = round(at * SAMPLE_RATE) - 2 * HOP
    share = np.clip((np.arange(len(noisy)) - first + 1) / FADE, 0, 1)
    assert np.abs(heard - ((1 - share) * enhanced_ + share * noisy)).max() < 0.01
    assert np.array_equal(heard[:first], enhanced_[:first])
    assert np.array_equal(heard[first + FADE :], noisy[first + FADE :])
    assert np.abs(enhanced_ - noisy)[first:][:FADE].max() > 100


def test_bypass_is_the_library_s(page: Page) -> None:
    noisy = speech_like(40, seed=7)
    settings = {"limit": 97, "strength": 100, "bypass": True}
    heard = page.render(noisy, [["hear", 0, False], ["set", settings]], 0.256, [])
    run = reference.run(read_bundle(find_bundle(Path("tiny"))), noisy, settings=[Settings(bypass=True)] * 40)
    assert np.array_equal(heard[HOP:][: len(noisy)], run.output)


def test_loudness_is_matched_by_turning_the_louder_down(page: Page) -> None:
    random = np.random.default_rng(1)
    noise = np.round(random.normal(size=2 * SAMPLE_RATE) * 1000).astype(np.int16)
    second = slice(SAMPLE_RATE, 2 * SAMPLE_RATE)
    plain, matched, enhanced_ = (
        np.sqrt(np.mean(page.render(noise, [["hear", 0, noisy], ["match", wanted]], 0.256, [])[second] ** 2))
        for noisy, wanted in ((True, False), (True, True), (False, True))
    )
    assert plain == pytest.approx(1000, rel=0.05)
    assert enhanced_ < plain / 8
    assert matched == pytest.approx(plain * 10 ** (-15 / 20), rel=0.1)


def test_what_is_heard_is_drawn_and_told(page: Page) -> None:
    page.set_screen(1280, "light")
    page.click("[data-sample]")
    page.until("#audio-told", "of its time")
    # What was drawn moves to the left, and is otherwise the same.
    before = page.pixels("#noisy", 20)
    assert changes(page, "#noisy", before)
    after = page.pixels("#noisy")
    assert [np.array_equal(before, after[:, n : n + 20]) for n in range(480)].count(True) == 1
    for name in ('[data-network="0"] .masks canvas', '[data-network="0"] .work canvas', "#enhanced"):
        assert changes(page, name, page.pixels(name, 20)), name
        assert page.pixels(name).std() > 5, name
    assert page.text('[data-network="0"] [data-macs]').replace(",", "").isdigit()
    assert page.driver.find_element(By.CSS_SELECTOR, '[data-network="0"] .bar').get_attribute("aria-valuenow") != "0"
    body = page.driver.find_element(By.TAG_NAME, "body")
    body.send_keys("1")
    assert page.script("return document.querySelector('[name=mode]:checked').value") == "noisy"
    body.send_keys(Keys.SPACE)
    page.until("#status", "s heard")


def changes(page: Page, name: str, before: np.ndarray) -> bool:
    """Whether the right end of a canvas becomes another picture within a second or so."""
    for _ in range(10):
        page.script(PAUSE, 100)
        if not np.array_equal(page.pixels(name, before.shape[1]), before):
            return True
    return False


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 390])
def test_it_fits_and_can_be_read(page: Page, width: int, scheme: str) -> None:
    page.set_screen(width, scheme)
    assert page.script("return document.documentElement.scrollWidth <= innerWidth")
    ground = page.script("return getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(15, 20, 26)") == (scheme == "dark")
    unnamed = page.script(
        "return [...document.querySelectorAll('button, canvas, input, [role=meter]')].filter((e) =>"
        " e.checkVisibility() && !(e.textContent.trim() || e.ariaLabel || e.labels?.length)).map((e) => e.outerHTML)"
    )
    assert unnamed == []


def test_nobody_is_asked_for_anything(page: Page) -> None:
    """Last, for all that the tests before did."""
    said = [entry["message"] for entry in page.driver.get_log("browser") if entry["level"] != "INFO"]
    # These tests read canvases, which the page does not.
    assert [message for message in said if "getImageData" not in message] == []
    assert {url.split(":")[0] for url in page.requests()} <= {"file", "data", "blob"}
