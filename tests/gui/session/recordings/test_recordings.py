"""A session on recorded episodes: frames, actions, what is imagined, and how that is compared."""

from dataclasses import replace

import numpy as np
import pytest

from tests.fakes.checkpoints import untrained
from tests.fakes.episodes import patch_episode, write_patches
from tests.gui.sessions import wait
from visual_foresight.episodes.episode_files import episode_path
from visual_foresight.gui.session.goals import Draft
from visual_foresight.gui.session.layers.answers import Flow, Wish
from visual_foresight.gui.session.recordings.actions import Actions, Stretch
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.settings import Settings
from visual_foresight.gui.session.view_only import ViewOnly
from visual_foresight.types import Pixel, UserError

SIZE = (24, 40)
STILL = Settings(model="still", preset="fast")
NUM_EPISODES = 4


@pytest.fixture
def data(tmp_path):
    return write_patches(tmp_path / "data", SIZE, NUM_EPISODES)


@pytest.fixture
def session(data, tmp_path):
    session = Session(STILL, tmp_path / "out", data)
    wait(session)
    yield session
    session.close()


@pytest.fixture
def model(tmp_path):
    """A model of the data's frames, states and actions."""
    return str(untrained(tmp_path / "mine", SIZE))


def patch(number=0, step=0):
    """Return the centre of the patch in a frame of an episode."""
    row, col = patch_episode(number, SIZE).tracks[step, 0]
    return Pixel(float(row), float(col))


def imagine(session, kind="recorded", stretches=()):
    session.recordings.choose_actions(Actions(kind, stretches))
    session.recordings.imagine()
    return wait(session)


def test_the_first_frame_of_the_first_episode_is_shown(session):
    state = session.state
    np.testing.assert_array_equal(state.frame, patch_episode(0, SIZE).frames[0])
    assert (state.recording.number, state.recording.num_steps) == (0, 9)
    assert state.trial is None and state.is_editable and not state.entries


def test_another_episode_and_another_frame_are_shown(session):
    session.recordings.open_episode(2)
    wait(session)
    session.recordings.go_to(5)
    episode = patch_episode(2, SIZE)
    np.testing.assert_array_equal(session.state.frame, episode.frames[5])
    assert session.state.recording.num_left == 4
    session.recordings.go_to(99)
    np.testing.assert_array_equal(session.state.frame, episode.frames[-1])
    session.recordings.open_next(1)
    assert wait(session).recording.number == 3
    session.recordings.open_next(1)
    assert wait(session).recording.number == 3, "it is the last one"
    session.recordings.open_episode(7)
    assert "there is no episode 7" in session.state.message and session.state.is_error


def test_recorded_actions_are_imagined_beside_the_recording(session):
    session.recordings.go_to(2)
    session.edit(Draft().clicked(patch(step=2)))
    state = imagine(session)
    assert not state.is_error, state.message
    episode = patch_episode(0, SIZE)
    (plan,) = state.trial.plans
    np.testing.assert_array_equal(plan.actions, episode.actions[2:])
    np.testing.assert_array_equal(state.trial.episode.frames, episode.frames[2:])
    np.testing.assert_array_equal(state.trial.episode.tracks, episode.tracks[2:, :1])
    errors = state.recording.errors
    assert len(errors.place_px) == 8
    assert errors.frame == pytest.approx(errors.persistence_frame), "the model is still"
    way_px = np.linalg.norm(episode.tracks[2:, 0] - episode.tracks[2, 0], axis=-1)
    assert errors.persistence_px == pytest.approx(way_px, abs=1e-3)


def test_as_many_recorded_actions_are_imagined_as_steps_are_chosen(session):
    session.choose(replace(session.state.choices, num_steps=3))
    state = imagine(session)
    assert len(state.trial.plans[0].actions) == len(state.recording.errors.frame) - 1 == 3
    assert state.recording.errors.place_px == (), "no pixel is designated"


def test_a_model_with_weights_sees_what_was_recorded_before(session, model):
    session.recordings.go_to(4)
    assert session.choose_checkpoint(model), session.state.message
    state = imagine(session)
    assert not state.is_error, state.message
    assert state.imagined_by == model and len(state.trial.plans[0].actions) == 5
    errors = state.recording.errors
    assert errors.frame != pytest.approx(errors.persistence_frame)


def test_actions_by_hand_are_cut_to_the_workspace_and_compared_with_nothing(session):
    state = imagine(session, "hand", (Stretch((-1.0, 0.0), 6), Stretch((0.0, 0.5))))
    assert state.trial.plans[0].actions[:, 0].tolist() != [-1.0] * 6 + [0.0]
    assert "cut to what the arm can carry out" in state.message
    assert state.recording.errors is None and not state.num_done
    assert len(state.trial.plans[0].actions) == 7


def test_recorded_actions_can_be_changed_by_hand(session):
    session.recordings.go_to(6)
    session.recordings.take_recorded_actions()
    actions = session.state.recording.actions
    assert actions.kind == "hand" and actions.num_by_hand == 3
    np.testing.assert_allclose(actions.by_hand(), patch_episode(0, SIZE).actions[6:])


def test_the_planner_plans_from_a_recorded_frame(session):
    state = imagine(session, "planned")
    assert state.is_error and "no whole goal" in state.message
    place = patch()
    session.edit(Draft().clicked(place).clicked(Pixel(place.row, place.col + 8)))
    state = imagine(session, "planned")
    assert not state.is_error, state.message
    assert state.trial.plans[0].costs and state.recording.errors is None
    assert state.trial.goal.targets


def test_a_change_of_goal_or_frame_shows_nothing_imagined_before(session):
    imagine(session)
    session.edit(Draft().clicked(patch()))
    assert session.state.trial is None and session.state.recording.errors is None
    imagine(session)
    session.recordings.go_to(1)
    assert session.state.trial is None and session.state.draft == Draft()
    session.undo()
    assert session.state.draft == Draft(), "that was of another frame"


def test_what_cannot_be_imagined_is_said(session):
    session.recordings.go_to(9)
    assert "no action was recorded after" in imagine(session).message
    assert "press Add" in imagine(session, "hand").message
    session.choose(replace(session.state.choices, model="random"))
    assert "it imagines nothing" in imagine(session).message
    assert not session.state.trial


def test_nothing_moves_and_nothing_is_set_anew(session):
    for act in (session.run, session.step, session.reset, lambda: session.run_batch(2)):
        act()
        assert "nothing can be moved" in wait(session).message
    session.plan()
    assert wait(session).is_error


def test_models_that_do_not_fit_say_why(data, tmp_path, monkeypatch):
    other = str(untrained(tmp_path / "other", (48, 80)))
    session = Session(replace(STILL, model=other), tmp_path / "out", data)
    try:
        state = wait(session)
        assert state.settings.model == state.choices.model == "still"
        assert "has frames of 24x40, not 48x80): still takes its place" in state.message
        assert state.unfit_models["random"] == "it imagines nothing"
        assert "frames of 24x40, not 64x64" in state.unfit_models["rigid"]
        assert not session.choose_checkpoint(other)
        assert "type another folder" in session.state.message
    finally:
        session.close()


def test_a_folder_that_is_no_fitting_checkpoint_is_refused(session, data, tmp_path):
    other = str(untrained(tmp_path / "other", SIZE, env="push"))
    for folder, words in (
        (other, "has states of size 2, not 4"),
        (str(data), "has no config.json"),
        ("nowhere", "there is no predictor or checkpoint"),
        ("n" * 300, "cannot be read"),
        ("", "no folder of a checkpoint was typed"),
    ):
        assert not session.choose_checkpoint(folder)
        assert words in session.state.message and session.state.is_error
    assert session.state.choices.model == "still"


def test_a_damaged_episode_is_said_and_the_others_can_be_seen(session, data):
    episode_path(data, 1).write_bytes(b"nothing")
    session.recordings.open_episode(1)
    state = wait(session)
    assert state.is_error and "episode_000001" in state.message
    assert state.recording.number == 0 and state.frame is not None
    session.recordings.open_episode(2)
    assert wait(session).recording.number == 2


def test_data_that_cannot_be_shown_are_refused_at_once(data, tmp_path):
    with pytest.raises(UserError, match="is no folder of episodes"):
        Session(STILL, tmp_path / "out", tmp_path / "nowhere")
    episode_path(data, 0).write_bytes(b"nothing")
    with pytest.raises(UserError, match="episode_000000"):
        Session(STILL, tmp_path / "out", data)


def test_who_looks_on_changes_nothing(session, model):
    page = ViewOnly(session)
    before = session.state
    page.recordings.go_to(3)
    page.recordings.imagine()
    assert not page.choose_checkpoint(model)
    assert session.state is before
    assert "view only" in page.state.message


def test_flow_can_be_asked_for(session, model):
    assert session.choose_checkpoint(model), session.state.message
    imagine(session)
    state = session.state
    wish = Wish("flow", state.run_of_plans, state.recording.step)
    assert session.ask(wish)
    state = wait(session, lambda state: wish in state.answers)
    assert isinstance(state.answers[wish], Flow)
