# SPDX-License-Identifier: Apache-2.0
"""report.html in a real browser: it draws, plays, fits laptop and phone, and asks the network for nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from report_runs import FRAMES, make_run
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.wait import WebDriverWait

from dyncp.firmware.report.build import build_report, write_report
from dyncp.train.config import HOP, SAMPLE_RATE, NetworkConfig

pytestmark = pytest.mark.slow

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SECONDS = FRAMES * HOP / SAMPLE_RATE
AUDIO_LOADED = "return [...document.querySelectorAll('audio')].map(a => a.readyState >= 1 && !a.error ? a.duration : 0)"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    config = NetworkConfig(channels=8, hidden=16, stacks=2, dilations=(1, 2), gate=4, pooling_frames=13)
    run = make_run(config, folder)
    _, path = write_report(build_report(run.bundle, run.folder), run.folder, folder / "report")
    return path


@pytest.fixture(params=[1280, 390], ids=["laptop", "phone"])
def browser(request: pytest.FixtureRequest, page: Path, tmp_path: Path) -> Iterator[webdriver.Chrome]:
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
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


def test_page(browser: webdriver.Chrome) -> None:
    check_figures(browser)
    check_audio_and_cursor(browser)
    check_width(browser)
    assert [entry for entry in browser.get_log("browser") if entry["level"] != "INFO"] == []
    assert {url.split(":")[0] for url in requests(browser)} == {"file", "data"}


def check_figures(browser: webdriver.Chrome) -> None:
    """Two recordings, masks, MACs, layers, probes, cores, memory: each decoded, drawn, shown and described."""
    images = browser.execute_script(
        "return [...document.images].map(i => ({complete: i.complete, natural: i.naturalWidth,"
        " width: i.getBoundingClientRect().width, height: i.getBoundingClientRect().height, alt: i.alt}))"
    )
    assert len(images) == 8
    for image in images:
        assert image["complete"]
        assert image["natural"] > 0
        assert image["width"] > 300
        assert image["height"] > 60
        assert image["alt"]


def check_audio_and_cursor(browser: webdriver.Chrome) -> None:
    """Seeking one player moves the cursors and the other player."""
    assert browser.execute_script(AUDIO_LOADED) == [pytest.approx(SECONDS)] * 2
    browser.execute_script("document.querySelector('audio').currentTime = arguments[0]", SECONDS / 4)
    WebDriverWait(browser, 10).until(lambda d: position(d) == pytest.approx(0.25, abs=0.01))
    WebDriverWait(browser, 10).until(
        lambda d: (
            d.execute_script("return document.querySelectorAll('audio')[1].currentTime")
            == pytest.approx(SECONDS / 4, abs=0.02)
        )
    )
    cursors = browser.execute_script(
        "return [...document.querySelectorAll('.timeline')].map(t => {"
        " const c = t.querySelector('.cursor').getBoundingClientRect(), b = t.getBoundingClientRect();"
        " return [(c.left + c.width / 2 - b.left) / b.width, c.height] })"
    )
    assert len(cursors) == 5
    assert len({round(place, 2) for place, _ in cursors}) == 1
    assert all(0.1 < place < 0.5 and height > 50 for place, height in cursors)


def position(browser: webdriver.Chrome) -> float:
    value: str = browser.execute_script(
        "return getComputedStyle(document.documentElement).getPropertyValue('--position')"
    )
    return float(value or -1)


def check_width(browser: webdriver.Chrome) -> None:
    widths = browser.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]


def requests(browser: webdriver.Chrome) -> list[str]:
    """Every address that the page asked for, its own included; not those of the browser's start page."""
    messages: list[dict[str, Any]] = [
        json.loads(entry["message"])["message"] for entry in browser.get_log("performance")
    ]
    sent = [m["params"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return [p["request"]["url"] for p in sent if p["documentURL"] == browser.current_url]
