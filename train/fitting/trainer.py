# SPDX-License-Identifier: Apache-2.0
"""The training loop: batches in, checkpoint folder out, resumable at every epoch."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from dyncp.base.config.experiment import Config, with_epochs
from dyncp.base.config.training import ByKind
from dyncp.base.errors import CheckpointError, ConfigError
from dyncp.train import processes
from dyncp.train.finishing.leaning import leaning
from dyncp.train.fitting.average import WeightAverage, renew_statistics
from dyncp.train.fitting.course import Course
from dyncp.train.fitting.divergence import largest, stop_unless_finite
from dyncp.train.fitting.gating import Gating, Masking
from dyncp.train.fitting.moments import load_moments, named_moments
from dyncp.train.fitting.progress import Observer as Observer
from dyncp.train.fitting.progress import Progress as Progress
from dyncp.train.fitting.schedule import groups_by_rate, has_settled, learning_rate, target_utilization
from dyncp.train.fitting.teacher import Teacher
from dyncp.train.fitting.validation import Validated, validated
from dyncp.train.losses.auxiliary import MaskReadout, auxiliary_loss
from dyncp.train.losses.detection import DetectionReadout, detection_loss
from dyncp.train.losses.intelligibility import IntelligibilityLoss
from dyncp.train.losses.kinds import block_work, frame_loss, kind_loss, work
from dyncp.train.losses.perceptual import PerceptualLoss
from dyncp.train.losses.spectral import level_spectra, spectral_loss, utilization_loss, waveform_loss
from dyncp.train.mixing.clips import Batch, Batches, Mixer, loader
from dyncp.train.network.checkpoint import SCALES, read_manifest, write_checkpoint
from dyncp.train.network.enhancer import Enhancer
from dyncp.train.network.resume_file import RESUME, Resumable, read_resume, write_resume
from dyncp.train.network.starting import start_weights
from dyncp.train.network.stft import analyse, features, scaled, synthesise

GRADIENT_NORM = 5.0
VALIDATION_BATCHES = 6
# Validation clips come from a seed that no training batch uses.
VALIDATION_SEED = 2**31
# Batches of training clips that averaged weights take their batch norm's statistics from.
STATISTICS_BATCHES = 8
STATISTICS_SEED = 2**31 + 1
# Of each step, in the order in which a divergence shows: what must be finite.
WATCHED = ("the loss", "the norm of the gradient", "the largest weight")


class Trainer:
    """One run in one folder; `run` continues where the folder's last epoch ended.

    Where a launcher started several processes, each trains on its share of every batch and the first one writes.
    """

    scales: dict[str, float] | None = None
    """Of the integers that the network was trained through, where it was (export/integer_training/qat.py)."""
    teacher: Teacher | None = None
    """Whose estimates are part of the target; needed where `training.teacher_weight` is not 0."""

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
        self.framing = config.network.framing
        self.device = torch.device(device)
        self.network = Enhancer(config.network).to(self.device)
        for gate in self.network.gates:
            gate.gradient = config.training.gate_gradient
            if config.training.nested_widths:
                gate.spread()
        self._constrain_gates()
        processes.share_norms(self.network)
        self.perceptual = PerceptualLoss(config.training.perceptual_compensation, self.framing).to(self.device)
        self.intelligibility = IntelligibilityLoss(self.framing).to(self.device)
        masking = self.masking()
        if compiled:
            masking.compile()
        self.forward = processes.share_gradients(masking)
        self.readout = self._readout()
        self.read = processes.share_gradients(self.readout) if self.readout else None
        self.detection = self._detection()
        self.detect = processes.share_gradients(self.detection) if self.detection else None
        self.optimizer = torch.optim.AdamW(
            groups_by_rate(self._learned, self._of_gates, config.training.gate_rate),
            lr=config.training.learning_rate,
            weight_decay=config.training.weight_decay,
        )
        if config.training.by_kind and None in (train.speech_below, validation.speech_below):
            raise ConfigError("training.speech_utilization: needs mixers that mark frames near speech")
        self.average = self._begin_average()
        self.share = processes.share(config.training.batch)
        self.validation = [validation.batch(self.share, (VALIDATION_SEED, i)) for i in range(VALIDATION_BATCHES)]
        self.epoch = 0
        self.course = Course(config.training)
        self.validated_shares: ByKind | None = None

    def masking(self) -> nn.Module:
        """`inputs` → what `Masking` gives, with the network's parameters."""
        return Masking(self.network)

    def inputs(self, noisy: Tensor, spectrum: Tensor) -> Tensor:
        """What the network sees of noisy audio [B, T · hop] and its spectrum [B, bins, T]: [B, F, T]."""
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

    def _detection(self) -> DetectionReadout | None:
        """What asks the gates' values for speech; None where nothing does."""
        network = self.config.network
        return (
            DetectionReadout(network).to(self.device)
            if network.gated and self.config.training.detection_weight
            else None
        )

    @property
    def stopped_early(self) -> bool:
        """Whether `training.patience` is at an end."""
        return self.course.is_over(self.epoch)

    def run(self, observer: Observer, workers: int = 1) -> None:
        """Train the remaining epochs; after each, validate, write the checkpoint and the resume file.

        Raises DivergenceError at the first number that is not finite: the files stay those of the last epoch, and this
        trainer is of no more use. Raises ConfigError where a teacher is asked for and none is there.
        """
        if self.config.training.teacher_weight and self.teacher is None:
            raise ConfigError("training.teacher_weight: give the teacher's file to dyncp train as --teacher")
        if self.stopped_early:
            return
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
            if validation_loss is not None and self.stopped_early:
                break
        if writer:
            writer.close()

    def learn_from(self, teacher: Path) -> None:
        """Load the teacher. Raises ConfigError for a file that cannot be one, or where none is asked for."""
        weight = self.config.training.teacher_weight
        if weight == 0:
            raise ConfigError(
                "training.teacher_weight: is 0, so that a teacher would go unheard; set it, or leave it out"
            )
        self.teacher = Teacher(teacher, weight, len(self.share), self.train.samples, self.device)

    def step(self, batch: Batch, step: int) -> tuple[float, float]:
        """One update; returns the whole batch's loss and utilization; `batch` is this process's share."""
        training = self.config.training
        self.network.train()
        for group in self.optimizer.param_groups:
            group["lr"] = group["factor"] * learning_rate(training, step)
        aim = batch if self.teacher is None else replace(batch, clean=self.teacher.target(batch))
        loss, gating = self.loss(aim)
        masks, total = gating.masks, loss
        if self.config.network.gated:
            total = total + training.utilization_weight * self._utilization_loss(masks, batch, step)
        if self.read and batch.labels:
            auxiliary = auxiliary_loss(self.read(gating.told), batch.labels.to(self.device))
            total = total + training.auxiliary_weight * auxiliary
        if self.detect and batch.speech is not None:
            words, speech = self.detect(gating.values), batch.speech.to(self.device)
            total = total + training.detection_weight * detection_loss(words, speech, self.config.network.gate_period)
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        norm = self._clip_gradient()
        self.optimizer.step()
        self._constrain_gates()
        if self.average:
            self.average.update(step)
        utilization = masks.mean() if self.config.network.gated else torch.ones_like(loss)
        shown = [loss.detach(), utilization.detach(), total.detach(), norm, largest(self._learned)]
        figures = processes.mean(torch.stack(shown)).tolist()
        self._stop_unless_finite(dict(zip(WATCHED, figures[2:], strict=True)), step, batch)
        return figures[0], figures[1]

    def _constrain_gates(self) -> None:
        """What holds of the gates' weights before and after every step."""
        self.network.keep_open(self.config.open_channels)
        if self.config.training.nested_widths:
            self.network.nest(self.config.open_channels)

    def _clip_gradient(self) -> Tensor:
        """The network's to `GRADIENT_NORM` at most; returns what the norm was, the readouts' included."""
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), GRADIENT_NORM)
        read = [p.grad for readout in self._readouts for p in readout.parameters() if p.grad is not None]
        return torch.hypot(norm, torch.nn.utils.get_total_norm(read)) if read else norm

    @property
    def _learned(self) -> list[Tensor]:
        return [p for module in (self.network, *self._readouts) for p in module.parameters()]

    @property
    def _of_gates(self) -> list[Tensor]:
        """Of what is learned: that which decides, and what is read from it."""
        modules = [*self.network.gates, *([self.detection] if self.detection else [])]
        return [p for module in modules for p in module.parameters()]

    @property
    def _readouts(self) -> list[nn.Module]:
        return [readout for readout in (self.readout, self.detection) if readout]

    def _utilization_loss(self, masks: Tensor, batch: Batch, step: int) -> Tensor:
        training, targets = self.config.training, self.config.training.by_kind
        if targets is None or batch.speech is None:
            return utilization_loss(masks, self._target_utilization(step))
        now = ByKind(*(self._target_utilization(step, target) for target in (targets.speech, targets.rest)))
        speech = batch.speech.to(self.device)
        if training.utilization_by == "kind":
            return kind_loss(work(masks, training.block_price), speech, now)
        measure = block_work if training.utilization_by == "block" else work
        return frame_loss(measure(masks, training.block_price), speech, now, training.speech_weight)

    def _target_utilization(self, step: int, target: float | None = None) -> float:
        """The schedule's, but never more than a cap lets through: wanting more would open gates for nothing."""
        network = self.config.network
        most = network.frame_limit / (network.blocks * network.gated) if network.gated else 1.0
        return min(target_utilization(self.config.training, step, target), most)

    def loss(self, batch: Batch) -> tuple[Tensor, Gating]:
        """Loss of the enhanced speech of a batch, and what the gates did.

        The estimate is late, so the target is shifted.
        """
        noisy, clean, level = (t.to(self.device) for t in (batch.noisy, batch.clean, batch.level))
        spectrum, delay = analyse(noisy, self.framing), self.framing.delay
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.training.precision == "bfloat16"):
            suppression, masks, told, values = self.forward(self.inputs(noisy, spectrum))
        estimate = synthesise(scaled(spectrum, suppression.float()), self.framing)[:, delay:]
        target = clean[:, :-delay]
        heard, wanted = (level_spectra(signal, level, self.framing) for signal in (estimate, target))
        loss, training = spectral_loss(heard, wanted), self.config.training
        if training.perceptual_weight:
            loss = loss + training.perceptual_weight * self.perceptual(heard, wanted)
        if training.intelligibility_weight:
            loss = loss + training.intelligibility_weight * self.intelligibility(heard, wanted)
        if training.waveform_weight:
            loss = loss + training.waveform_weight * waveform_loss(estimate, target, noisy[:, :-delay])
        return loss, Gating(masks.float(), told.float(), [value.float() for value in values])

    def _end_epoch(self, writer: SummaryWriter | None, step: int) -> float:
        self._stop_unless_finite({"the largest of what is resumed from": largest(self._tensors().values())}, step)
        with self.average.in_place() if self.average else nullcontext():
            if self.average and self.scales is None:
                renew_statistics(self.network, self._statistics_inputs)
            with self._leaning() if self.config.training.lean else nullcontext():
                found = self._validate_and_write(writer, step)
        if writer is not None:
            write_resume(self.folder, Resumable(self.epoch, self.config, self._tensors(), self.course.best))
        self.validated_shares = found.shares
        return found.loss

    def _leaning(self) -> AbstractContextManager[None]:
        lean = self.config.training.lean
        return leaning(self.network, lean, lambda inputs: self.forward(inputs)[1].float(), self._statistics_inputs)

    def _validate_and_write(self, writer: SummaryWriter | None, step: int) -> Validated:
        """Of the network as it is; the checkpoint, where this epoch's is wanted."""
        found = self.validate(step)
        written = largest(self.network.state_dict().values())
        self._stop_unless_finite({"the validation loss": found.objective}, step)
        self._stop_unless_finite({"the largest weight or statistic to write": written}, step)
        best = self.course.note(self.epoch, found.objective, has_settled(self.config.training, step))
        if writer is not None:
            found.log(writer, step)
            if best:
                figures = self.epoch, found.utilization, found.loss
                write_checkpoint(self.folder, self.network, self.config, *figures, self.scales)
        return found

    def validate(self, step: int) -> Validated:
        """On the validation clips, with the targets of `step`."""

        def utilization(masks: Tensor, batch: Batch) -> Tensor:
            return self.config.training.utilization_weight * self._utilization_loss(masks, batch, step)

        def measure(batch: Batch) -> tuple[Tensor, Tensor]:
            loss, gating = self.loss(batch)
            return loss, gating.masks

        self.network.eval()
        return validated(self.validation, measure, utilization if self.config.network.gated else None)

    def _stop_unless_finite(self, watched: Mapping[str, float | Tensor], step: int, batch: Batch | None = None) -> None:
        """Raises DivergenceError. What an epoch leaves is watched before any of it is written, in every process."""
        figures = {name: float(value) for name, value in watched.items()}
        stop_unless_finite(figures, self.config.training, step, self.folder, batch)

    @cached_property
    def _statistics_inputs(self) -> list[Tensor]:
        """Batches of training clips as the network sees them."""
        batches = (self.train.batch(self.share, (STATISTICS_SEED, i)) for i in range(STATISTICS_BATCHES))
        noisy = [batch.noisy.to(self.device) for batch in batches]
        return [self.inputs(signal, analyse(signal, self.framing)) for signal in noisy]

    def _tensors(self) -> dict[str, Tensor]:
        """All that a training goes on with."""
        tensors = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        if self.readout:
            tensors |= {f"readout.{k}": v for k, v in self.readout.state_dict().items()}
        if self.detection:
            tensors |= {f"detection.{k}": v for k, v in self.detection.state_dict().items()}
        if self.average:
            tensors |= {f"average.{k}": v for k, v in self.average.tensors.items()}
        return tensors | {f"optimizer.{k}": v for k, v in named_moments(self.optimizer).items()}

    def start_from(self, network: Enhancer) -> None:
        """Begin with a trained network's weights (train/network/starting.py). Raises CheckpointError if none fit."""
        ordered = any(self.config.open_channels) or self.config.training.nested_widths
        self.network.load_state_dict(start_weights(network, self.network, strongest_first=ordered))
        self._constrain_gates()
        self.average = self._begin_average()

    def resume(self, other_epochs: bool = False) -> int:
        """Continue from the folder's last finished epoch; returns it. Raises CheckpointError if there is none.

        With `other_epochs`, `training.epochs` may differ from what it was, and what goes by the share of all steps
        (learning rate, ramp of the utilization) continues as if the run had had so many from the start.
        """
        found, path = read_resume(self.folder), self.folder / RESUME
        before = with_epochs(found.config, self.config.training.epochs) if other_epochs else found.config
        if before != self.config:
            raise CheckpointError(
                f"{path}: was written with another configuration; resume with {self.folder}/config.toml"
            )
        if found.epoch > self.config.training.epochs:
            raise CheckpointError(f"{path}: {found.epoch} epochs are finished already; ask for more")
        if self.scales is None and SCALES in read_manifest(self.folder).files:
            raise CheckpointError(f"{self.folder}: was trained through its integers; resume with --integers")
        self.epoch = found.epoch
        settled = has_settled(self.config.training, self.epoch * self.config.training.steps_per_epoch - 1)
        self.course = Course(self.config.training, found.best if settled else None)
        try:
            self.network.load_state_dict(found.under("network."))
            if self.readout:
                self.readout.load_state_dict(found.under("readout."))
            if self.detection:
                self.detection.load_state_dict(found.under("detection."))
            if self.average:
                self.average.load(found.under("average."))
            load_moments(self.optimizer, found.under("optimizer."))
        except (RuntimeError, KeyError, ValueError) as error:
            raise CheckpointError(f"{path}: does not fit its own configuration: {error}") from None
        return self.epoch
