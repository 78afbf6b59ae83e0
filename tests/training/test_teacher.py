# SPDX-License-Identifier: Apache-2.0
"""A teacher's estimate becomes part of the target, where it is worth learning; what is no teacher is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from command import dyncp
from experiments import short
from sounds import small_corpus
from torch import Tensor, nn

from dyncp.base.config.experiment import load_config
from dyncp.base.errors import ConfigError
from dyncp.export.integer_training.qat import IntegerTrainer
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.fitting.teacher import Teacher
from dyncp.train.fitting.trainer import Trainer
from dyncp.train.mixing.clips import Batch
from dyncp.train.mixing.mixers import load_mixers
from dyncp.train.network.checkpoint import load_checkpoint

TEXT = short(2, 2)
CLIPS, SAMPLES = 4, 800


class Answers(nn.Module):
    """A teacher that answers by a function of what it hears."""

    def __init__(self, answer: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, noisy: Tensor) -> Tensor:
        return self.answer(noisy)


def written(path: Path, answer: Callable[[Tensor], Tensor], samples: int = SAMPLES, any_count: bool = True) -> Path:
    shapes = ({0: torch.export.Dim.DYNAMIC},) if any_count else None
    torch.export.save(torch.export.export(Answers(answer), (torch.rand(2, samples),), dynamic_shapes=shapes), path)
    return path


def batch() -> Batch:
    """Three clips of speech, and one of noise alone."""
    torch.manual_seed(1)
    clean = 0.1 * torch.randn(CLIPS, SAMPLES)
    clean[2] *= 0.2
    clean[3] = 0
    return Batch(clean + 0.01 * torch.randn(CLIPS, SAMPLES), clean, torch.tensor([0.1, 0.1, 0.02, 0.1]))


def teacher(folder: Path, answer: Callable[[Tensor], Tensor], weight: float = 0.5) -> Teacher:
    return Teacher(written(folder / "teacher.pt2", answer), weight, CLIPS, SAMPLES, torch.device("cpu"))


def test_the_target_lies_between_clean_speech_and_the_estimate(tmp_path: Path) -> None:
    heard = batch()
    target = teacher(tmp_path, lambda noisy: 0.9 * noisy, weight=0.25).target(heard)
    torch.testing.assert_close(target[:3], 0.75 * heard.clean[:3] + 0.25 * 0.9 * heard.noisy[:3])


def test_noise_alone_has_silence_for_a_target(tmp_path: Path) -> None:
    assert not teacher(tmp_path, lambda noisy: noisy).target(batch())[3].any()


def test_an_estimate_that_is_worse_than_silence_is_not_learned(tmp_path: Path) -> None:
    heard = batch()
    torch.testing.assert_close(teacher(tmp_path, lambda noisy: -noisy).target(heard), heard.clean)


def test_a_teacher_hears_speech_at_26_db_below_full_scale(tmp_path: Path) -> None:
    """An answer that goes with the square of what is heard tells at which level that was."""
    heard = batch()
    gain = 10 ** (-26 / 20) / heard.level[:, None]
    target = teacher(tmp_path, lambda noisy: 8 * noisy * noisy.abs(), weight=1.0).target(heard)
    torch.testing.assert_close(target[:3], (8 * gain * heard.noisy * heard.noisy.abs())[:3])


@pytest.mark.parametrize(
    ("answer", "any_count", "message"),
    [
        (lambda noisy: noisy[:, 1:], True, "makes .4, 799. of .4, 800. samples"),
        (lambda noisy: noisy, False, "does not take a batch of 4 × 800 samples"),
    ],
)
def test_a_program_of_other_shapes_is_refused(
    tmp_path: Path, answer: Callable[[Tensor], Tensor], any_count: bool, message: str
) -> None:
    path = written(tmp_path / "other.pt2", answer, any_count=any_count)
    with pytest.raises(ConfigError, match=message):
        Teacher(path, 0.5, CLIPS, SAMPLES, torch.device("cpu"))


def test_a_file_that_is_no_program_is_refused(tmp_path: Path) -> None:
    (tmp_path / "noise.pt2").write_bytes(bytes(range(256)) * 9)
    (tmp_path / "empty.pt2").write_bytes(b"")
    torch.save({"weight": torch.zeros(3)}, tmp_path / "weights.pt2")
    for name in ("noise", "empty", "weights"):
        with pytest.raises(ConfigError, match=r"is no program of torch\.export"):
            Teacher(tmp_path / f"{name}.pt2", 0.5, CLIPS, SAMPLES, torch.device("cpu"))
    with pytest.raises(ConfigError, match="there is no such file"):
        Teacher(tmp_path / "missing.pt2", 0.5, CLIPS, SAMPLES, torch.device("cpu"))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_corpus(tmp_path_factory.mktemp("teacher") / "corpus")


def trainer(folder: Path, corpus: Path, weight: float) -> Trainer:
    config = folder / "config.toml"
    config.write_text(f"{TEXT}teacher_weight = {weight}\n")
    settings = load_config(config)
    return Trainer(settings, *load_mixers(load_corpus([corpus]), settings), folder / "out", "cpu")


def test_training_follows_its_teacher(tmp_path: Path, corpus: Path) -> None:
    found = {}
    for name, weight in (("alone", 0.0), ("taught", 0.5)):
        (tmp_path / name).mkdir()
        run = trainer(tmp_path / name, corpus, weight)
        if weight:
            run.learn_from(written(tmp_path / "teacher.pt2", lambda noisy: 0.5 * noisy, samples=run.train.samples))
        run.run(lambda _: None, workers=0)
        found[name] = load_checkpoint(tmp_path / name / "out")
    alone, taught = (found[name].network.state_dict() for name in ("alone", "taught"))
    assert not all(torch.equal(alone[name], taught[name]) for name in alone)
    assert found["taught"].config.training.teacher_weight == 0.5
    assert "teacher" not in (tmp_path / "alone" / "out" / "config.toml").read_text()


def test_integers_have_a_teacher_too(tmp_path: Path, corpus: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f"{TEXT}teacher_weight = 0.5\n")
    settings = load_config(config)
    mixers = load_mixers(load_corpus([corpus]), settings)
    start = Trainer(settings, *mixers, tmp_path / "start", "cpu").network
    noisy = [(32768 * mixers[0].batch(1, (0, i)).noisy[0]).short().numpy() for i in range(4)]
    through = IntegerTrainer(settings, *mixers, tmp_path / "out", start, noisy)
    through.learn_from(written(tmp_path / "teacher.pt2", lambda noisy: 0.5 * noisy, samples=mixers[0].samples))
    through.run(lambda _: None, workers=0)
    assert load_checkpoint(tmp_path / "out").scales is not None


def test_a_teacher_that_is_asked_for_has_to_be_there_and_the_other_way_round(tmp_path: Path, corpus: Path) -> None:
    with pytest.raises(ConfigError, match="give the teacher's file to dyncp train as --teacher"):
        trainer(tmp_path, corpus, 0.5).run(lambda _: None, workers=0)
    with pytest.raises(ConfigError, match="is 0, so that a teacher would go unheard"):
        trainer(tmp_path, corpus, 0.0).learn_from(tmp_path / "teacher.pt2")


def test_the_command_takes_a_teacher_and_resumes_with_it(tmp_path: Path, corpus: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f"{TEXT}teacher_weight = 0.5\n")
    samples = load_mixers(load_corpus([corpus]), load_config(config))[0].samples
    path = written(tmp_path / "teacher.pt2", lambda noisy: 0.5 * noisy, samples=samples)
    options = ("--corpus", corpus, "--device", "cpu", "--teacher", path)
    dyncp("train", config, "--out", tmp_path / "whole", *options)
    dyncp("train", config, "--out", tmp_path / "parts", *options, "--epochs", 1)
    dyncp("train", config, "--out", tmp_path / "parts", *options, "--resume", "--epochs", 2)
    whole, parts = (load_checkpoint(tmp_path / name).network.state_dict() for name in ("whole", "parts"))
    assert whole.keys() == parts.keys()
    assert all(torch.isfinite(tensor).all() for tensor in parts.values())
