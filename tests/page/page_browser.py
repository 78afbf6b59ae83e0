# SPDX-License-Identifier: Apache-2.0
"""Chromium with a microphone that plays a file, and what tests ask of a page in it."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from chromium import CHROMIUM
from numpy.typing import NDArray
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

FLAGS = (*CHROMIUM, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")

# Renders what is heard, faster than it sounds: `source` through network 0; `before` is asked of the worklet at the
# start, `after` at that second.
RENDER = """
const [source, before, at, after, done] = arguments;
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
(async () => {
  const { networks } = JSON.parse(document.getElementById("page-data").textContent);
  for (const each of networks) each.bytes = Uint8Array.from(atob(each.bytes), (c) => c.charCodeAt(0));
  const context = new OfflineAudioContext(1, source.length + 1024, 16000);
  const text = document.getElementById("worklet").textContent;
  await context.audioWorklet.addModule(`data:text/javascript,${encodeURIComponent(text)}`);
  const settings = { limit: 97, strength: 100, bypass: false };
  const node = new AudioWorkletNode(context, "enhancer", { processorOptions: { networks, settings } });
  node.connect(context.destination);
  for (const message of before) node.port.postMessage(message);
  node.port.postMessage(["start", 1, Int16Array.from(source), [0]]);
  await wait(200);
  context.suspend(at).then(async () => {
    for (const message of after) node.port.postMessage(message);
    await wait(200);
    context.resume();
  });
  const buffer = await context.startRendering();
  done(Array.from(buffer.getChannelData(0), (value) => value * 32768));
})().catch((error) => done(String(error)));
"""


class Page:
    """An open page."""

    def __init__(self, driver: webdriver.Chrome, downloads: Path) -> None:
        self.driver, self._downloads = driver, downloads

    def script(self, text: str, *arguments: object) -> Any:
        return self.driver.execute_script(text, *arguments)

    def click(self, selector: str) -> None:
        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def text(self, selector: str) -> str:
        return str(self.script("return document.querySelector(arguments[0]).textContent", selector))

    def until(self, selector: str, part: str, seconds: float = 40) -> None:
        WebDriverWait(self.driver, seconds, 0.1).until(lambda _: part in self.text(selector), f"{selector}: {part}")

    def slide(self, name: str, value: int) -> None:
        moved = "const i = document.getElementById(arguments[0]); i.value = arguments[1];"
        self.script(f"{moved} i.dispatchEvent(new Event('input'))", name, value)

    def drop(self, file: Path) -> None:
        """As from a file manager."""
        dropped = (
            "const bytes = Uint8Array.from(atob(arguments[0]), (c) => c.charCodeAt(0)), data = new DataTransfer();"
            "data.items.add(new File([bytes], arguments[1]));"
            "document.body.dispatchEvent(new DragEvent('drop', {bubbles: true, dataTransfer: data}))"
        )
        self.script(dropped, b64encode(file.read_bytes()).decode(), file.name)

    def render(self, source: NDArray[np.int16], before: list[object], at: float, after: list[object]) -> NDArray[Any]:
        """What is heard of it, in units of int16."""
        self.driver.set_script_timeout(30)
        heard = self.driver.execute_async_script(RENDER, source.tolist(), before, at, after)
        assert isinstance(heard, list), heard
        return np.array(heard)

    def saved(self, selector: str, name: str) -> Path:
        """The file that a button saves."""
        path = self._downloads / name
        path.unlink(missing_ok=True)
        self.script("document.querySelector(arguments[0]).click()", selector)
        WebDriverWait(self.driver, 20, 0.05).until(lambda _: path.is_file() and path.stat().st_size > 0)
        return path

    def pixels(self, selector: str, columns: int = 0) -> NDArray[np.uint8]:
        """A byte of each pixel's colour, [height, width], of the newest columns of a canvas, or of all."""
        height, width, text = self.script(
            "const c = document.querySelector(arguments[0]), width = arguments[1] || c.width;"
            "const { data } = c.getContext('2d').getImageData(c.width - width, 0, width, c.height);"
            "let text = '';"
            "for (let n = 0; n < data.length; n += 4)"
            " text += String.fromCharCode((data[n] + 3 * data[n + 1] + 5 * data[n + 2] + 7 * data[n + 3]) & 255);"
            "return [c.height, width, btoa(text)]",
            selector,
            columns,
        )
        return np.frombuffer(b64decode(text), np.uint8).reshape(height, width)

    def set_screen(self, width: int, scheme: str) -> None:
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)

    def requests(self) -> list[str]:
        """Every address that the page asked for, its own included."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [each["params"] for each in messages if each["method"] == "Network.requestWillBeSent"]
        return [each["request"]["url"] for each in sent if each["documentURL"] == self.driver.current_url]


@contextmanager
def opened(page: Path, microphone: Path, work: Path) -> Iterator[Page]:
    """`microphone`: the WAV that it plays, again and again."""
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*FLAGS, f"--use-file-for-fake-audio-capture={microphone}", f"--user-data-dir={work / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        downloads = work / "downloads"
        downloads.mkdir()
        driver.execute_cdp_cmd(
            "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads.absolute())}
        )
        driver.get(page.absolute().as_uri())
        yield Page(driver, downloads)
    finally:
        driver.quit()
