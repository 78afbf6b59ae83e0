# SPDX-License-Identifier: Apache-2.0
"""The training loop: batches in, checkpoint folder out, resumable at every epoch."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from dyncp.base.config import HOP, ByKind, Config, TrainingConfig
from dyncp.base.errors import CheckpointError, ConfigError
from dyncp.base.files import replace_file
from dyncp.train import processes
from dyncp.train.fitting.average import WeightAverage, renew_statistics
from dyncp.train.losses.auxiliary import MaskReadout, auxiliary_loss
from dyncp.train.losses.intelligibility import IntelligibilityLoss
from dyncp.train.losses.kinds import kind_loss, shares
from dyncp.train.losses.perceptual import PerceptualLoss
from dyncp.train.losses.spectral import level_spectra, spectral_loss, utilization_loss, waveform_loss
from dyncp.train.mixing.clips import Batch, Batches, Mixer, loader
from dyncp.train.network.banded import banded
from dyncp.train.network.checkpoint import SCALES, read_manifest, write_checkpoint
from dyncp.train.network.enhancer import Enhancer, Gate
from dyncp.train.network.narrow import narrowed
from dyncp.train.network.stft import analyse, features, scaled, synthesise

GRADIENT_NORM = 5.0
VALIDATION_BATCHES = 6
# Validation clips come from a seed that no training batch uses.
VALIDATION_SEED = 2**31
# Batches of training clips that averaged weights take their batch norm's statistics from.
STATISTICS_BATCHES = 8
STATISTICS_SEED = 2**31 + 1
RESUME = "resume.safetensors"


@dataclass(frozen=True)
class Progress:
    """What an observer is told after each step."""

    step: int
    steps: int
    epoch: int
    loss: float
    utilization: float
    target_utilization: float
    validation_loss: float | None = None
    validation_shares: ByKind | None = None
    """Utilization by kind of frame, where the targets are."""


Observer = Callable[[Progress], None]


def learning_rate(config: TrainingConfig, step: int) -> float:
    """Linear warm-up, then a cosine down to `final_learning_rate`."""
    steps = config.epochs * config.steps_per_epoch
    warmup = config.warmup * steps
    if step < warmup:
        return config.learning_rate * (step + 1) / (warmup + 1)
    phase = (step - warmup) / max(1.0, steps - warmup)
    swing = config.learning_rate - config.final_learning_rate
    return config.final_learning_rate + swing * 0.5 * (1 + math.cos(math.pi * phase))


def target_utilization(config: TrainingConfig, step: int, target: float | None = None) -> float:
    """From 1 linearly down to the target over the first `utilization_ramp` of all steps; None: that of all frames."""
    ramp = config.utilization_ramp * config.epochs * config.steps_per_epoch
    progress = 1.0 if ramp == 0 else min(1.0, step / ramp)
    return 1 + ((config.target_utilization if target is None else target) - 1) * progress


class Masking(nn.Module):
    """Features [B, F, T] → suppression mask [B, 257, T], gates [B, blocks, N, T]: what compilation covers."""

    def __init__(self, network: Enhancer) -> None:
        super().__init__()
        self.network = network

    def forward(self, magnitudes: Tensor) -> tuple[Tensor, Tensor]:
        output = self.network(magnitudes)
        return output.suppression, output.masks


class Trainer:
    """One run in one folder; `run` continues where the folder's last epoch ended.

    Where a launcher started several processes, each trains on its share of every batch and the first one writes.
    """

    scales: dict[str, float] | None = None
    """Of the integers that the network was trained through, where it was (export/integer_training/qat.py)."""

    def __init__(
        self,
        config: Config,
        train: Mixer,
        validation: Mixer,
        folder: Path,
        device: str = "cpu",
        compiled: bool = False,
    ) -> None:
        torch.manual_seed(config.training.seed)
        self.config, self.train, self.folder = config, train, folder
        self.device = torch.device(device)
        self.network = Enhancer(config.network).to(self.device)
        for module in self.network.modules():
            if isinstance(module, Gate):
                module.gradient = config.training.gate_gradient
        processes.share_norms(self.network)
        self.perceptual = PerceptualLoss(config.training.perceptual_compensation).to(self.device)
        self.intelligibility = IntelligibilityLoss().to(self.device)
        masking = self.masking()
        if compiled:
            masking.compile()
        self.forward = processes.share_gradients(masking)
        self.readout = self._readout()
        self.read = processes.share_gradients(self.readout) if self.readout else None
        self.optimizer = torch.optim.AdamW(
            [*self.network.parameters(), *(self.readout.parameters() if self.readout else ())],
            lr=config.training.learning_rate,
            weight_decay=config.training.weight_decay,
        )
        if config.training.by_kind and not (train.marks_speech and validation.marks_speech):
            raise ConfigError("training.speech_utilization: needs mixers that mark frames near speech")
        self.average = self._begin_average()
        self.share = processes.share(config.training.batch)
        self.validation = [validation.batch(self.share, (VALIDATION_SEED, i)) for i in range(VALIDATION_BATCHES)]
        self.epoch = 0
        self.validated_shares: ByKind | None = None

    def masking(self) -> nn.Module:
        """`inputs` → (suppression mask, gates), with the network's parameters."""
        return Masking(self.network)

    def inputs(self, noisy: Tensor, spectrum: Tensor) -> Tensor:
        """What the network sees of noisy audio [B, T · 256] and its spectrum [B, 257, T]: [B, F, T]."""
        return features(spectrum, self.config.network.bands)

    def _begin_average(self) -> WeightAverage | None:
        decay = self.config.training.average_decay
        return WeightAverage(self.network, decay) if decay else None

    def _readout(self) -> MaskReadout | None:
        """What joint training reads from the masks; None where the masks are trained for enhancement alone."""
        if self.config.training.auxiliary_weight == 0:
            return None
        if self.train.classes is None:
            raise ConfigError("training.auxiliary_weight: joint training needs a mixer with the classes of its sources")
        return MaskReadout(self.config.network, 1 + max(self.train.classes.categories)).to(self.device)

    def run(self, observer: Observer, workers: int = 1) -> None:
        """Train the remaining epochs; after each, validate, write the checkpoint and the resume file."""
        training = self.config.training
        steps = training.epochs * training.steps_per_epoch
        first = self.epoch * training.steps_per_epoch
        batches = loader(Batches(self.train, self.share, training.seed, first, steps), workers)
        folder = str(self.folder / "tensorboard")
        writer = SummaryWriter(folder, purge_step=first) if processes.is_first() else None
        for step, batch in enumerate(batches, start=first):
            loss, utilization = self.step(batch, step)
            validation_loss = None
            if (step + 1) % training.steps_per_epoch == 0:
                self.epoch += 1
                validation_loss = self._end_epoch(writer, step)
            if writer and step % 25 == 0:
                writer.add_scalar("train/loss", loss, step)
                writer.add_scalar("train/utilization", utilization, step)
            wanted = self._target_utilization(step)
            seen = self.validated_shares if validation_loss is not None else None
            observer(Progress(step + 1, steps, self.epoch, loss, utilization, wanted, validation_loss, seen))
        if writer:
            writer.close()

    def step(self, batch: Batch, step: int) -> tuple[float, float]:
        """One update; returns the whole batch's loss and utilization; `batch` is this process's share."""
        training = self.config.training
        self.network.train()
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(training, step)
        loss, masks = self.loss(batch)
        total = loss
        if self.config.network.gated:
            total = total + training.utilization_weight * self._utilization_loss(masks, batch, step)
        if self.read and batch.labels:
            auxiliary = auxiliary_loss(self.read(masks), batch.labels.to(self.device))
            total = total + training.auxiliary_weight * auxiliary
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), GRADIENT_NORM)
        self.optimizer.step()
        if self.average:
            self.average.update(step)
        utilization = masks.mean() if self.config.network.gated else torch.ones_like(loss)
        figures = processes.mean(torch.stack([loss.detach(), utilization.detach()]))
        return figures[0].item(), figures[1].item()

    def _utilization_loss(self, masks: Tensor, batch: Batch, step: int) -> Tensor:
        targets = self.config.training.by_kind
        if targets is None or batch.speech is None:
            return utilization_loss(masks, self._target_utilization(step))
        now = (self._target_utilization(step, target) for target in (targets.speech, targets.rest))
        return kind_loss(masks, batch.speech.to(self.device), ByKind(*now))

    def _target_utilization(self, step: int, target: float | None = None) -> float:
        """The schedule's, but never more than a cap lets through: wanting more would open gates for nothing."""
        network = self.config.network
        most = network.frame_limit / (network.blocks * network.gated) if network.gated else 1.0
        return min(target_utilization(self.config.training, step, target), most)

    def loss(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """(loss of the enhanced speech, masks) of a batch; the estimate is one hop late, so the target is shifted."""
        noisy, clean, level = (t.to(self.device) for t in (batch.noisy, batch.clean, batch.level))
        spectrum = analyse(noisy)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.training.precision == "bfloat16"):
            suppression, masks = self.forward(self.inputs(noisy, spectrum))
        estimate, target = synthesise(scaled(spectrum, suppression.float()))[:, HOP:], clean[:, :-HOP]
        heard, wanted = level_spectra(estimate, level), level_spectra(target, level)
        loss, training = spectral_loss(heard, wanted), self.config.training
        if training.perceptual_weight:
            loss = loss + training.perceptual_weight * self.perceptual(heard, wanted)
        if training.intelligibility_weight:
            loss = loss + training.intelligibility_weight * self.intelligibility(heard, wanted)
        if training.waveform_weight:
            loss = loss + training.waveform_weight * waveform_loss(estimate, target, noisy[:, :-HOP])
        return loss, masks.float()

    def _end_epoch(self, writer: SummaryWriter | None, step: int) -> float:
        with self.average.in_place() if self.average else nullcontext():
            if self.average and self.scales is None:
                renew_statistics(self.network, self._statistics_inputs)
            loss, utilization = self._validate()
            if writer is not None:
                self._log_validation(writer, step, loss, utilization)
                write_checkpoint(self.folder, self.network, self.config, self.epoch, utilization, loss, self.scales)
        if writer is not None:
            self._save_resume()
        return loss

    def _log_validation(self, writer: SummaryWriter, step: int, loss: float, utilization: list[float]) -> None:
        writer.add_scalar("validation/loss", loss, step)
        for block, share in enumerate(utilization):
            writer.add_scalar(f"utilization/block{block}", share, step)
        if self.validated_shares:
            writer.add_scalar("utilization/speech", self.validated_shares.speech, step)
            writer.add_scalar("utilization/rest", self.validated_shares.rest, step)

    @cached_property
    def _statistics_inputs(self) -> list[Tensor]:
        """Batches of training clips as the network sees them."""
        batches = (self.train.batch(self.share, (STATISTICS_SEED, i)) for i in range(STATISTICS_BATCHES))
        return [self.inputs(batch.noisy.to(self.device), analyse(batch.noisy.to(self.device))) for batch in batches]

    @torch.no_grad()
    def _validate(self) -> tuple[float, list[float]]:
        self.network.eval()
        losses, utilizations, kinds, frames = [], [], [], []
        for batch in self.validation:
            loss, masks = self.loss(batch)
            losses.append(loss)
            if self.config.network.gated:
                utilizations.append(masks.mean(dim=(0, 2, 3)))
                if batch.speech is not None:
                    share, count = shares(masks, batch.speech.to(self.device))
                    kinds.append(share * count)
                    frames.append(count)
        if kinds:
            self.validated_shares = ByKind(*(torch.stack(kinds).sum(0) / torch.stack(frames).sum(0)).tolist())
        utilization = processes.mean(torch.stack(utilizations).mean(0)).tolist() if utilizations else []
        return processes.mean(torch.stack(losses).mean()).item(), utilization

    def _save_resume(self) -> None:
        tensors = {f"network.{k}": v.cpu().contiguous() for k, v in self.network.state_dict().items()}
        if self.readout:
            tensors |= {f"readout.{k}": v.cpu().contiguous() for k, v in self.readout.state_dict().items()}
        if self.average:
            tensors |= {f"average.{k}": v.cpu().contiguous() for k, v in self.average.tensors.items()}
        for index, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{k}": v.cpu().contiguous() for k, v in moments.items()}
        metadata = {"epoch": str(self.epoch), "config": self.config.model_dump_json()}
        replace_file(self.folder / RESUME, safetensors.torch.save(tensors, metadata))

    def start_from(self, network: Enhancer) -> None:
        """Begin with a trained network's weights; gates, pooling and its length may differ, other shapes may not.

        Gates that the trained network lacks, or has of another shape, start anew: so a dense network becomes a dynamic
        one. Of more conv channels, those that carry most are kept; bins become bands. Raises CheckpointError where
        other shapes differ.
        """
        if network.config.bands is None and self.config.network.bands is not None:
            network = banded(network, self.config.network.bands)
        if network.config.hidden > self.config.network.hidden:
            network = narrowed(network, self.config.network.hidden)
        own = self.network.state_dict()
        weights = network.state_dict()
        fitting = {k: w for k, w in weights.items() if k in own and w.shape == own[k].shape}
        for name in own.keys() - fitting.keys() | weights.keys() - fitting.keys():
            if ".gate." not in name:
                raise CheckpointError(f"the network to start from does not fit the configuration: {name}")
        self.network.load_state_dict({**own, **fitting})
        self.average = self._begin_average()

    def resume(self) -> int:
        """Continue from the folder's last finished epoch; returns it. Raises CheckpointError if there is none."""
        path = self.folder / RESUME
        try:
            tensors = safetensors.torch.load_file(path)
            with safe_open(path, "pt") as file:
                metadata = file.metadata() or {}
            self.epoch = int(metadata["epoch"])
            config = Config.model_validate(json.loads(metadata["config"]))
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise CheckpointError(f"{path}: cannot be resumed from: {error}") from None
        if config != self.config:
            raise CheckpointError(
                f"{path}: was written with another configuration; resume with {self.folder}/config.toml"
            )
        if self.scales is None and SCALES in read_manifest(self.folder).files:
            raise CheckpointError(f"{self.folder}: was trained through its integers; resume with --integers")
        self.network.load_state_dict(_under("network.", tensors))
        if self.readout:
            self.readout.load_state_dict(_under("readout.", tensors))
        if self.average:
            self.average.load(_under("average.", tensors))
        state = self.optimizer.state_dict()
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _under("optimizer.", tensors).items():
            index, key = name.split(".")
            moments.setdefault(int(index), {})[key] = tensor
        self.optimizer.load_state_dict({**state, "state": moments})
        return self.epoch


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
