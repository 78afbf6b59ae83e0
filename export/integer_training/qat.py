# SPDX-License-Identifier: Apache-2.0
"""Quantization-aware training: `Trainer`, with the device's integers in the place of the float network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from dyncp.base.config.experiment import Config
from dyncp.base.errors import CheckpointError, QuantizationError
from dyncp.export.integer_training.integer_network import IntegerNetwork, integer_features
from dyncp.export.quantization.fold import fold_network
from dyncp.export.quantization.quantize import scales_for
from dyncp.export.transforms.frontend import feature_thresholds
from dyncp.train.fitting.divergence import diverged
from dyncp.train.fitting.trainer import Trainer
from dyncp.train.mixing.clips import Batch, Mixer
from dyncp.train.network.checkpoint import load_checkpoint
from dyncp.train.network.enhancer import Enhancer


class IntegerTrainer(Trainer):
    """Trains `start` on through its integers. Their scales come from `calibration`, noisy int16 PCM, and stay."""

    def __init__(
        self,
        config: Config,
        train: Mixer,
        validation: Mixer,
        folder: Path,
        start: Enhancer,
        calibration: Sequence[NDArray[np.int16]],
        device: str = "cpu",
    ) -> None:
        super().__init__(config, train, validation, folder, device)
        self.start_from(start)
        # Of the network that is trained: `start` may be wider, or pool over another length.
        self._measure_with(scales_for(fold_network(self.network, ""), calibration))

    def masking(self) -> nn.Module:
        self.integers = IntegerNetwork(self.network, {})
        return self.integers

    def _measure_with(self, scales: dict[str, float]) -> None:
        self.scales = self.integers.scales = scales
        self.thresholds = feature_thresholds(scales["features"], self.framing.fft)

    def inputs(self, noisy: Tensor, spectrum: Tensor) -> Tensor:
        pcm = (noisy.cpu() * 32768).round().clamp(-32768, 32767).to(torch.int16)
        found = integer_features(pcm.numpy(), self.thresholds, self.framing, self.config.network.bands)
        return torch.from_numpy(found).to(self.device)

    def step(self, batch: Batch, step: int) -> tuple[float, float]:
        with self._within_scales(step, batch):
            return super().step(batch, step)

    def _end_epoch(self, writer: SummaryWriter | None, step: int) -> float:
        with self._within_scales(step):
            return super()._end_epoch(writer, step)

    @contextmanager
    def _within_scales(self, step: int, batch: Batch | None = None) -> Iterator[None]:
        """Weights that grow beyond what the scales hold are this training's way to diverge."""
        try:
            yield
        except QuantizationError as error:
            raise diverged(
                f"the integers hold the weights no more ({error})", self.config.training, step, self.folder, batch
            ) from None

    def resume(self, other_epochs: bool = False) -> int:
        """As `Trainer.resume`, with the scales of the checkpoint."""
        scales = load_checkpoint(self.folder).scales
        if scales is None:
            raise CheckpointError(f"{self.folder}: was not trained through its integers; leave out --integers")
        self._measure_with(scales)
        return super().resume(other_epochs)
