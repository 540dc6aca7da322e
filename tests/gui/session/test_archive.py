"""The archive: runs are listed, opened, checked, exported, and never overwritten."""

import gc
import weakref

import numpy as np
import pytest

from tests.gui.sessions import DOT, make_goal, wait
from visual_foresight.collect.collection import CollectConfig, collect
from visual_foresight.episodes.episode_files import write_episode
from visual_foresight.episodes.validation import validate
from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.goals.registry import goal_to_json
from visual_foresight.gui.session.archive import Archive
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.settings import Settings
from visual_foresight.types import Episode, UserError


def test_runs_are_episodes_that_can_be_opened_checked_and_exported(session, tmp_path):
    session.choose(Settings(env="dot", model="still", seed=3, preset="fast", num_steps=3))
    make_goal(session)
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
    assert check.one_step_px == pytest.approx(moved, abs=1e-3), "still errs by what moved"
    assert check.one_step_db == pytest.approx(check.persistence_db, abs=1e-3)
    for suffix in (".gif", ".mp4"):
        session.export(name, suffix)
        assert wait(session).animation == tmp_path / "out" / f"{name}{suffix}"
        assert session.state.animation.stat().st_size > 1000
    session.close_recording()
    assert session.state.trial is None and not session.state.is_recorded


def test_a_run_to_an_image_is_measured_as_seen_and_not_called_a_success(session, tmp_path):
    seen = session.state.frame
    session.set_goal_image(ImageGoal(255 - seen))
    session.run()
    state = wait(session)
    assert not state.is_error, state.message
    (entry,) = state.entries
    assert (entry.goal, entry.outcome, entry.num_steps) == ("an image", "done", 4)
    assert entry.distance_m is None and entry.distance == state.trial.distances[-1]
    assert entry.distance_text == f"{entry.distance:.3g} difference"
    expected = np.sqrt(np.square((2 * seen.astype(float) - 255) / 255).mean())
    assert state.trial.distances[0] == pytest.approx(expected)
    session.open(entry.name)
    opened = wait(session).trial
    assert opened.distances == state.trial.distances and opened.distances_m == ()
    np.testing.assert_array_equal(opened.goal.frame, 255 - seen)
    assert Archive(tmp_path / "out").entries == (entry,)


def test_older_runs_to_an_image_are_read_without_their_distances(session, tmp_path):
    """They said 0 m and 0 px, which meant nothing."""
    frame = session.state.frame
    episode = Episode(
        actions=np.zeros((1, 2), np.float32),
        frames=np.stack([frame, frame]),
        states=np.zeros((2, 2), np.float32),
        tracks=np.zeros((2, 0, 2), np.float32),
        meta={
            "goal": goal_to_json(ImageGoal(frame)),
            "outcome": "done",
            "distances_m": [0.0, 0.0],
            "distances_px": [0.0, 0.0],
        },
    )
    write_episode(tmp_path / "old" / "dot", 3, episode)
    archive = Archive(tmp_path / "old")
    (entry,) = archive.entries
    assert (entry.name, entry.num_steps, entry.distance_text) == ("dot-000003", 1, "")
    trial = archive.open(entry.name)
    assert (trial.distances, trial.distances_m) == ((), ()) and not trial.success(1.0)
    assert archive.export(entry.name, trial, ".gif").exists()


def test_a_later_session_finds_what_an_earlier_one_kept(session, tmp_path):
    make_goal(session)
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


def test_runs_do_not_hold_what_was_imagined(session):
    """Fifty runs must not fill the memory: plans are on disk, and read one at a time."""
    for _ in range(2):
        make_goal(session)
        session.run()
        state = wait(session)
    assert len(state.entries) == 2 and len(state.trial.plans) == 4
    plan = weakref.ref(state.trial.plans[0])
    assert plan() is not None, "the last ones read are remembered"
    for step in range(1, 4):
        assert len(state.trial.plans[step].prediction.frames) == 4, "with its runners-up"
    session.reset(DOT)
    wait(session)
    del state
    gc.collect()
    assert plan() is None


def test_what_is_no_run_of_the_page_is_neither_listed_nor_overwritten(session, tmp_path):
    make_goal(session)
    session.run()
    wait(session)
    (kept,) = (tmp_path / "out" / "dot").glob("episode_*.hdf5")
    kept.write_bytes(b"damaged")
    again = Session(DOT, tmp_path / "out")
    try:
        wait(again)
        assert again.state.entries == ()
        make_goal(again)
        again.run()
        assert len(wait(again).entries) == 1
        assert kept.read_bytes() == b"damaged"
    finally:
        again.close()


def test_a_folder_of_collected_episodes_is_refused(tmp_path):
    collect(
        CollectConfig(tmp_path / "dot", env="dot", episodes=1, steps=2, workers=1),
        progress=False,
    )
    with pytest.raises(UserError, match="`collect` gathered"):
        Archive(tmp_path)


def test_collecting_into_the_runs_of_a_page_is_refused(session, tmp_path):
    make_goal(session)
    session.run()
    wait(session)
    with pytest.raises(UserError, match="was collected with other settings"):
        collect(
            CollectConfig(tmp_path / "out" / "dot", env="dot", episodes=2, steps=2, workers=1),
            progress=False,
        )
