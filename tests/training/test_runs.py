"""Runs that meet trouble, or are gone on with: places, ends, divergence, and beginnings."""

import errno
import io
import json
import logging
import os
import shutil
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.fakes.episodes import write_patches
from visual_foresight.cli import main
from visual_foresight.episodes.info import DatasetInfo
from visual_foresight.episodes.opening import open_episodes
from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.episodes.source import EpisodeSource
from visual_foresight.predictors.checkpoints import load, read_config
from visual_foresight.system.locks import locked
from visual_foresight.system.signals import Ended, alike
from visual_foresight.training import curriculum
from visual_foresight.training.config import TrainConfig
from visual_foresight.training.loop import train
from visual_foresight.training.state import LOWEST, STATE_FILE
from visual_foresight.types import UserError

SIZE = (16, 24)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_patches(tmp_path_factory.mktemp("data"), SIZE, 6)


def config(data: Path, out: Path, **changes: Any) -> TrainConfig:
    short = TrainConfig(
        data,
        out,
        predictor="dna",
        steps=6,
        batch=2,
        horizon=2,
        every=3,
        device="cpu",
        precision="float32",
        model={"channels": 4},
        points=out.parent / "points",
    )
    return replace(short, **changes)


def weights(out: Path) -> dict[str, torch.Tensor]:
    return load(out / "checkpoint").state_dict()  # type: ignore[attr-defined]


def same(one: Path, other: Path) -> bool:
    mine, theirs = weights(one), weights(other)
    return all(torch.equal(value, theirs[name]) for name, value in mine.items())


def state_of(out: Path) -> dict[str, Any]:
    return torch.load(out / STATE_FILE, weights_only=True)


# --- places ---------------------------------------------------------------------------------


def test_two_runs_are_not_mixed_in_one_folder(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with (
        locked(out, "training", ""),
        pytest.raises(UserError, match="another training is writing to .*choose another --out"),
    ):
        train(config(data, out), progress=False)
    train(config(data, out), progress=False)


@pytest.mark.parametrize("flag", ["out", "points"])
@pytest.mark.parametrize("below", ["", "runs/mine"])
def test_a_run_does_not_spoil_episodes(
    data: Path, tmp_path: Path, flag: str, below: str
) -> None:
    before = sorted(data.iterdir())
    place = tmp_path / "link"
    place.symlink_to(data)
    changes: dict[str, Any] = {flag: place / below}
    settings = replace(config(data, tmp_path / "run"), **changes)
    with pytest.raises(UserError, match=f"--{flag} .* a folder of episodes, .* another place"):
        train(settings, progress=False)
    assert sorted(data.iterdir()) == before and not (tmp_path / "run").exists()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.EMFILE])
def test_a_state_that_cannot_be_read_now_is_not_called_damaged(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    settings = config(data, tmp_path / "run", steps=1)
    train(settings, progress=False)
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == STATE_FILE:
            raise OSError(number, os.strerror(number), str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(UserError, match=rf"cannot be read \({os.strerror(number)}\)") as said:
        train(settings, progress=False)
    assert "delete" not in str(said.value) and "damaged" not in str(said.value)


def test_points_that_cannot_be_kept_stop_no_training(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "points").write_text("a file")
    train(config(data, tmp_path / "run", steps=1), progress=False)
    assert "the points are not kept in" in caplog.text


# --- ends -----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_asked_to_end_keeps_its_last_step(
    data: Path, tmp_path: Path, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config(data, tmp_path / "run", every=100)

    def ask(*_: object, **__: object) -> None:
        if (step := len(asked)) == 2:
            os.kill(os.getpid(), number)
        asked.append(step)

    asked: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr("visual_foresight.training.loop.learning_rate_at", _called(ask))
        with pytest.raises(KeyboardInterrupt) as ended, alike():
            train(settings, progress=False)
    assert isinstance(ended.value, Ended) == (number != signal.SIGINT)
    assert state_of(settings.out)["step"] == 3
    train(settings, progress=False)
    train(replace(settings, out=tmp_path / "whole"), progress=False)
    assert same(settings.out, tmp_path / "whole")


class Deaf(io.StringIO):
    """An stderr whose reader ends at some time."""

    is_gone = False

    def write(self, text: str) -> int:
        if self.is_gone:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        return len(text)


@pytest.mark.parametrize("is_asked", [True, False], ids=["Ctrl-C under tee", "the reader ends"])
def test_a_broken_stderr_costs_no_step(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_asked: bool
) -> None:
    settings = config(data, tmp_path / "run", every=100)
    stderr = Deaf()

    def ask(*_: object, **__: object) -> None:
        if (step := len(asked)) == 2:
            stderr.is_gone = True
            time.sleep(0.2)  # so that the bar is due
            if is_asked:
                os.kill(os.getpid(), signal.SIGINT)
        asked.append(step)

    asked: list[int] = []
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setattr("visual_foresight.training.loop.learning_rate_at", _called(ask))
    if is_asked:
        with pytest.raises(KeyboardInterrupt):
            train(settings)
    else:
        train(settings)
    assert state_of(settings.out)["step"] == (3 if is_asked else settings.steps)


def _called(before: Any) -> Any:
    """Return the learning rate, and call something first."""
    from visual_foresight.training.curriculum import learning_rate_at

    def rate(step: int, config: TrainConfig) -> float:
        before()
        return learning_rate_at(step, config)

    return rate


def test_a_thread_that_hears_no_signals_trains(data: Path, tmp_path: Path) -> None:
    settings = config(data, tmp_path / "run", steps=1)
    thread = threading.Thread(target=train, args=(settings, False))
    thread.start()
    thread.join()
    assert state_of(settings.out)["step"] == 1


# --- divergence -----------------------------------------------------------------------------


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


# --- beginnings -----------------------------------------------------------------------------


def test_a_run_begins_with_the_weights_of_a_checkpoint(data: Path, tmp_path: Path) -> None:
    first = config(data, tmp_path / "first")
    checkpoint = train(first, progress=False)
    # With no learning rate, what it began with is what it ends with.
    resting = replace(first, out=tmp_path / "second", learning_rate=0.0)
    train(replace(resting, begin_from=str(checkpoint)), progress=False)
    mine, theirs = weights(tmp_path / "second"), weights(first.out)
    for name, value in theirs.items():
        torch.testing.assert_close(value, mine[name], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"predictor": "cdna"}, "is of the predictor 'dna', and this run trains 'cdna'"),
        ({"model": {"channels": 8}}, "has the channels 4, and this run 8: give the same"),
        ({"begin_from": "nowhere"}, "no predictor or checkpoint 'nowhere'"),
        ({"begin_from": "still"}, "no trained 'still' is shipped"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_refused(
    data: Path, tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    checkpoint = train(config(data, tmp_path / "first", steps=1), progress=False)
    settings = config(data, tmp_path / "second", begin_from=str(checkpoint))
    with pytest.raises(UserError, match=sentence):
        train(replace(settings, **changes), progress=False)
    assert not (tmp_path / "second").exists()


@pytest.mark.parametrize("is_gone", [False, True])
def test_another_spelling_of_the_checkpoint_resumes(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_gone: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    first = train(config(data, tmp_path / "first", steps=1), progress=False)
    begun = config(data, tmp_path / "second", steps=1, begin_from=str(first))
    train(begun, progress=False)
    if is_gone:
        shutil.rmtree(tmp_path / "first")
    for spelling in ("first/checkpoint", "./first/../first/checkpoint/"):
        train(replace(begun, begin_from=spelling), progress=False)
    for other in ("second/checkpoint", None):
        with pytest.raises(UserError, match="a run with another --from: choose another --out"):
            train(replace(begun, begin_from=other), progress=False)


class Counted:
    """Episodes of a format that keeps nothing of what it has read."""

    def __init__(self, source: EpisodeSource, info: DatasetInfo) -> None:
        self.source, self.info, self.numbers = source, info, source.numbers
        self.read: list[int] = []

    def packed(self, index: int) -> PackedEpisode:
        self.read.append(index)
        return self.source.packed(index)


def test_every_episode_is_read_once(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = open_episodes(data)
    counted = Counted(source, source.info)
    monkeypatch.setattr("visual_foresight.training.loop.open_episodes", lambda _: counted)
    train(config(data, tmp_path / "run", steps=1), progress=False)
    assert sorted(counted.read) == list(range(6))


def test_a_model_that_cannot_be_made_is_refused_before_episodes_are_read(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = open_episodes(data)
    counted = Counted(source, replace(source.info, homography=None))
    monkeypatch.setattr("visual_foresight.training.loop.open_episodes", lambda _: counted)
    with pytest.raises(UserError, match="this needs a calibrated camera"):
        train(config(data, tmp_path / "run", predictor="rigid", model={}), progress=False)
    assert counted.read == []


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
        patch.setattr("visual_foresight.training.loop.learning_rate_at", _called(stop))
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


def test_a_checkpoint_is_found_again_from_another_folder(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    train(config(data, tmp_path / "first", steps=1), progress=False)
    begun = config(data, tmp_path / "second", steps=1, begin_from="first/checkpoint")
    train(begun, progress=False)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    train(replace(begun, begin_from="../first/checkpoint"), progress=False)
    with pytest.raises(UserError, match="a run with another --from"):
        train(begun, progress=False)


def test_a_setting_that_the_model_does_not_have_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'dna' has no setting 'chanels': choose from channels"):
        train(config(data, tmp_path / "run", model={"chanels": 4}), progress=False)


def test_the_flag_is_called_from(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    for name in ("dna", "--predictor dna"):
        words = f"train {name} --data {data} --out {tmp_path / 'run'} --from nowhere"
        with pytest.raises(SystemExit):
            main(words.split())
        assert "checkpoint 'nowhere'" in capsys.readouterr().err
