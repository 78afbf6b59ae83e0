# SPDX-License-Identifier: Apache-2.0
"""Files of installed packages, without importing them: some of them would first ask for a web server or a GPU."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from dyncp.base.errors import DyncpError


class MissingPeerError(DyncpError):
    """A peer whose package is not installed or does not work here; the message says what to do about it."""


def package_folder(package: str, remedy: str) -> Path:
    """Where an installed package lies. Raises MissingPeerError with `remedy`."""
    try:
        spec = find_spec(package)
    except ModuleNotFoundError:
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise MissingPeerError(remedy)
    return Path(spec.submodule_search_locations[0])


def package_file(package: str, name: str, remedy: str) -> Path:
    """A file of a package. Raises MissingPeerError with `remedy` where the package or the file is not there."""
    path = package_folder(package, remedy) / name
    if not path.is_file():
        raise MissingPeerError(f"its package holds no {name}; {remedy}")
    return path
