"""A goal that a package brings: the loop runs with it, the judge measures it, a file keeps it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.fakes.dot_model import DotModel
from tests.fakes.goals import RowGoal
from tests.fakes.packages import bring
from visual_foresight.control.animation import trial_animation
from visual_foresight.control.judge import TrialJudge, designate
from visual_foresight.control.loop import finish, run_trial
from visual_foresight.control.trial import Trial
from visual_foresight.envs.dot import PIXEL_M, STEP_PX, DotEnv, Snapshot, Square
from visual_foresight.goals.registry import GOALS, goal_from_json, goal_to_json
from visual_foresight.gui.session.archive import Archive
from visual_foresight.planning.controllers.visual_mpc import VisualMPC
from visual_foresight.planning.planners.cem import CEM, CEMConfig
from visual_foresight.types import Goal, Pixel, UserError

GOAL = RowGoal(Pixel(6, 10), 14)
QUICK = CEMConfig(populations=(40, 32, 25), horizon=6, num_elites=8)


@pytest.fixture(autouse=True)
def brought(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bring(monkeypatch, tmp_path / "packages", "goals", "row", RowGoal)


@pytest.fixture
def env() -> DotEnv:
    env = DotEnv((20, 28))
    env.reset(seed=3)
    env.restore(Snapshot(Square((6 * PIXEL_M, 10 * PIXEL_M), (255, 0, 0))))
    return env


def run(env: DotEnv, is_judged: bool = True) -> Trial:
    controller = VisualMPC(DotModel(STEP_PX), env.info.limits, CEM(QUICK))
    points = designate(env, GOAL)
    judge = TrialJudge.of(env, GOAL, points) if is_judged else None
    rng = torch.Generator().manual_seed(0)
    return finish(GOAL, list(run_trial(env, controller, GOAL, judge, rng, 5)))


def test_it_is_a_goal_like_ours() -> None:
    assert list(GOALS) == ["pixels", "png", "row"]
    assert isinstance(GOAL, Goal)
    assert goal_from_json(goal_to_json(GOAL)) == GOAL


def test_the_loop_reaches_it_and_the_judge_measures_it(env: DotEnv) -> None:
    trial = run(env)
    rows = trial.episode.tracks[:, 0, 0]
    assert trial.distances == pytest.approx(np.abs(rows - 14), abs=1e-4)
    assert trial.distances[0] == pytest.approx(8) and trial.distances[-1] < 1
    assert trial.distances_m[-1] < trial.distances_m[0], "its targets are in metres, too"
    film = trial_animation(trial, scale=2, num_glimpses=2)
    assert (film[0, 22 + 28, :56] == 255).all(), "the row is drawn"


def test_without_a_judge_it_is_what_is_believed(env: DotEnv) -> None:
    trial = run(env, is_judged=False)
    assert trial.is_believed and trial.distances[0] == pytest.approx(8)
    uncalibrated = replace(trial, distances_m=())
    assert uncalibrated.distance_text(0) == "believed 8 rows to go"


def test_it_is_kept_with_its_run(env: DotEnv, tmp_path: Path) -> None:
    trial = run(env)
    archive = Archive(tmp_path / "out")
    kept = archive.begin(trial.goal, "dot", env, {})
    entry = archive.finish(kept, trial, {"outcome": "done"})
    (again,) = Archive(tmp_path / "out").entries
    assert again == entry and (again.goal, again.unit) == ("row 14", "rows")
    opened = Archive(tmp_path / "out").open(entry.name)
    assert opened.goal == GOAL and opened.distances == pytest.approx(trial.distances)


def test_one_that_breaks_its_promise_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Wish:
        """Nobody can say how far it is."""

        kind = "wish"

    bring(monkeypatch, tmp_path / "more", "goals", "wish", Wish)
    with pytest.raises(UserError, match=r"the goal 'wish' has no check\(\), which every goal"):
        GOALS["wish"]
