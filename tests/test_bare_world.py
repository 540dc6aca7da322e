"""A world with neither judge nor snapshots nor calibration: from collecting to the page."""

import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.envs.slider import SIZE, build
from tests.fakes.commands import shorten_trials
from tests.fakes.packages import bring
from tests.gui.sessions import wait
from visual_foresight.cli import main
from visual_foresight.collect.collection import CollectConfig, collect
from visual_foresight.envs.registry import make
from visual_foresight.episodes.dataset import Episodes
from visual_foresight.episodes.validation import validate
from visual_foresight.evaluation.control.command import ControlConfig, evaluate_control
from visual_foresight.evaluation.ranking.contact_states import BankJob, envs_of, load_bank
from visual_foresight.evaluation.suites import SUITES, make_task
from visual_foresight.gui.session.goals import Draft
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.settings import Settings
from visual_foresight.plan import PlanConfig, plan
from visual_foresight.predictors.checkpoints import read_config
from visual_foresight.training.config import TrainConfig
from visual_foresight.training.loop import train
from visual_foresight.training.teachers.registry import DEFAULT_TEACHER
from visual_foresight.types import Pixel, UserError


@pytest.fixture(autouse=True)
def slider(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    bring(monkeypatch, tmp_path_factory.mktemp("package"), "envs", "slider", build)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        bring(patch, tmp_path_factory.mktemp("package"), "envs", "slider", build)
        summary = collect(config_of(folder), progress=False)
    assert summary.moved_share is None, "nobody knows"
    return folder


def config_of(folder: Path, explorer: str = "smooth") -> CollectConfig:
    return CollectConfig(
        folder, env="slider", episodes=6, steps=9, frame_size=SIZE, workers=1, explorer=explorer
    )


def goal_pixel() -> str:
    """Return where the square is in the scene of seed 0, as `--source` takes it."""
    row, col, _ = make("slider").reset(seed=0)[0]["state"]
    return f"{row:g},{col:g}"


def test_episodes_have_signals_and_no_tracks(data: Path) -> None:
    episodes = Episodes(data)
    episode = episodes[0]
    assert episode.tracks.shape == (10, 0, 2) and "object_moved" not in episode.meta
    np.testing.assert_allclose(episode.signals["reward"], episode.states[1:, 1], atol=1e-4)
    assert np.abs(episode.actions).max() <= 1 and np.ptp(episode.states, axis=0).max() > 1
    info = episodes.info
    assert info.homography is None and info.action_size == 2
    assert info.collection["explorer"] == "smooth"
    assert validate(data).num_sound == 6
    again = collect(config_of(data), progress=False)
    assert (again.episodes_kept, again.moved_share) == (6, None)


def test_sweeps_need_a_calibration(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'sweeps'.*needs a calibrated camera"):
        collect(config_of(tmp_path, "sweeps"), progress=False)


def trained(data: Path, out: Path, predictor: str, teacher: str = DEFAULT_TEACHER) -> Path:
    return train(
        TrainConfig(
            predictor=predictor,
            teacher=teacher,
            data=data,
            out=out,
            horizon=2,
            steps=2,
            batch=2,
            every=2,
            points=out / "points",
            device="cpu",
        ),
        progress=False,
    )


def test_a_model_of_frames_is_trained_and_planned_with(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten_trials(monkeypatch)
    checkpoint = trained(data, tmp_path / "run", "pixels")
    figures = plan(
        PlanConfig(
            env="slider",
            source=(goal_pixel(),),
            goal=("16,20",),
            model=str(checkpoint),
            preset="fast",
            device="cpu",
            animation=tmp_path / "a.gif",
        )
    )
    assert figures["believed_start_distance_px"] > 0
    assert (tmp_path / "a.gif").exists()


def test_what_needs_a_calibration_is_not_trained(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the model 'rigid': this needs a calibrated camera"):
        trained(data, tmp_path / "rigid", "rigid")
    with pytest.raises(UserError, match="the model 'flow': this needs a calibrated camera"):
        trained(data, tmp_path / "ensemble", "ensemble")
    with pytest.raises(
        UserError,
        match=r"the teacher 'rigid_tracks': this needs a calibrated.*\(optical_flow or none\)",
    ):
        trained(data, tmp_path / "dna", "dna")


@pytest.mark.parametrize("teacher", ["optical_flow", "none"])
def test_pixels_are_moved_without_a_calibration(
    data: Path, tmp_path: Path, teacher: str
) -> None:
    checkpoint = trained(data, tmp_path / "run", "dna", teacher)
    assert read_config(checkpoint)["meta"]["teacher"] == teacher


def test_plan_says_what_the_locator_believes(
    tmp_path: Path, capsys: pytest.CaptureFixture, caplog: pytest.LogCaptureFixture
) -> None:
    words = (
        f"plan --env slider --source {goal_pixel()} --goal 16,20 --model still --preset fast"
    )
    with caplog.at_level(logging.INFO):
        main([*words.split(), "--json", "--animation", str(tmp_path / "a.gif")])
    figures = json.loads(capsys.readouterr().out)
    assert figures.keys() == {
        "believed_start_distance_px",
        "believed_final_distance_px",
        "replan_seconds_median",
        "animation",
    }
    row, col = map(float, goal_pixel().split(","))
    assert figures["believed_start_distance_px"] == pytest.approx(
        np.hypot(row - 16, col - 20), abs=0.01
    )


def test_a_method_that_does_not_look_believes_nothing(tmp_path: Path) -> None:
    figures = plan(
        PlanConfig(
            env="slider",
            source=(goal_pixel(),),
            goal=("16,20",),
            model="random",
            animation=tmp_path / "a.gif",
        )
    )
    assert figures.keys() == {"replan_seconds_median", "animation"}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"model": "simulator"}, "the model 'simulator': this needs snapshots"),
        ({"model": "scripted"}, "which proposes pushes: this needs to know where an action"),
        ({"source": (), "goal": ()}, "suite 'near' has no tasks in 'slider'"),
        ({"goal": ("99,3",)}, "the goal pixel .* is outside the frame"),
    ],
)
def test_what_this_world_does_not_have_is_said(
    tmp_path: Path, changes: dict[str, object], sentence: str
) -> None:
    settings: dict[str, object] = {
        "env": "slider",
        "source": (goal_pixel(),),
        "goal": ("16,20",),
        "animation": tmp_path / "a.gif",
    }
    with pytest.raises(UserError, match=sentence):
        plan(PlanConfig(**{**settings, **changes}))  # type: ignore[arg-type]


def test_judges_refuse_this_world() -> None:
    with pytest.raises(UserError, match="the tasks of the suites: this needs a judge"):
        make_task(make("slider"), SUITES["near"], 0, 0)
    with pytest.raises(UserError, match="a bank of contact states: this needs snapshots"):
        envs_of("slider")


@pytest.mark.parametrize("kind", ["control", "ranking"])
def test_judges_refuse_it_before_they_show_a_bar(
    tmp_path: Path, capsys: pytest.CaptureFixture, kind: str
) -> None:
    suite = replace(SUITES["near"], env="slider")
    with pytest.raises(UserError, match="this needs (a judge|snapshots)"):
        if kind == "control":
            trials = ControlConfig(("random",), ("near",), trials=2, workers=1, out=tmp_path)
            evaluate_control(trials, {"near": suite})
        else:
            jobs = [BankJob(0, index, 4, 3, env="slider") for index in range(2)]
            load_bank(jobs, tmp_path, 1)
    assert capsys.readouterr() == ("", "")
    assert not list(tmp_path.iterdir())


def test_a_session_of_the_page_runs_and_labels_what_is_believed(tmp_path: Path) -> None:
    settings = Settings(env="slider", model="still", preset="fast", num_steps=3, device="cpu")
    session = Session(settings, tmp_path)
    try:
        wait(session)
        row, col = map(float, goal_pixel().split(","))
        session.edit(Draft().clicked(Pixel(row, col)).clicked(Pixel(16, 20)))
        session.imagine_fan()
        assert wait(session).fan is not None
        session.run()
        state = wait(session)
        assert not state.is_error, state.message
        (entry,) = state.entries
        assert (entry.outcome, entry.num_steps) == ("not judged", 3)
        assert entry.distance_text.startswith("believed ") and "px" in entry.distance_text
        assert state.trial is not None and state.trial.is_believed
        session.check()
        assert wait(session).check is not None
        session.open(entry.name)
        opened = wait(session).trial
        assert opened is not None and opened.is_believed
        assert opened.distances == state.trial.distances
        session.export(entry.name, ".gif")
        assert not wait(session).is_error
    finally:
        session.close()
