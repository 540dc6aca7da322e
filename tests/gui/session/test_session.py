"""The session without a browser, on the dot.

The model is the simulator itself, or the persistence baseline.
"""

import errno
import logging
import threading
from dataclasses import replace

import numpy as np
import pytest

from tests.gui.sessions import DOT, dot, make_goal, wait
from visual_foresight.control import world
from visual_foresight.envs.dot import DotEnv
from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.gui.session import archive
from visual_foresight.gui.session.goals import Draft
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.settings import Settings
from visual_foresight.gui.session.state import Status
from visual_foresight.planning.controllers.visual_mpc import VisualMPC
from visual_foresight.types import Pixel
from visual_foresight.vision.pixel_maps import expected_places


def test_a_plan_moves_nothing_and_shows_the_best_of_the_last_iteration(session):
    before = session.state.frame
    make_goal(session)
    session.plan()
    state = wait(session)
    assert state.status is Status.PAUSED and state.pending is not None
    np.testing.assert_array_equal(state.frame, before)
    assert len(state.pending.runners_up) == 3
    assert state.pending.prediction.frames.shape[:2] == (4, 12)
    assert session.state.entries == ()


def test_the_chosen_cost_is_planned_with(session):
    """The exact model, the same search: who must be near all the way comes nearer on the way."""
    means = {}
    for cost in ("end", "way"):
        session.choose(replace(DOT, model="simulator", cost=cost))
        place, target = make_goal(session, right=5)
        session.plan()
        imagined = expected_places(wait(session).pending.prediction.pixel_maps[:1], (64, 64))[
            0, :, 0
        ]
        means[cost] = float(
            (imagined - imagined.new_tensor([target.row, target.col])).norm(dim=-1).mean()
        )
    assert means["way"] < means["end"] < place.distance(target)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (replace(DOT, cost="cautious"), "choose an ensemble"),
        (replace(DOT, model="flow"), "was trained on states of size 4, but 2 was asked for"),
    ],
)
def test_what_cannot_be_planned_with_is_refused_in_a_sentence(session, settings, sentence):
    session.choose(settings)
    make_goal(session)
    session.plan()
    state = wait(session)
    assert state.is_error and sentence in state.message


def test_with_the_exact_model_the_dot_is_brought_to_its_goal(session):
    session.choose(Settings(env="dot", model="simulator", seed=3, preset="fast", num_steps=10))
    place, target = make_goal(session)
    session.run()
    state = wait(session)
    assert dot(state.frame).distance(target) <= 6 < place.distance(target)
    (entry,) = state.entries
    assert entry.outcome == "reached" and entry.num_steps < 10 and entry.distance_m < 0.05
    assert state.draft == Draft(), "the designated pixel has moved"


def test_steps_pause_and_go_on(session):
    make_goal(session)
    session.step()
    state = wait(session)
    assert state.status is Status.PAUSED
    session.step()
    state = wait(session)
    assert len(state.trial.episode.actions) == 2
    draft = state.draft
    session.edit(Draft())
    assert session.state.draft == draft, "a run under way keeps its goal"
    session.stop()
    state = wait(session)
    assert state.status is Status.READY and state.entries[0].outcome == "stopped"


def test_an_animation_of_an_earlier_run_leaves_the_present_one_alone(session):
    make_goal(session)
    session.run()
    earlier = wait(session).entries[0].name
    make_goal(session)
    session.step()
    paused = wait(session)
    session.export(earlier, ".gif")
    state = wait(session)
    assert state.animation is not None and state.animation.name == f"{earlier}.gif"
    assert (
        state.status is Status.PAUSED and state.trial is paused.trial and not state.is_recorded
    )
    session.step()
    assert len(wait(session).trial.episode.actions) == 2


def test_a_new_scene_has_no_goals_to_come_back_to(session):
    make_goal(session)
    session.reset(session.state.settings)
    assert wait(session).draft == Draft()
    session.undo()
    assert session.state.draft == Draft()


def test_a_goal_changed_after_planning_is_planned_for_anew(session):
    make_goal(session)
    session.plan()
    wait(session)
    _, target = make_goal(session, down=5)
    assert session.state.status is Status.READY and session.state.pending is None
    session.plan()
    state = wait(session)
    assert state.trial.goal.targets == (target,)


def test_stop_breaks_off_a_search_and_no_action_follows(session, monkeypatch):
    searching = threading.Event()
    go_on = threading.Event()
    original = VisualMPC.plan

    def slow(self, *arguments):
        searching.set()
        assert go_on.wait(60)
        return original(self, *arguments)

    monkeypatch.setattr(VisualMPC, "plan", slow)
    before = session.state.frame
    make_goal(session)
    session.run()
    assert searching.wait(60)
    session.stop()
    assert session.state.status is Status.STOPPING
    go_on.set()
    state = wait(session)
    np.testing.assert_array_equal(state.frame, before)
    assert (
        state.status is Status.READY
        and state.pending is None
        and not state.entries
        and not state.is_error
    )


def test_after_a_search_was_stopped_the_run_goes_on_from_where_the_pixel_is(
    session, monkeypatch
):
    searching = threading.Event()
    go_on = threading.Event()
    original = VisualMPC.plan

    def slow_at_the_seventh(self, clip, goal, previous, rng):
        if len(session.state.plans) == 6:
            searching.set()
            assert go_on.wait(60)
        return original(self, clip, goal, previous, rng)

    monkeypatch.setattr(VisualMPC, "plan", slow_at_the_seventh)
    session.choose(replace(DOT, num_steps=8, stop_within_cm=0.0))
    source, _ = make_goal(session)
    session.run()
    assert searching.wait(60)
    session.stop()
    go_on.set()
    state = wait(session)
    assert state.entries[0].outcome == "stopped" and state.num_done == 6
    place = dot(state.frame)
    assert place.distance(source) > 2
    monkeypatch.undo()
    session.go_on()
    state = wait(session)
    assert not state.is_error, state.message
    assert state.trial.goal.sources[0].distance(place) < 1


def test_a_crash_is_one_sentence_and_the_session_lives_on(session, monkeypatch, caplog):
    def crash(self, *arguments):
        raise ValueError("3 of 40 costs are not finite")

    make_goal(session)
    with monkeypatch.context() as patch:
        patch.setattr(VisualMPC, "plan", crash)
        session.plan()
        state = wait(session)
    assert (
        state.is_error
        and "3 of 40 costs are not finite" in state.message
        and "\n" not in state.message
    )
    assert "Traceback" in caplog.text, "the log has the rest"
    session.plan()
    assert wait(session).pending is not None


def test_a_full_disk_is_said_with_what_to_do_and_the_session_lives_on(session, monkeypatch):
    def full(folder, number, episode):
        raise OSError(errno.ENOSPC, "No space left on device", str(folder))

    make_goal(session)
    session.choose(replace(session.state.settings, num_steps=1))
    monkeypatch.setattr(archive, "write_episode", full)
    session.run()
    state = wait(session)
    assert state.is_error
    assert state.message.startswith("the disk is full")
    assert "bug" not in state.message
    session.reset(session.state.settings)
    assert not wait(session).is_error


def test_what_cannot_be_pushed_is_said_in_a_sentence(session):
    session.plan()
    assert "click a pixel on an object" in wait(session).message
    place = dot(session.state.frame)
    session.edit(Draft().clicked(Pixel(63 - place.row, 63 - place.col)).clicked(Pixel(5, 5)))
    session.plan()
    assert "does not show an object but the background" in wait(session).message


def test_what_keeps_still_may_be_the_background(session):
    place, target = make_goal(session)
    session.edit(session.state.draft.kept(Pixel(63 - place.row, 63 - place.col)))
    session.plan()
    state = wait(session)
    assert not state.is_error and state.pending.prediction.pixel_maps.shape[2] == 2


def test_a_future_of_the_fan_is_carried_out(session):
    session.imagine_fan()
    fan = wait(session).fan
    assert len(fan.names) == len(fan.prediction.frames) == 9
    before = dot(session.state.frame)
    session.carry_out(fan.names.index("rest"))
    state = wait(session)
    assert dot(state.frame) == before
    assert isinstance(state.trial.goal, ImageGoal) and len(state.trial.plans) == 10
    (entry,) = state.entries
    assert (entry.outcome, entry.goal, entry.distance_text) == ("fan: rest", "none", "")


def test_undo_takes_back_one_change_after_the_other(session):
    place, _ = make_goal(session)
    session.edit(Draft().clicked(place))
    session.set_goal_image(ImageGoal(session.state.frame))
    assert isinstance(session.state.goal, ImageGoal)
    session.undo()
    assert session.state.draft == Draft().clicked(place) and session.state.image_goal is None
    session.undo()
    assert session.state.draft.goal is not None
    session.undo()
    session.undo()
    assert session.state.draft == Draft()


def test_an_env_that_cannot_be_made_is_said_and_another_can_be_chosen(tmp_path, monkeypatch):
    def refuse(name, *others):
        raise RuntimeError(f"no simulator for {name}")

    monkeypatch.setattr(world, "make", refuse)
    session = Session(DOT, tmp_path / "out")
    try:
        state = wait(session)
        assert state.is_error and "no simulator for dot" in state.message
        session.imagine_fan()
        assert "there is no scene" in wait(session).message
        monkeypatch.undo()
        session.reset(DOT)
        state = wait(session)
        assert not state.is_error and state.frame is not None
    finally:
        session.close()


def test_a_failure_after_the_scene_was_set_leaves_a_session_that_can_be_reset(
    session, monkeypatch
):
    def refuse(self):
        raise RuntimeError("the camera is broken")

    with monkeypatch.context() as patch:
        patch.setattr(DotEnv, "observe", refuse)
        session.reset(DOT)
        assert wait(session).is_error
    session.reset(replace(DOT, seed=4))
    assert not wait(session).is_error


def test_a_reset_that_is_refused_leaves_the_scene_as_it_was(session):
    before = session.state
    session.reset(Settings(env="push", model="still", preset="fast", num_objects=99))
    state = wait(session, lambda state: state.is_idle and state.is_error)
    assert state.settings == before.settings
    np.testing.assert_array_equal(state.frame, before.frame)
    make_goal(session)
    session.step()
    assert wait(session).message == ""


def test_the_fan_of_the_simulator_follows_the_designated_pixel(tmp_path):
    session = Session(
        Settings(env="dot", model="simulator", seed=3, preset="fast", num_steps=4),
        tmp_path / "out",
    )
    try:
        wait(session)
        make_goal(session)
        session.imagine_fan()
        state = wait(session)
        assert not state.is_error, state.message
        assert state.fan is not None and state.fan.prediction.pixel_maps.shape[2] == 1
    finally:
        session.close()


def test_a_run_of_another_world_is_shown_with_what_was_imagined_then(session):
    """Its frames are as large, but neither its actions nor its states are this world's."""
    session.choose(replace(DOT, num_steps=1))
    make_goal(session)
    session.run()
    (entry,) = wait(session).entries
    session.reset(Settings(env="push", model="flow", seed=1, preset="fast"))
    wait(session)
    session.open(entry.name)
    state = wait(session)
    assert not state.is_error and state.entry_name == entry.name
    assert len(state.trial.episode.actions) == len(state.trial.plans) == 1
    session.check()
    state = wait(session)
    assert state.is_error and "another world" in state.message


def test_compiling_is_part_of_the_state(tmp_path):
    session = Session(Settings(env="dot", model="still", preset="fast"), tmp_path)
    try:
        wait(session)
        compiler = logging.getLogger("visual_foresight.system.machine_code")
        states = []
        for is_compiling in (True, False):
            compiler.info("about compiling", extra={"is_compiling": is_compiling})
            states.append(session.state.is_compiling)
        assert states == [True, False]
    finally:
        session.close()
    compiler.info("compiling", extra={"is_compiling": True})
    assert not session.state.is_compiling
