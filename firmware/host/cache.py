# SPDX-License-Identifier: Apache-2.0
"""Where builds for the host are kept from one run to the next."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from dyncp.base.errors import OutputError
from dyncp.base.files.outputs import check_folder_output

log = logging.getLogger(__name__)


def cache_folder() -> Path:
    """$XDG_CACHE_HOME/dyncp/host, by default in ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dyncp" / "host"


def usable_cache() -> Path | None:
    """None, and a warning, where nothing can be kept: what is built then has to lie elsewhere."""
    try:
        folder = cache_folder()
        check_folder_output(folder, (), lambda _: True)
        folder.mkdir(parents=True, exist_ok=True)
    except (OutputError, OSError, RuntimeError) as error:
        log.warning("the library is compiled each time, for its build cannot be kept: %s", error)
        return None
    return folder
