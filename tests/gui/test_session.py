"""The session without a browser: on the dot, with the exact model (the simulator) or the one that knows nothing."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from visual_foresight.episodes import validate
from visual_foresight.gui.choices import Choice
from visual_foresight.gui.goals import Draft
from visual_foresight.gui.operator import Operator
from visual_foresight.gui.session import Session
from visual_foresight.gui.state import Status
from visual_foresight.pixel_maps import expected_places
from visual_foresight.planning import VisualMPC
from visual_foresight.types import ImageGoal, Pixel

DOT = Choice(env="dot", model="still", seed=3, preset="fast", num_steps=4)


def wait(session, until=lambda state: state.is_idle, seconds=280):
    end = time.monotonic() + seconds
    while not until(session.state):
        assert time.monotonic() < end, f"still {session.state.status}, {session.state.message!r}"
        time.sleep(0.005)
    return session.state


@pytest.fixture
def session(tmp_path):
    session = Session(DOT, tmp_path / "out")
    wait(session)
    yield session
    session.close()


def dot(frame):
    """Return the pixel in the dot's middle."""
    rows, cols = np.nonzero((frame != 128).any(-1))
    return Pixel(float(np.median(rows)), float(np.median(cols)))


def aim(session, down=0, right=12):
    """Make the goal that the dot goes so many pixels from where it is."""
    place = dot(session.state.frame)
    target = Pixel(place.row + down, place.col + (right if place.col < 32 else -right))
    session.edit(Draft().clicked(place).clicked(target))
    return place, target


def test_a_plan_moves_nothing_and_shows_the_best_of_the_last_iteration(session):
    before = session.state.frame
    aim(session)
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
        place, target = aim(session, right=5)
        session.plan()
        imagined = expected_places(wait(session).pending.prediction.pixel_maps[:1], (64, 64))[0, :, 0]
        means[cost] = float((imagined - imagined.new_tensor([target.row, target.col])).norm(dim=-1).mean())
    assert means["way"] < means["end"] < place.distance(target)


def test_caution_about_one_future_is_refused_in_a_sentence(session):
    session.choose(replace(DOT, cost="cautious"))
    aim(session)
    session.plan()
    state = wait(session)
    assert state.is_error and "choose an ensemble" in state.message


def test_with_the_exact_model_the_dot_is_brought_to_its_goal(session):
    session.choose(Choice(env="dot", model="simulator", seed=3, preset="fast", num_steps=10))
    place, target = aim(session)
    session.run()
    state = wait(session)
    assert dot(state.frame).distance(target) <= 6 < place.distance(target)
    (entry,) = state.entries
    assert entry.outcome == "reached" and entry.num_steps == 10 and entry.distance_m < 0.05
    assert state.draft == Draft(), "the pixel is elsewhere now"


def test_steps_pause_and_go_on(session):
    aim(session)
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


def test_a_new_scene_has_no_goals_to_come_back_to(session):
    aim(session)
    session.reset(session.state.choice)
    assert wait(session).draft == Draft()
    session.undo()
    assert session.state.draft == Draft()


def test_a_goal_changed_after_planning_is_planned_for_anew(session):
    aim(session)
    session.plan()
    wait(session)
    _, target = aim(session, down=5)
    assert session.state.status is Status.READY and session.state.pending is None
    session.plan()
    state = wait(session)
    assert state.trial.goal.targets == (target,)


def test_stop_breaks_off_a_search_and_no_action_follows(session, monkeypatch):
    searching, go_on = threading.Event(), threading.Event()
    original = VisualMPC.plan

    def slow(self, *arguments):
        searching.set()
        assert go_on.wait(60)
        return original(self, *arguments)

    monkeypatch.setattr(VisualMPC, "plan", slow)
    before = session.state.frame
    aim(session)
    session.run()
    assert searching.wait(60)
    session.stop()
    assert session.state.status is Status.STOPPING
    go_on.set()
    state = wait(session)
    np.testing.assert_array_equal(state.frame, before)
    assert state.status is Status.READY and state.pending is None and not state.entries and not state.is_error


def test_a_crash_is_one_sentence_and_the_session_lives_on(session, monkeypatch, caplog):
    def crash(self, *arguments):
        raise ValueError("3 of 40 costs are not finite")

    aim(session)
    with monkeypatch.context() as patch:
        patch.setattr(VisualMPC, "plan", crash)
        session.plan()
        state = wait(session)
    assert state.is_error and "3 of 40 costs are not finite" in state.message and "\n" not in state.message
    assert "Traceback" in caplog.text, "the log has the rest"
    session.plan()
    assert wait(session).pending is not None


def test_what_cannot_be_pushed_is_said_in_a_sentence(session):
    session.plan()
    assert "click a pixel on an object" in wait(session).message
    place = dot(session.state.frame)
    session.edit(Draft().clicked(Pixel(63 - place.row, 63 - place.col)).clicked(Pixel(5, 5)))
    session.plan()
    assert "does not show an object but the background" in wait(session).message


def test_what_keeps_still_may_be_the_background(session):
    place, target = aim(session)
    session.edit(session.state.draft.kept(Pixel(63 - place.row, 63 - place.col)))
    session.plan()
    state = wait(session)
    assert not state.is_error and state.pending.prediction.pixel_maps.shape[2] == 2


def test_a_future_of_the_fan_is_carried_out(session):
    session.spread_fan()
    fan = wait(session).fan
    assert len(fan.names) == len(fan.prediction.frames) == 9
    before = dot(session.state.frame)
    session.carry_out(fan.names.index("rest"))
    state = wait(session)
    assert dot(state.frame) == before
    assert isinstance(state.trial.goal, ImageGoal) and len(state.trial.plans) == 10
    assert state.entries[0].outcome == "fan rest" and state.entries[0].distance_m is None


def test_runs_are_episodes_that_can_be_opened_checked_and_exported(session, tmp_path):
    session.choose(Choice(env="dot", model="still", seed=3, preset="fast", num_steps=3))
    aim(session)
    session.run()
    ran = wait(session).trial
    assert validate(tmp_path / "out" / "dot").num_sound == 1
    name = session.state.entries[0].name
    session.open(name)
    state = wait(session)
    assert state.is_recorded and len(state.plans) == 3 and state.trial.goal == ran.goal
    np.testing.assert_array_equal(state.trial.episode.frames, ran.episode.frames)
    session.check()
    check = wait(session).check
    moved = np.linalg.norm(np.diff(ran.episode.tracks[:, 0], axis=0), axis=-1)
    assert check.ahead_px == pytest.approx(moved, abs=1e-3), "still errs by what moved"
    assert check.ahead_db == pytest.approx(check.still_db, abs=1e-3)
    for suffix in (".gif", ".mp4"):
        session.export(name, suffix)
        assert wait(session).saved == tmp_path / "out" / f"{name}{suffix}"
        assert session.state.saved.stat().st_size > 1000
    session.leave()
    assert session.state.trial is None and not session.state.is_recorded


def test_a_later_session_finds_what_an_earlier_one_kept(session, tmp_path):
    aim(session)
    session.run()
    entries = wait(session).entries
    other = Session(DOT, tmp_path / "out")
    try:
        assert other.state.entries == entries
    finally:
        other.close()


def test_no_name_leads_out_of_the_folder(session):
    for name in ("../../etc/passwd", "dot-000099", ""):
        session.open(name)
        assert "there is no run" in wait(session).message


def test_undo_takes_back_one_change_after_the_other(session):
    place, _ = aim(session)
    session.edit(Draft().clicked(place))
    session.aim_at(session.state.frame)
    assert isinstance(session.state.goal, ImageGoal)
    session.undo()
    assert session.state.draft == Draft().clicked(place) and session.state.image_goal is None
    session.undo()
    assert session.state.draft.goal is not None
    session.undo()
    session.undo()
    assert session.state.draft == Draft()


def test_an_env_that_cannot_be_made_is_said_and_another_can_be_chosen(session, monkeypatch):
    def refuse(self):
        raise RuntimeError("no simulator")

    with monkeypatch.context() as patch:
        patch.setattr(Operator, "_look", refuse)
        session.reset(DOT)
        assert wait(session).is_error
    session.reset(Choice(env="dot", model="still", seed=4))
    assert not wait(session).is_error


def test_the_list_of_runs_does_not_hold_their_frames(session):
    """Fifty runs must not fill the memory: only the newest one's plans are kept, the others are on disk."""
    for _ in range(2):
        aim(session)
        session.run()
        state = wait(session)
    assert len(state.entries) == 2
    assert all(not len(plan.runners_up) for plan in state.trial.plans)
    assert all(len(plan.prediction.frames) == 1 for plan in state.trial.plans)


def test_a_reset_that_is_refused_leaves_the_scene_as_it_was(session):
    before = session.state
    session.reset(Choice(env="push", model="still", preset="fast", num_objects=99))
    state = wait(session, lambda state: state.is_idle and state.is_error)
    assert state.choice == before.choice
    np.testing.assert_array_equal(state.frame, before.frame)
    aim(session)
    session.step()
    assert wait(session).message == ""


def test_the_fan_of_the_simulator_follows_the_designated_pixel(tmp_path):
    session = Session(Choice(env="dot", model="simulator", seed=3, preset="fast", num_steps=4), tmp_path / "out")
    try:
        wait(session)
        aim(session)
        session.spread_fan()
        state = wait(session)
        assert not state.is_error, state.message
        assert state.fan is not None and state.fan.prediction.pixel_maps.shape[2] == 1
    finally:
        session.close()


def test_what_is_no_run_of_the_page_is_neither_listed_nor_overwritten(session, tmp_path):
    aim(session)
    session.run()
    wait(session)
    (kept,) = (tmp_path / "out" / "dot").glob("episode_*.hdf5")
    kept.write_bytes(b"damaged")
    again = Session(DOT, tmp_path / "out")
    try:
        wait(again)
        assert again.state.entries == ()
        aim(again)
        again.run()
        assert len(wait(again).entries) == 1
        assert kept.read_bytes() == b"damaged"
    finally:
        again.close()
