# SPDX-License-Identifier: Apache-2.0
"""Named integer arrays: their layout checked, their bytes, the hash of those."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from dyncp.base.errors import BundleError, DyncpError
from dyncp.export.formats.layout import Layout

Tensors = dict[str, NDArray[np.integer[Any]]]


def check_tensors(tensors: Tensors, expected: Layout, source: str) -> None:
    """Raises BundleError, naming `source`, for a missing or unknown name, a wrong dtype or shape."""
    for name in sorted(expected.keys() - tensors.keys()):
        raise BundleError(f"{source}: {name} is missing; export again")
    for name in sorted(tensors.keys() - expected.keys()):
        raise BundleError(f"{source}: unknown tensor {name}; export again with this version of dyncp")
    for name, (dtype, shape) in expected.items():
        tensor = tensors[name]
        if tensor.dtype != np.dtype(dtype) or tensor.shape != shape:
            raise BundleError(
                f"{source}: {name} is {tensor.dtype} {list(tensor.shape)}, expected {dtype} {list(shape)}"
            )


def serialize(tensors: Tensors) -> bytes:
    """A safetensors file; the same tensors give the same bytes."""
    return safetensors.numpy.save({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()})


def deserialize(data: bytes, source: str, error: type[DyncpError] = BundleError) -> dict[str, NDArray[Any]]:
    """The inverse of `serialize`. Raises `error`, naming `source`, for what is no safetensors file of NumPy's types."""
    try:
        return dict(safetensors.numpy.load(data))
    except KeyError as fault:
        raise error(f"{source}: holds a tensor of the type {fault.args[0]}, which is not read") from None
    except (SafetensorError, ValueError, TypeError, AttributeError) as fault:
        raise error(f"{source}: not a safetensors file: {fault}") from None


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
