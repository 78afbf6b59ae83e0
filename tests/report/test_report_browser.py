# SPDX-License-Identifier: Apache-2.0
"""report.html in a real browser: it draws, plays, fits laptop and phone, and asks the network for nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import CHROMIUM
from report_runs import FRAMES, make_run, write_truth_of
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from dyncp.base.audio import read_pcm, write_pcm
from dyncp.base.config.framing import HOP, SAMPLE_RATE
from dyncp.base.config.network import NetworkConfig
from dyncp.firmware.report.build import build_report, write_report

pytestmark = pytest.mark.slow

SECONDS = FRAMES * HOP / SAMPLE_RATE
AUDIO_LOADED = "return [...document.querySelectorAll('audio')].map(a => a.readyState >= 1 && !a.error ? a.duration : 0)"
# Presses a button; tells where the recording before it was left, and where this one goes on.
SWITCH = """
const [index, done] = arguments, players = [...document.querySelectorAll("audio")];
const tell = () => done([players[index - 1].currentTime, players[index].currentTime]);
players[index].addEventListener("play", tell, { once: true });
document.querySelectorAll(".switch button")[index].click();
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    config = NetworkConfig(channels=8, hidden=16, stacks=2, dilations=(1, 2), gate=4, pooling_frames=13)
    run = make_run(config, folder)
    write_truth_of(run, folder / "truth.csv")
    report = build_report(run.bundle, run.folder, truth=folder / "truth.csv")
    write_pcm(folder / "clean.wav", read_pcm(run.folder / "enhanced.wav"))
    _, path = write_report(report, run.folder, folder / "report", folder / "clean.wav")
    return path


@pytest.fixture(params=[1280, 390], ids=["laptop", "phone"])
def browser(request: pytest.FixtureRequest, page: Path, tmp_path: Path) -> Iterator[webdriver.Chrome]:
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*CHROMIUM, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        metrics = {
            "width": request.param,
            "height": 900,
            "deviceScaleFactor": 1,
            "mobile": request.param < 500,
        }
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        driver.get(page.as_uri())
        WebDriverWait(driver, 20).until(lambda d: all(d.execute_script(AUDIO_LOADED)))
        yield driver
    finally:
        driver.quit()


def test_page(browser: webdriver.Chrome, page: Path) -> None:
    check_figures(browser)
    check_audio_and_cursor(browser)
    check_switch(browser)
    check_signals(browser, json.loads((page.parent / "report.json").read_text(encoding="utf-8"))["signals"])
    check_width(browser)
    check_print(browser)
    assert [entry for entry in browser.get_log("browser") if entry["level"] != "INFO"] == []
    assert {url.split(":")[0] for url in requests(browser)} == {"file", "data"}


def check_figures(browser: webdriver.Chrome) -> None:
    """Three recordings, masks, MACs, layers, probes, cores, memory: each decoded, drawn, shown and described."""
    images = browser.execute_script(
        "return [...document.images].map(i => ({complete: i.complete, natural: i.naturalWidth,"
        " width: i.getBoundingClientRect().width, height: i.getBoundingClientRect().height, alt: i.alt}))"
    )
    assert len(images) == 9
    for image in images:
        assert image["complete"]
        assert image["natural"] > 0
        assert image["width"] > 300
        assert image["height"] > 60
        assert image["alt"]


def check_audio_and_cursor(browser: webdriver.Chrome) -> None:
    """Seeking one player moves the cursors and the other player."""
    assert browser.execute_script(AUDIO_LOADED) == [pytest.approx(SECONDS)] * 3
    browser.execute_script("document.querySelector('audio').currentTime = arguments[0]", SECONDS / 4)
    WebDriverWait(browser, 10).until(lambda d: position(d) == pytest.approx(0.25, abs=0.01))
    WebDriverWait(browser, 10).until(
        lambda d: (
            d.execute_script("return [...document.querySelectorAll('audio')].map((a) => a.currentTime)")
            == [pytest.approx(SECONDS / 4, abs=0.02)] * 3
        )
    )
    cursors = browser.execute_script(
        "return [...document.querySelectorAll('.timeline')].map(t => {"
        " const c = t.querySelector('.cursor').getBoundingClientRect(), b = t.getBoundingClientRect();"
        " return [(c.left + c.width / 2 - b.left) / b.width, c.height] })"
    )
    assert len(cursors) == 6
    assert len({round(place, 2) for place, _ in cursors}) == 1
    assert all(0.1 < place < 0.5 and height > 50 for place, height in cursors)


def check_switch(browser: webdriver.Chrome) -> None:
    """A button plays its recording, another goes on with its own from the same place, the same again pauses."""
    state = "return [...document.querySelectorAll('audio')].map((a) => [!a.paused, a.currentTime])"
    pressed = "return [...document.querySelectorAll('.switch button')].map((b) => b.ariaPressed === 'true')"
    buttons = browser.find_elements(By.CSS_SELECTOR, ".switch button")
    assert [" ".join(button.text.split()) for button in buttons] == [
        "A Noisy input",
        "B Enhanced output",
        "C Clean reference",
    ]
    # None may come to its end meanwhile.
    browser.execute_script("document.querySelectorAll('audio').forEach((a) => { a.loop = true })")
    browser.execute_script("document.querySelector('audio').currentTime = arguments[0]", SECONDS / 4)
    buttons[0].click()
    for index in range(3):
        alone = [place == index for place in range(3)]
        if index:
            left, went_on = browser.execute_async_script(SWITCH, index)
            assert went_on == pytest.approx(left, abs=0.1)
        WebDriverWait(browser, 30).until(lambda d, alone=alone: d.execute_script(pressed) == alone)
        assert [on for on, _ in browser.execute_script(state)] == alone
    browser.execute_script("document.querySelectorAll('.switch button')[2].click()")
    WebDriverWait(browser, 30).until(lambda d: not any(d.execute_script(pressed)))
    assert not any(on for on, _ in browser.execute_script(state))
    browser.execute_script("document.querySelectorAll('audio').forEach((a) => { a.loop = false })")


def check_signals(browser: webdriver.Chrome, signals: dict[str, Any]) -> None:
    """What is read out where one points, and at the cursor that keys move, is what report.json holds."""
    traces = browser.find_element(By.CSS_SELECTOR, ".traces")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", traces)
    for share in (0.31, 0.78):
        point_at(browser, traces, share)
        shown = read_out(browser)
        # A pixel is some points wide on a phone.
        point = round(float(shown["time"].removesuffix(" s")) / signals["step_s"])
        assert abs(point / FRAMES - share) < 0.02
        assert shown == expected(signals, point)
    ActionChains(browser).move_to_element(browser.find_element(By.TAG_NAME, "h1")).perform()
    traces.send_keys(Keys.HOME)
    assert read_out(browser) == expected(signals, 0)
    # A second is 62.5 frames.
    traces.send_keys(Keys.PAGE_DOWN, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    assert read_out(browser) == expected(signals, 64)
    # The player has followed, and does not take the cursor elsewhere.
    follows = "return document.querySelector('audio').currentTime"
    WebDriverWait(browser, 10).until(lambda d: d.execute_script(follows) == pytest.approx(64.5 * 0.016, abs=1e-3))
    assert read_out(browser) == expected(signals, 64)
    assert "snr" in (traces.get_attribute("aria-valuetext") or "")
    traces.send_keys(Keys.END)
    assert read_out(browser) == expected(signals, FRAMES - 1)


def point_at(browser: webdriver.Chrome, traces: WebElement, share: float) -> None:
    """Moves the pointer to this share of the time axis, in the middle of what is seen of the figure."""
    box = browser.execute_script(
        "const b = arguments[0].getBoundingClientRect(), s = getComputedStyle(document.documentElement);"
        "const [start, end] = ['--start', '--end'].map(name => Number(s.getPropertyValue(name)));"
        "return [b.left + b.width * (start + arguments[1] * (end - start)), innerHeight / 2]",
        traces,
        share,
    )
    pointer = ActionBuilder(browser)
    pointer.pointer_action.move_to_location(*box)
    pointer.perform()


def read_out(browser: webdriver.Chrome) -> dict[str, str]:
    shown: dict[str, str] = browser.execute_script(
        "const told = {time: document.querySelector('[data-time]').textContent};"
        "for (const entry of document.querySelectorAll('.readout dl > div')) {"
        " told[entry.querySelector('dt').textContent] = entry.querySelector('dd').textContent"
        " + (entry.classList.contains('invalid') ? ' not valid' : '') } return told"
    )
    return shown


def expected(signals: dict[str, Any], point: int) -> dict[str, str]:
    """The read-out at a point, from report.json."""

    def number(value: float) -> str:
        return f"{value:.{2 if abs(value) < 100 else 1}f}".replace("-", "−")

    vad, noise, snr = signals["traces"]
    truth = {trace["name"]: trace["truth"][point] for trace in signals["traces"]}
    yes = ("no", "yes")
    return {
        "time": f"{point * signals['step_s']:.3f} s",
        "vad": f"{yes[vad['decisions'][point]]}, {number(vad['values'][point])} {yes[truth['vad']]}",
        "noise": f"{noise['classes'][noise['decisions'][point]]} "
        f"{'–' if truth['noise'] is None else noise['classes'][truth['noise']]}",
        "snr": f"{number(snr['values'][point])} dB {'–' if truth['snr'] is None else number(truth['snr']) + ' dB'}"
        + ("" if snr["valid"][point] else " not valid"),
        "active": f"{signals['active'][point]:,}",
        "MACs": f"{signals['macs'][point]:,}",
    }


def position(browser: webdriver.Chrome) -> float:
    value: str = browser.execute_script(
        "return getComputedStyle(document.documentElement).getPropertyValue('--position')"
    )
    return float(value or -1)


def check_width(browser: webdriver.Chrome) -> None:
    widths = browser.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]


def check_print(browser: webdriver.Chrome) -> None:
    """On paper: no players, tables as wide as the page, everything opened, light though the screen is dark."""
    dark = {"media": "print", "features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    shown = "return [...document.querySelectorAll(arguments[0])].map((e) => e.getBoundingClientRect().height > 0)"
    assert not any(browser.execute_script(shown, "audio, .switch, .readout, .cursor"))
    assert all(browser.execute_script(shown, "section[id], .contents a, .card img"))
    colours = "const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]"
    assert browser.execute_script(colours) == ["rgb(27, 39, 51)", "rgb(255, 255, 255)"]
    pages = fitted(browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"])
    assert pages >= len(browser.find_elements(By.CSS_SELECTOR, "section[id]")) - 1
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})


def fitted(pdf: str) -> int:
    """The pages of a PDF in base64."""
    return base64.b64decode(pdf).count(b"/Type /Page\n")


def requests(browser: webdriver.Chrome) -> list[str]:
    """Every address that the page asked for, its own included; not those of the browser's start page."""
    messages: list[dict[str, Any]] = [
        json.loads(entry["message"])["message"] for entry in browser.get_log("performance")
    ]
    sent = [m["params"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return [p["request"]["url"] for p in sent if p["documentURL"] == browser.current_url]
