"""The training loop through its real files, with a tiny network and tiny frames."""

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from tests.fakes.episodes import patch_episode, write_patches
from visual_foresight.episodes.episode_files import write_episode
from visual_foresight.predictors.checkpoints import load, read_config
from visual_foresight.training.config import TrainConfig
from visual_foresight.training.loop import train
from visual_foresight.training.state import STATE_FILE
from visual_foresight.types import UserError

SIZE = (16, 24)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_patches(tmp_path_factory.mktemp("data"), SIZE, 6)


def config(data: Path, out: Path, **changes: Any) -> TrainConfig:
    short = TrainConfig(
        data,
        out,
        steps=12,
        batch=2,
        horizon=4,
        every=3,
        device="cpu",
        precision="float32",
        points=out.parent / "points",
    )
    return replace(short, **changes)


def weights(out: Path) -> dict[str, torch.Tensor]:
    return load(out / "checkpoint").state_dict()  # type: ignore[attr-defined]


def log_of(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


TRAIN = """
import sys
from pathlib import Path

import torch

from visual_foresight.training.config import TrainConfig
from visual_foresight.training.loop import train

torch.set_num_threads(1)
data, out, points = map(Path, sys.argv[1:])
sizes = {"steps": 12, "batch": 2, "horizon": 4, "every": 3}
places = {"device": "cpu", "precision": "float32", "points": points}
train(TrainConfig(data, out, **sizes, **places), progress=False)
"""


def test_a_killed_run_that_is_resumed_gives_the_same_weights(
    data: Path, tmp_path: Path
) -> None:
    train(config(data, tmp_path / "whole"), progress=False)
    state = tmp_path / "killed" / STATE_FILE
    for wanted in (3, 6):  # killed as soon as this many steps are saved
        with subprocess.Popen(
            [
                sys.executable,
                "-c",
                TRAIN,
                str(data),
                str(state.parent),
                str(tmp_path / "points"),
            ],
            start_new_session=True,
        ) as run:
            while run.poll() is None and not (
                state.exists() and torch.load(state, weights_only=True)["step"] >= wanted
            ):
                time.sleep(0.01)
            os.killpg(run.pid, signal.SIGKILL)
            assert run.wait() == -signal.SIGKILL  # it had neither failed nor finished
        assert wanted <= torch.load(state, weights_only=True)["step"] < 12
    train(config(data, tmp_path / "killed"), progress=False)
    whole = weights(tmp_path / "whole")
    killed = weights(tmp_path / "killed")
    assert whole.keys() == killed.keys()
    for name, value in whole.items():
        assert torch.equal(value, killed[name]), name


def test_chance_is_resumed_too(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = {"predictor": "stochastic", "steps": 4, "every": 2, "horizon": 2}
    train(config(data, tmp_path / "whole", **chance), progress=False)

    class Stopped(Exception):
        """The run stops here, after its state was saved."""

    def stop(*_: object) -> None:
        raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr("visual_foresight.training.loop.write_png", stop)  # after each checkpoint
        with pytest.raises(Stopped):
            train(config(data, tmp_path / "stopped", **chance), progress=False)
    train(config(data, tmp_path / "stopped", **chance), progress=False)
    whole = weights(tmp_path / "whole")
    stopped = weights(tmp_path / "stopped")
    for name, value in whole.items():
        assert torch.equal(value, stopped[name]), name


def test_a_predictor_of_frames_only_is_trained_without_points(
    data: Path, tmp_path: Path
) -> None:
    train(config(data, tmp_path / "run", predictor="pixels", steps=2, every=2), progress=False)
    (line,) = log_of(tmp_path / "run")
    assert line["track_px"] == 0
    assert "error_over_still" not in line


def test_a_run_leaves_what_it_promises(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoint = train(config(data, tmp_path / "run"), progress=False)
    assert checkpoint == tmp_path / "run" / "checkpoint"
    lines = log_of(tmp_path / "run")
    assert [line["step"] for line in lines] == [3, 6, 9, 12]
    assert all(np.isfinite(line["loss"]) for line in lines)
    assert len(list((tmp_path / "run" / "filmstrips").glob("*.png"))) == 4
    assert list((tmp_path / "run" / "tensorboard").glob("events*"))
    # finished: nothing to do, nothing lost
    with caplog.at_level(logging.INFO):
        again = train(config(data, tmp_path / "run"), progress=False)
    assert again == checkpoint
    assert "this run is finished" in caplog.text
    assert log_of(tmp_path / "run") == lines


def test_the_averaged_weights_are_what_is_shipped(data: Path, tmp_path: Path) -> None:
    train(config(data, tmp_path / "run"), progress=False)
    state = torch.load(tmp_path / "run" / STATE_FILE, weights_only=True)
    shipped = weights(tmp_path / "run")
    assert all(
        torch.equal(value, state["average"][f"module.{name}"])
        for name, value in shipped.items()
    )
    assert not all(torch.equal(value, state["model"][name]) for name, value in shipped.items())


def test_bfloat16_learns_much_the_same_and_is_kept_to_on_resuming(
    data: Path, tmp_path: Path
) -> None:
    for precision in ("float32", "bfloat16"):
        train(config(data, tmp_path / precision, steps=3, precision=precision), progress=False)
    (full,) = log_of(tmp_path / "float32")
    (half,) = log_of(tmp_path / "bfloat16")
    assert half["loss"] == pytest.approx(full["loss"], rel=0.05)
    exact = weights(tmp_path / "float32")
    rounded = weights(tmp_path / "bfloat16")
    assert not all(torch.equal(value, rounded[name]) for name, value in exact.items())
    train(config(data, tmp_path / "bfloat16", steps=3, precision="float32"), progress=False)
    assert torch.load(tmp_path / "bfloat16" / STATE_FILE, weights_only=True)["bfloat16"] is True


def test_a_budget_of_time_is_turned_into_steps_once(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = count()
    # A clock on which whatever is timed takes a second: two steps, so a minute holds 120.
    monkeypatch.setattr(
        "visual_foresight.training.loop.time", SimpleNamespace(monotonic=lambda: next(seconds))
    )
    settings = config(data, tmp_path / "run", minutes=0.05)
    train(settings, progress=False)
    state = torch.load(settings.out / STATE_FILE, weights_only=True)
    assert state["step"] == state["num_steps"] == 6
    train(settings, progress=False)
    assert (
        torch.load(settings.out / STATE_FILE, weights_only=True)["seconds"] == state["seconds"]
    )


def test_a_run_that_an_earlier_version_began_is_resumed(data: Path, tmp_path: Path) -> None:
    settings = config(data, tmp_path / "run", steps=6)
    train(settings, progress=False)
    whole = weights(settings.out)
    begun = config(data, tmp_path / "begun", steps=6)
    train(replace(begun, every=4), progress=False)
    state = torch.load(begun.out / STATE_FILE, weights_only=True)
    for since in ("model", "teacher"):
        del state["config"][since]
    del state["recordings"]
    torch.save(state, begun.out / STATE_FILE)
    train(begun, progress=False)
    assert all(torch.equal(value, whole[name]) for name, value in weights(begun.out).items())
    with pytest.raises(UserError, match="another model"):
        train(replace(begun, model={"width": 64}), progress=False)


def test_settings_of_the_model_reach_the_model(data: Path, tmp_path: Path) -> None:
    settings = config(
        data, tmp_path / "run", predictor="pixels", steps=1, model={"channels": 8}
    )
    folder = train(settings, progress=False)
    content = read_config(folder)
    assert content["config"]["channels"] == 8
    assert content["meta"]["model"] == {"channels": 8}


def test_another_run_in_the_folder_is_not_mixed_with_this(data: Path, tmp_path: Path) -> None:
    train(config(data, tmp_path / "run", steps=3), progress=False)
    with pytest.raises(UserError, match="another learning_rate"):
        train(config(data, tmp_path / "run", steps=3, learning_rate=0.5), progress=False)
    fewer = shutil.copytree(data, tmp_path / "fewer")
    (fewer / "episode_000005.hdf5").unlink()
    with pytest.raises(UserError, match="holds a run on other episodes"):
        train(config(fewer, tmp_path / "run", steps=3), progress=False)
    (tmp_path / "run" / STATE_FILE).write_bytes(b"half a file")
    with pytest.raises(UserError, match="cannot be read"):
        train(config(data, tmp_path / "run", steps=3), progress=False)


def test_a_run_on_recordings_that_were_corrected_is_not_gone_on_with(
    data: Path, tmp_path: Path
) -> None:
    mine = shutil.copytree(data, tmp_path / "mine")
    settings = config(mine, tmp_path / "run", steps=3)
    train(settings, progress=False)
    for number in range(6):
        episode = patch_episode(number, SIZE)
        write_episode(mine, number, replace(episode, frames=255 - episode.frames))
    with pytest.raises(
        UserError, match="are not those that the run in .* choose another --out"
    ):
        train(settings, progress=False)
    train(replace(settings, out=tmp_path / "anew"), progress=False)
    before = weights(settings.out)
    assert not all(
        torch.equal(value, before[name]) for name, value in weights(tmp_path / "anew").items()
    )


@pytest.mark.parametrize("predictor", ["dna", "flow", "pixels", "stochastic"])
def test_frames_are_learnt_from_without_points(
    data: Path, tmp_path: Path, predictor: str
) -> None:
    settings = config(
        data, tmp_path / "run", predictor=predictor, teacher="none", steps=8, horizon=2
    )
    train(settings, progress=False)
    state = torch.load(settings.out / STATE_FILE, weights_only=True)
    assert state["optimizer"]["state"], "a gradient came"
    assert log_of(settings.out)[-1]["track_px"] == 0


def test_what_learns_from_points_alone_needs_some(data: Path, tmp_path: Path) -> None:
    settings = config(data, tmp_path / "run", predictor="rigid", teacher="none")
    with pytest.raises(UserError, match="'rigid' learns from points .* 'none' follows none"):
        train(settings, progress=False)
    assert not settings.out.exists()


def test_episodes_that_are_too_short_are_left_out(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    more = shutil.copytree(data, tmp_path / "more")
    whole = patch_episode(6, SIZE)
    short = replace(
        whole,
        actions=whole.actions[:2],
        frames=whole.frames[:3],
        states=whole.states[:3],
        tracks=whole.tracks[:3],
    )
    for number in range(6, 12):
        write_episode(more, number, short)
    train(config(more, tmp_path / "run", steps=3, held_out_share=0.5), progress=False)
    assert "episodes to learn from are left out: less than 5 actions" in caplog.text


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"minutes": 0.0}, "minutes more than 0"),
        ({"seed": -1}, "a seed is a whole number from 0"),
        ({"minutes": float("nan")}, "--minutes is a number"),
        ({"learning_rate": float("inf")}, "--learning-rate is a number"),
        ({"ema": 1.5}, "ema is in"),
        ({"horizon": 40}, "the longest episode to learn from has 9"),
        ({"predictor": "oracle"}, "no learned predictor 'oracle'"),
        ({"teacher": "parrot"}, "unknown teacher 'parrot': choose one of rigid_tracks"),
        ({"predictor": "still"}, "no learned predictor 'still'"),
        ({"device": "abacus"}, "the device 'abacus' is not there"),
    ],
)
def test_bad_settings_are_refused_in_words(
    data: Path, tmp_path: Path, changes: dict[str, object], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        train(config(data, tmp_path / "run", **changes), progress=False)
    assert not (tmp_path / "run").exists()
