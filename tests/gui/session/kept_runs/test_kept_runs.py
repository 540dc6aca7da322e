"""What was imagined is kept with its run, step by step, and is what a replay shows."""

import io
from dataclasses import replace

import numpy as np
import pytest

from tests.fakes.checkpoints import untrained
from tests.gui.sessions import DOT, make_goal, wait
from visual_foresight.control.loop import Step
from visual_foresight.gui.session.kept_runs.turns import pack, read_plan
from visual_foresight.gui.session.session import Session
from visual_foresight.types import Plan, to_uint8

STEPS = 10


@pytest.fixture
def imagining(tmp_path):
    """A session with a model that imagines something else than what happens."""
    model = untrained(tmp_path / "mine", (64, 64), name="flow")
    settings = replace(DOT, model=str(model), num_steps=STEPS, stop_within_cm=0)
    session = Session(settings, tmp_path / "out")
    wait(session)
    yield session
    session.close()


def frames(plan: Plan, rank: int = 0) -> np.ndarray:
    return to_uint8(plan.prediction.frames[rank])


def test_a_replay_shows_what_was_imagined_then(imagining, tmp_path):
    make_goal(imagining)
    imagining.plan()
    live = []
    for _ in range(STEPS):
        live.append(wait(imagining).pending)
        imagining.step()
    ended = wait(imagining)
    (entry,) = ended.entries
    imagining.open(entry.name)
    opened = wait(imagining)
    assert not opened.is_imagined_now and opened.imagined_by == imagining.state.settings.model
    assert len(opened.plans) == len(live) == STEPS
    for step, (then, now) in enumerate(zip(live, opened.plans, strict=True)):
        np.testing.assert_array_equal(frames(now), frames(then))
        np.testing.assert_array_equal(now.prediction.pixel_maps, then.prediction.pixel_maps)
        np.testing.assert_array_equal(now.prediction.lost, then.prediction.lost)
        np.testing.assert_array_equal(now.actions, then.actions)
        assert now.sources == then.sources
        real = opened.trial.episode.frames[step + 1]
        assert (frames(now)[0] != real).any(), "it is imagined, not seen"


def test_the_best_plans_of_each_step_stay_once_an_action_is_carried_out(imagining):
    make_goal(imagining)
    imagining.plan()
    then = wait(imagining).pending
    imagining.step()
    state = wait(imagining)
    imagining.stop()
    (entry,) = wait(imagining).entries
    imagining.open(entry.name)
    for plan in (state.plans[0], wait(imagining).plans[0]):
        assert len(plan.runners_up) == 3 and len(plan.prediction.pixel_maps) == 4
        for rank in range(4):
            np.testing.assert_array_equal(frames(plan, rank), frames(then, rank))
        np.testing.assert_array_equal(plan.prediction.pixel_maps, then.prediction.pixel_maps)
    assert not np.array_equal(then.runners_up[0], then.actions)


def test_a_run_kept_before_its_best_plans_were_shows_the_best_alone(session):
    make_goal(session)
    session.plan()
    pending = wait(session).pending
    step = Step(0, wait(session).trial.episode.observation(0), pending, verdict=None)
    arrays = dict(np.load(io.BytesIO(pack(step, "still"))))
    old = {name: array for name, array in arrays.items() if "runner_up" not in name}
    file = io.BytesIO()
    np.savez(file, **old)
    plan = read_plan(io.BytesIO(file.getvalue()))
    assert len(plan.prediction.pixel_maps) == 1 and len(plan.runners_up) == 3


def test_a_damaged_step_takes_nothing_else_with_it(session, tmp_path):
    make_goal(session)
    session.run()
    (entry,) = wait(session).entries
    damaged = tmp_path / "out" / "imagined" / entry.name / "step_000001.npz"
    damaged.write_bytes(damaged.read_bytes()[:100])
    session.open(entry.name)
    plans = wait(session).plans
    assert plans[1].prediction.frames.shape[1] == 0
    assert plans[0].prediction.frames.shape[1] and plans[2].prediction.frames.shape[1]


def test_runs_of_which_nothing_was_kept_can_be_imagined_now(session, tmp_path):
    make_goal(session)
    session.run()
    (entry,) = wait(session).entries
    for path in (tmp_path / "out" / "imagined" / entry.name).glob("step_*"):
        path.unlink()
    session.open(entry.name)
    assert len(wait(session).plans) == 0
    session.export(entry.name, ".gif")
    film = wait(session).animation.read_bytes()
    session.imagine_now()
    state = wait(session)
    assert state.is_imagined_now and state.imagined_by == "still" and len(state.plans) == 4
    np.testing.assert_array_equal(frames(state.plans[2])[0], state.trial.episode.frames[2])
    session.export(entry.name, ".gif")
    assert wait(session).animation.read_bytes() == film, "it has what was imagined then"


def test_imagine_now_asks_the_model_that_is_chosen(session, tmp_path):
    make_goal(session)
    session.run()
    (entry,) = wait(session).entries
    session.open(entry.name)
    wait(session)
    mine = str(untrained(tmp_path / "mine", (64, 64), name="flow"))
    session.choose(replace(session.state.choices, model=mine))
    session.imagine_now()
    state = wait(session)
    assert state.imagined_by == mine and state.is_imagined_now, state.message


def test_what_moved_nothing_leaves_nothing(session, tmp_path):
    make_goal(session)
    session.plan()
    assert wait(session).pending is not None
    session.stop()
    wait(session)
    assert not list((tmp_path / "out").glob("imagined/*"))
    make_goal(session)
    session.plan()
    wait(session)
    make_goal(session, down=3)  # drops the plan
    assert not list((tmp_path / "out").glob("imagined/*"))
