"""The timeline: what each panel shows of a run under way, of one that ended, and of a replay."""

from dataclasses import replace

import numpy as np
import pytest

from tests.gui import sessions
from visual_foresight.gui.page.frames.marks import imagined_marks, scene_marks
from visual_foresight.gui.page.prediction.timeline import Timeline
from visual_foresight.gui.session.goals import Draft
from visual_foresight.gui.session.state import Status

HORIZON = 12
NUM_STEPS = 4


@pytest.fixture
def ended(session):
    """The state after a run of four actions."""
    sessions.make_goal(session)
    session.run()
    return sessions.wait(session, lambda state: state.is_idle and state.entry_name != "")


def under_way(ended, num_done):
    """Return the run as it was after so many actions, with the next plan pending."""
    trial = ended.trial
    whole = trial.episode
    episode = replace(
        whole,
        frames=whole.frames[: num_done + 1],
        states=whole.states[: num_done + 1],
        tracks=whole.tracks[: num_done + 1],
        actions=whole.actions[:num_done],
    )
    return replace(
        ended,
        status=Status.RUNNING,
        trial=replace(trial, episode=episode, plans=trial.plans[:num_done]),
        pending=trial.plans[num_done],
    )


def test_it_moves_on_with_the_run_until_a_person_goes_back(ended):
    timeline = Timeline()
    for num_done, shown in ((0, (0, HORIZON)), (1, (0, 1)), (2, (1, 1))):
        timeline.follow(under_way(ended, num_done))
        assert (timeline.step, timeline.ahead) == shown
    state = under_way(ended, 2)
    timeline.go(state, "previous")
    timeline.follow(under_way(ended, 3))
    assert (timeline.step, timeline.ahead) == (0, 1), "new steps throw nobody back"
    timeline.go(under_way(ended, 3), "last")
    assert (timeline.step, timeline.ahead) == (2, 1)


def test_how_far_ahead_a_person_looks_is_kept_while_the_run_goes_on(ended):
    timeline = Timeline()
    timeline.follow(under_way(ended, 1))
    timeline.choose(under_way(ended, 1), timeline.step, 7)
    timeline.follow(under_way(ended, 2))
    assert (timeline.step, timeline.ahead) == (2, 7), "of the newest plan"
    assert timeline.frame_index(under_way(ended, 2)) is None, "the scene stays live"


def test_the_scene_shows_the_same_step_or_the_frame_before_the_plan(ended):
    replay = replace(ended, is_recorded=True, run_number=ended.run_number + 1)
    timeline = Timeline()
    timeline.follow(replay)
    assert timeline.same_time
    assert (timeline.step, timeline.ahead, timeline.frame_index(replay)) == (0, 1, 1)
    timeline.choose(replay, 1, 2)
    assert timeline.frame_index(replay) == 3
    seen = timeline.real_frame(replay)
    assert seen is not None and np.array_equal(seen, replay.trial.episode.frames[3])
    timeline.same_time = False
    assert timeline.frame_index(replay) == 1
    timeline.choose(replay, 3, 2)
    assert timeline.real_frame(replay) is None, "the run ended before"
    assert not timeline.has_happened(replay)


def test_keys_reach_every_step(ended):
    replay = replace(ended, is_recorded=True, run_number=ended.run_number + 1)
    timeline = Timeline()
    timeline.follow(replay)
    for key, shown in (
        ("End", (3, 1)),
        ("PageDown", (3, 1)),
        ("PageUp", (2, 1)),
        ("]", (2, 2)),
        ("Home", (0, 2)),
        ("[", (0, 1)),
        ("[", (0, 0)),
        ("[", (0, 0)),
    ):
        assert timeline.type(replay, key)
        assert (timeline.step, timeline.ahead) == shown, key
    assert not timeline.type(replay, "Enter")
    assert timeline.type(replay, "p")
    assert timeline.play(replay)
    assert timeline.step == 1


def test_the_goal_is_marked_in_both_frames_of_every_state(ended):
    target = ended.trial.goal.targets[0]
    running = under_way(ended, 2)
    replay = replace(ended, is_recorded=True)
    for state, index in (
        (under_way(ended, 0), None),
        (running, 1),
        (running, None),
        (ended, 2),
        (ended, None),
        (replay, 0),
        (replay, NUM_STEPS),
    ):
        marks = scene_marks(state, index)
        assert [pair.target for pair in marks.draft.pairs] == [target]
    assert scene_marks(ended, None).is_past, "it is no goal to be planned for any more"
    for state, step in ((running, 2), (ended, 3), (replay, 3), (replay, NUM_STEPS)):
        plan = state.plans[step] if step < len(state.plans) else None
        (pair,) = imagined_marks(state, plan, step).draft.pairs
        assert pair.target == target


def test_where_nobody_knows_a_place_the_goal_alone_is_marked(ended):
    nowhere = replace(ended.trial, plans=(), is_believed=True)
    marks = scene_marks(replace(ended, trial=nowhere, is_recorded=True), NUM_STEPS)
    assert marks.targets == ended.trial.goal.targets
    assert marks.draft == Draft()
