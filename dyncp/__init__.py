# SPDX-License-Identifier: Apache-2.0
"""dyncp: speech enhancement with dynamic channel pruning, from training to bit-exact C.

    net = dyncp.load("small")
    out = net.enhance(x, rate)

docs/python.md describes the API. Importing the package loads nothing heavy: `load` and `MaskProbe` do when called.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal

from dyncp.base.version import __version__ as __version__

if TYPE_CHECKING:
    from dyncp.api.network import Network as Network
    from dyncp.api.probe import MaskProbe as MaskProbe
    from dyncp.api.result import Result as Result
    from dyncp.api.signals import Signal as Signal
    from dyncp.api.signals import Signals as Signals
    from dyncp.api.stream import Stream as Stream

_WHERE = {
    "Network": "network",
    "Result": "result",
    "Signal": "signals",
    "Signals": "signals",
    "Stream": "stream",
    "MaskProbe": "probe",
}

__all__ = ["MaskProbe", "Network", "Result", "Signal", "Signals", "Stream", "__version__", "load", "networks"]


def load(network: str | os.PathLike[str], engine: Literal["c", "numpy"] | None = None) -> Network:
    """A shipped network by its name (`networks` lists them), or the bundle in a folder.

    `engine` is what computes: `c`, the generated library, or `numpy`, the reference; both give the same bits. By
    default it is C where a compiler is found. Raises BundleError where there is no such network.
    """
    from dyncp.api import network as api

    return api.load(network, engine)


def networks() -> list[str]:
    """Names of the networks that the package brings."""
    from dyncp.base.paths import shipped_networks

    return shipped_networks()


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'dyncp' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"dyncp.api.{_WHERE[name]}"), name)
