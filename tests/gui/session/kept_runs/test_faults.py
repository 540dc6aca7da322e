"""What a full disk, damaged or foreign files and other programs do to the runs that are kept."""

import errno
import io
import json
import os
import shutil
import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.gui.sessions import DOT, dot, make_goal, wait
from visual_foresight.envs.dot import DotEnv
from visual_foresight.episodes.episode_files import read_episode, write_episode
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.gui.session import archive as archive_module
from visual_foresight.gui.session.archive import CUT_OFF, Archive
from visual_foresight.gui.session.goals import Draft
from visual_foresight.gui.session.kept_runs import run_folder
from visual_foresight.gui.session.session import Session
from visual_foresight.planning.controllers.random import RandomController
from visual_foresight.system.files import write_bytes
from visual_foresight.types import Pixel

GOAL = PixelGoal((Pixel(6, 10),), (Pixel(10, 13),))
RANDOM = replace(DOT, model="random", num_steps=20)


@pytest.fixture
def moving(tmp_path):
    """A session whose robot moves at once, and imagines nothing."""
    session = Session(RANDOM, tmp_path / "out")
    wait(session)
    yield session
    session.close()


def full(path, *_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def filling_up(write, after):
    """Return `write` for so many files; then the disk is full."""
    left = [after]

    def write_or_refuse(path, data):
        left[0] -= 1
        write(path, data) if left[0] >= 0 else full(path)

    return write_or_refuse


def test_what_was_done_before_the_disk_was_full_is_shown_and_kept(moving, monkeypatch):
    make_goal(moving)
    with monkeypatch.context() as patch:
        patch.setattr(run_folder, "write_bytes", filling_up(write_bytes, 5))
        moving.run()
        state = wait(moving)
    assert state.is_error and state.message.startswith("the disk is full")
    episode = state.trial.episode
    assert len(episode.actions) == 5, "the last one could not be kept beside the others"
    np.testing.assert_array_equal(state.frame, episode.frames[-1])
    assert state.draft == Draft() and state.pending is None
    (entry,) = state.entries
    assert (entry.outcome, entry.num_steps) == ("failed", 5)


def test_a_run_that_a_full_disk_refused_is_written_when_there_is_room(moving, monkeypatch):
    make_goal(moving)
    with monkeypatch.context() as patch:
        patch.setattr(archive_module, "write_episode", full)
        moving.run()
        state = wait(moving)
    assert state.is_error and "the disk is full" in state.message
    assert state.entries == () and state.draft == Draft()
    np.testing.assert_array_equal(state.frame, state.trial.episode.frames[-1])
    place = dot(state.frame)
    assert state.things.at(place) == "an object", "it is said of the newest frame"
    make_goal(moving)
    moving.plan()
    (entry,) = wait(moving).entries
    assert entry.outcome == state.verdict.outcome and entry.num_steps == 20


def test_the_next_program_writes_what_there_was_no_room_for(tmp_path, monkeypatch):
    session = Session(RANDOM, tmp_path)
    wait(session)
    make_goal(session)
    with monkeypatch.context() as patch:
        patch.setattr(archive_module, "write_episode", full)
        session.run()
        wait(session)
        session.close()
    (entry,) = Archive(tmp_path).entries
    assert (entry.outcome, entry.num_steps) == (CUT_OFF, 20)


def test_an_action_before_a_failed_plan_is_shown_and_kept(moving, monkeypatch):
    plan = RandomController.plan

    def fail_at_the_third(self, clip, goal, previous, rng):
        if len(moving.state.plans) == 2:
            raise ValueError("no more ideas")
        return plan(self, clip, goal, previous, rng)

    monkeypatch.setattr(RandomController, "plan", fail_at_the_third)
    make_goal(moving)
    moving.run()
    state = wait(moving)
    assert "no more ideas" in state.message
    assert state.num_done == 2 and state.entries[0].num_steps == 2
    np.testing.assert_array_equal(state.frame, state.trial.episode.frames[-1])


def test_a_damaged_step_of_a_run_under_way_is_drawn_as_imagining_nothing(session, tmp_path):
    session.choose(replace(DOT, num_steps=10, stop_within_cm=0.0))
    make_goal(session)
    for _ in range(6):
        session.step()
        wait(session)
    (folder,) = (tmp_path / "out" / "imagined").iterdir()
    (folder / "step_000000.npz").write_bytes(b"damaged")
    plans = session.state.plans
    assert session.state.pending is not None and len(list(plans)) == 7, "memory holds fewer"
    assert plans[0].prediction.frames.shape[1] == 0 and len(plans[0].actions)
    assert plans[1].prediction.frames.shape[1]


def test_a_future_of_the_fan_that_was_cut_off_is_for_no_goal(session, tmp_path):
    session.imagine_fan()
    wait(session)
    session.carry_out(0)
    (entry,) = wait(session).entries
    out = tmp_path / "out"
    notes = out / "imagined" / entry.name / "run.json"
    notes.write_text(json.dumps(json.loads(notes.read_text()) | {"finished": False}))
    shutil.rmtree(out / "dot")  # as after a kill
    archive = Archive(out)
    (again,) = archive.entries
    assert (again.outcome, again.goal, again.num_steps) == (CUT_OFF, "none", entry.num_steps)
    assert again.distance is None and again.distance_m is None and again.distance_text == ""
    assert archive.open(again.name).distances == ()


NOTES = {"folder": "dot", "number": 3, "goal": {"pixels": [[[6, 10], [10, 13]]]}, "notes": {}}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        "[" * 100_000,
        *(json.dumps({**NOTES, key: None}) for key in NOTES),
        *(json.dumps({**NOTES, key: {"x": [1]}}) for key in NOTES if key != "notes"),
        json.dumps({**NOTES, "folder": "../elsewhere"}),
        json.dumps({**NOTES, "number": 4}),
        json.dumps({**NOTES, "goal": {"png": "aGVsbG8="}}),
    ],
    ids=range(14),
)
def test_damaged_and_foreign_notes_keep_no_program_from_starting(content, tmp_path):
    env = DotEnv((20, 28))
    env.reset(seed=3)
    folder = tmp_path / "out" / "imagined" / "dot-000003"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(content)
    archive = Archive(tmp_path / "out")
    assert archive.entries == ()
    assert (folder / "run.json").read_text() == content, "it is left as it is"
    assert not (tmp_path / "elsewhere").exists() and not (tmp_path / "out" / "dot").exists()
    archive.begin(GOAL, "dot", env, {}).remove()


def test_episodes_with_foreign_notes_are_not_listed(session, tmp_path):
    make_goal(session)
    session.run()
    (entry,) = wait(session).entries
    folder = tmp_path / "out" / "dot"
    episode = read_episode(folder / "episode_000000.hdf5")
    write_episode(folder, 1, replace(episode, meta={}))
    foreign: tuple[dict[str, Any], ...] = (
        {"distances_m": None},
        {"distances_m": "near"},
        {"distances_m": [0.1]},
        {"distances_px": ["a", "b", "c", "d", "e"]},
        {"goal": None},
        {"goal": {"png": 3}},
        {"num_actions": "many"},
    )
    for number, changes in enumerate(foreign, start=2):
        meta = {**episode.meta, **changes}
        write_episode(folder, number, replace(episode, meta=meta))
    assert Archive(tmp_path / "out").entries == (entry,)


@pytest.fixture(scope="module")
def cut_off(tmp_path_factory):
    """The output folder of a program that was killed before it wrote its episode."""
    out = tmp_path_factory.mktemp("cut-off")
    session = Session(replace(DOT, num_steps=3, stop_within_cm=0.0), out)
    wait(session)
    make_goal(session)
    session.run()
    (entry,) = wait(session).entries
    session.close()
    notes = out / "imagined" / entry.name / "run.json"
    notes.write_text(json.dumps(json.loads(notes.read_text()) | {"finished": False}))
    shutil.rmtree(out / "dot")
    return out


def without(file, name):
    """Return the content of a file of arrays without one of them."""
    with np.load(file) as arrays:
        kept = {key: value for key, value in arrays.items() if key != name}
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **kept)
    return content.getvalue()


@pytest.mark.parametrize(
    ("damage", "num_left"),
    [
        (lambda file: b"", 1),
        (lambda file: file.read_bytes()[:-30], 1),
        (lambda file: file.with_name("step_000000.npz").read_bytes(), 1),  # of another step
        (lambda file: without(file, "state"), 1),
        (lambda file: without(file, "maps"), 3),
        (lambda file: np.zeros(3).tobytes(), 1),
    ],
    ids=["empty", "cut", "another", "no state", "no maps", "noise"],
)
def test_a_run_ends_before_a_damaged_step(cut_off, tmp_path, damage, num_left):
    out = tmp_path / "out"
    shutil.copytree(cut_off, out)
    file = out / "imagined" / "dot-000000" / "step_000002.npz"
    file.write_bytes(damage(file))
    archive = Archive(out)
    (entry,) = archive.entries
    assert entry.num_steps == num_left
    plans = archive.open(entry.name).plans
    assert [len(plan.sources) for plan in plans] == [1, 1, 0][:num_left]


def test_a_damaged_description_of_the_world_is_not_copied(cut_off, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(cut_off, out)
    (out / "imagined" / "dot-000000" / "dataset.json").write_text("{")
    assert Archive(out).entries == ()
    assert Archive(out).entries == (), "the next program starts, too"


def test_a_program_that_was_killed_before_it_wrote_leaves_nothing(tmp_path):
    folder = tmp_path / "imagined" / "dot-000000"
    folder.mkdir(parents=True)
    (folder / ".run.1.tmp.json").write_bytes(b"{")
    Archive(tmp_path)
    assert not folder.exists()


def test_two_programs_in_one_folder_take_numbers_of_their_own(tmp_path):
    env = DotEnv((20, 28))
    env.reset(seed=3)
    archives = [Archive(tmp_path) for _ in range(2)]
    taken: list[str] = []

    def take(archive):
        for _ in range(10):
            taken.append(archive.begin(GOAL, "dot", env, {}).folder.name)

    threads = [threading.Thread(target=take, args=(archive,)) for archive in archives]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(taken)) == 20


def test_a_run_that_cannot_begin_leaves_nothing(tmp_path, monkeypatch):
    env = DotEnv((20, 28))
    archive = Archive(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(archive_module, "write_info", full)
        with pytest.raises(OSError, match="No space"):
            archive.begin(GOAL, "dot", env, {})
    assert not list(tmp_path.glob("imagined/*"))
    assert archive.begin(GOAL, "dot", env, {}).folder.name == "dot-000000"


def test_a_run_that_cannot_be_opened_ends_nothing(moving):
    make_goal(moving)
    moving.step()
    wait(moving)
    moving.open("dot-000099")
    state = wait(moving)
    assert "there is no run" in state.message and state.num_done == 1
    moving.step()
    assert wait(moving).num_done == 2
