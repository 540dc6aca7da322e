"""Runs that diverge, and runs that are lengthened."""

import json
import logging
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.episodes import write_patches
from tests.training.runs import called, config, same, state_of
from visual_foresight.predictors.checkpoints import read_config
from visual_foresight.training import curriculum
from visual_foresight.training.config import TrainConfig
from visual_foresight.training.loop import train
from visual_foresight.training.state import LOWEST
from visual_foresight.types import UserError

SIZE = (16, 24)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_patches(tmp_path_factory.mktemp("data"), SIZE, 6)


@pytest.mark.parametrize("predictor", ["dna", "flow", "rigid", "stochastic"])
def test_a_training_that_diverges_says_so(data: Path, tmp_path: Path, predictor: str) -> None:
    settings = config(
        data,
        tmp_path / "run",
        predictor=predictor,
        learning_rate=1e30,
        model={},
        single=0.5,
        every=100,
    )
    with pytest.raises(
        UserError,
        match=r"diverged at step \d, with a learning rate of .*; nothing was saved yet",
    ):
        train(settings, progress=False)
    assert not (settings.out / "checkpoint").exists()


def test_one_goes_on_from_the_checkpoint_that_is_kept(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config(data, tmp_path / "run", steps=12)

    def exploding(step: int, _: TrainConfig) -> float:
        return 1e30 if step >= 4 else 1e-3

    with monkeypatch.context() as patch:
        patch.setattr("visual_foresight.training.loop.learning_rate_at", exploding)
        with pytest.raises(
            UserError,
            match=r"step 5, .*; the loss of step 4 was finite\); .* step 3 is kept: .*--from",
        ):
            train(settings, progress=False)
    kept = settings.out / "checkpoint"
    assert read_config(kept)["meta"]["steps"] == 3
    train(
        config(data, tmp_path / "anew", learning_rate=1e-4, begin_from=str(kept)),
        progress=False,
    )
    assert read_config(tmp_path / "anew" / "checkpoint")["meta"]["begin_from"] == str(kept)


def test_the_checkpoint_before_the_loss_rose_is_kept(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config(data, tmp_path / "run", steps=12, every=2, ema=0.0)
    rates = {2: 3.0, 3: 3.0, 4: 1e30}  # the weights are ruined before a loss is not finite
    place = "visual_foresight.training.loop.learning_rate_at"
    monkeypatch.setattr(place, lambda step, _: rates.get(step, 0.0 if step > 4 else 1e-4))
    with pytest.raises(UserError, match=r"step 4 is kept, but .* lowest at step 2: .*lowest,"):
        train(settings, progress=False)
    kept = read_config(settings.out / LOWEST)["meta"]
    lines = (settings.out / "log.jsonl").read_text().splitlines()
    assert (kept["steps"], kept["held_out_loss"]) == (2, json.loads(lines[0])["loss"])


def test_a_finished_run_is_lengthened_and_says_what_that_means(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = config(data, tmp_path / "run", steps=3)
    train(settings, progress=False)
    with caplog.at_level(logging.INFO):
        train(replace(settings, steps=6), progress=False)
    assert (
        "of 3 steps goes on from step 3 to 6, from here on by the schedule of a run of 6: the "
        "learning rate is 0.0013 now instead of 0.00013, and the horizon 1 instead of 2"
    ) in caplog.text
    state = state_of(settings.out)
    assert state["step"] == state["num_steps"] == 6
    lines = (settings.out / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [3, 6]
    with pytest.raises(UserError, match=r"another steps \(it goes on with more of them alone"):
        train(replace(settings, steps=5), progress=False)


def _by_schedules(function: Any, first: TrainConfig, stop: int) -> Any:
    """Return a schedule that is that of another run before a step."""
    return lambda step, planned: function(step, first if step < stop else planned)


def test_a_stopped_run_is_lengthened_by_the_schedule_of_the_longer_one(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = config(data, tmp_path / "run", every=100)
    longer = replace(first, steps=12)
    steps = 0

    def stop() -> None:
        nonlocal steps
        steps += 1
        if steps == 4:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr("visual_foresight.training.loop.learning_rate_at", called(stop))
        with pytest.raises(KeyboardInterrupt):
            train(first, progress=False)
    assert state_of(first.out)["step"] == 4
    train(longer, progress=False)
    assert state_of(first.out)["step"] == 12

    for name in ("learning_rate_at", "horizon_at", "batch_at"):
        place = f"visual_foresight.training.loop.{name}"
        monkeypatch.setattr(place, _by_schedules(getattr(curriculum, name), first, 4))
    train(replace(longer, out=tmp_path / "whole"), progress=False)
    assert same(first.out, tmp_path / "whole")
