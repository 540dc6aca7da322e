"""Runs that meet trouble, or are gone on with: places, ends, divergence, and beginnings."""

import errno
import io
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
from tests.training.runs import called, config, same, state_of, weights
from visual_foresight.cli import main
from visual_foresight.episodes.info import DatasetInfo
from visual_foresight.episodes.opening import open_episodes
from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.episodes.source import EpisodeSource
from visual_foresight.system.locks import locked
from visual_foresight.system.signals import Ended, alike
from visual_foresight.training.loop import train
from visual_foresight.training.state import STATE_FILE
from visual_foresight.types import UserError

SIZE = (16, 24)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_patches(tmp_path_factory.mktemp("data"), SIZE, 6)


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
        patch.setattr("visual_foresight.training.loop.learning_rate_at", called(ask))
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
    monkeypatch.setattr("visual_foresight.training.loop.learning_rate_at", called(ask))
    if is_asked:
        with pytest.raises(KeyboardInterrupt):
            train(settings)
    else:
        train(settings)
    assert state_of(settings.out)["step"] == (3 if is_asked else settings.steps)


def test_a_thread_that_hears_no_signals_trains(data: Path, tmp_path: Path) -> None:
    settings = config(data, tmp_path / "run", steps=1)
    thread = threading.Thread(target=train, args=(settings, False))
    thread.start()
    thread.join()
    assert state_of(settings.out)["step"] == 1


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
