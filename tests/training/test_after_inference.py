# SPDX-License-Identifier: Apache-2.0
"""A process that has enhanced something can train afterwards: what the front end keeps has gradients all the same."""

from __future__ import annotations

import torch

from dyncp.base.config.framing import Framing
from dyncp.train.network import stft


def test_gradients_flow_through_windows_first_used_under_inference() -> None:
    framing = Framing(hop=96, analysis=192, synthesis=192, fft=256)  # of no other test: its windows are made here
    signal = torch.rand(1, 10 * framing.hop) - 0.5
    with torch.inference_mode():
        silent = stft.analyse(signal, framing)
        stft.synthesise(silent, framing)
    signal.requires_grad_()
    heard = stft.synthesise(stft.analyse(signal, framing), framing)
    heard.square().sum().backward()  # type: ignore[no-untyped-call]
    assert signal.grad is not None
    assert bool(signal.grad.abs().max() > 0)
