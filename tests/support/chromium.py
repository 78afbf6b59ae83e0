# SPDX-License-Identifier: Apache-2.0
"""How tests start a browser: unseen, and asking the network for nothing of its own."""

from __future__ import annotations

CHROMIUM = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
