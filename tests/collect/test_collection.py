"""Collection: what the explorer does, and that episodes do not depend on who makes them, or how often it is killed."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from visual_foresight.collect.collection import CollectConfig, collect
from visual_foresight.collect.explorers.sweeps import Explorer, colorful_places
from visual_foresight.collect.recorder import record_episode
from visual_foresight.envs.dot import PIXEL_M, DotEnv
from visual_foresight.envs.registry import make
from visual_foresight.episodes.episode_files import read_episode, write_episode
from visual_foresight.episodes.info import read_info, write_info
from visual_foresight.episodes.validation import validate
from visual_foresight.types import Observation, UserError, Workspace

SIZE = (20, 28)
WORKSPACE = Workspace(low=(0.0, 0.0), high=(0.4, 0.5), step=(0.04, 0.05))


def dot_config(folder: Path, **changes: object) -> CollectConfig:
    settings = {
        "env": "dot",
        "episodes": 6,
        "steps": 5,
        "frame_size": SIZE,
        "workers": 1,
        "seed": 4,
    }
    return CollectConfig(folder=folder, **{**settings, **changes})


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def roam(
    explorer: Explorer, workspace: Workspace, num_steps: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Let an explorer walk in a workspace without anything in it.

    Return its actions and its states.
    """
    rng = np.random.default_rng(seed)
    state = rng.uniform(workspace.low, workspace.high).astype(np.float32)
    actions, states = [], [state]
    for _ in range(num_steps):
        actions.append(
            explorer.act(Observation(np.zeros((2, 3, 3), np.uint8), states[-1]), rng)
        )
        states.append((states[-1] + actions[-1] * workspace.step).astype(np.float32))
    return np.array(actions), np.array(states)


def nowhere(observation: Observation) -> np.ndarray:
    return np.empty((0, 2))


@pytest.mark.parametrize("seed", range(3))
def test_actions_are_what_is_carried_out(seed: int) -> None:
    actions, states = roam(Explorer(WORKSPACE, nowhere), WORKSPACE, 100, seed)
    assert np.abs(actions).max() <= 1 + 1e-6
    assert (states >= np.array(WORKSPACE.low) - 1e-6).all()
    assert (states <= np.array(WORKSPACE.high) + 1e-6).all()
    kept = WORKSPACE.clip(torch.from_numpy(states[0]), torch.from_numpy(actions)[None])[0]
    np.testing.assert_allclose(kept, actions, atol=1e-5)


def test_sweeps_reach_everywhere_and_every_action() -> None:
    actions, states = roam(Explorer(WORKSPACE, nowhere), WORKSPACE, 800, seed=0)
    for axis in range(2):
        assert (np.histogram(actions[:, axis], 8, (-1.001, 1.001))[0] > 15).all()
        assert (
            np.histogram(states[:, axis], 6, (WORKSPACE.low[axis], WORKSPACE.high[axis]))[0]
            > 25
        ).all()
    assert (np.abs(actions).max(axis=1) < 0.01).mean() > 0.01  # it stops at times


def test_most_legs_lead_through_what_was_found() -> None:
    place = np.array([0.1, 0.4])  # off the middle, where few sweeps go by themselves

    def nearest_m(find_place: bool) -> float:
        distances = []
        for seed in range(20):
            find = (lambda _: place[None]) if find_place else nowhere
            _, states = roam(Explorer(WORKSPACE, find), WORKSPACE, 12, seed)
            distances.append(np.linalg.norm(states - place, axis=1).min())
        return float(np.mean(distances))

    assert nearest_m(True) < 0.5 * nearest_m(False)


def test_height_and_turn_vary_but_mostly_it_is_down() -> None:
    workspace = Workspace((0.0, 0.0, 0.01, -1.0), (0.4, 0.5, 0.1, 1.0), (0.04, 0.05, 0.03, 0.3))
    actions, states = roam(Explorer(workspace, nowhere), workspace, 300, seed=0)
    assert (actions.std(axis=0)[2:] > 0.05).all()
    assert (states[:, 2] < 0.045).mean() > 0.5
    assert states[:, 2].max() > 0.06
    assert states[:, 3].std() > 0.2


def test_the_calibrated_camera_finds_what_is_colourful() -> None:
    env = DotEnv(SIZE)
    env.reset(seed=2)
    places = colorful_places(env.homography)(env.observe())
    assert len(places) == 25
    np.testing.assert_allclose(places.mean(axis=0), env.truth()[0, :2], atol=1e-9)


def test_an_episode_depends_on_its_number_and_nothing_else() -> None:
    env, other = make("dot", SIZE), make("dot", SIZE)
    one = record_episode(env, seed=1, index=5, num_steps=4)
    different = record_episode(env, seed=1, index=6, num_steps=4)
    again = record_episode(env, seed=1, index=5, num_steps=4)
    elsewhere = record_episode(other, seed=1, index=5, num_steps=4)
    for name in ("actions", "frames", "states", "tracks"):
        np.testing.assert_array_equal(getattr(one, name), getattr(again, name))
        np.testing.assert_array_equal(getattr(one, name), getattr(elsewhere, name))
    assert (one.actions != different.actions).any()


def test_tracks_and_notes_tell_the_truth() -> None:
    episode = record_episode(make("dot", SIZE), seed=1, index=0, num_steps=6)
    kinds = np.array(episode.meta["track_kinds"])
    assert (kinds == "object").sum() == 8
    assert (kinds == "background").sum() == 4
    moves_px = np.diff(episode.states, axis=0) / PIXEL_M
    shifts = np.diff(episode.tracks, axis=0)
    for track in np.nonzero(kinds == "object")[0]:
        np.testing.assert_allclose(shifts[:, track], moves_px, atol=1e-4)
    assert (shifts[:, kinds == "background"] == 0).all()
    assert (
        episode.meta["object_moved"]
        == (np.linalg.norm(moves_px * PIXEL_M, axis=1) > 0.002).tolist()
    )
    np.testing.assert_allclose(moves_px, episode.actions * 4, atol=1e-3)


@pytest.mark.slow
def test_the_workers_do_not_matter(tmp_path: Path) -> None:
    alone = collect(dot_config(tmp_path / "one"), progress=False)
    together = collect(dot_config(tmp_path / "two", workers=2), progress=False)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert (alone.episodes_new, alone.episodes_kept) == (6, 0)
    assert alone.moved_share == together.moved_share > 0.5
    assert alone.frames_per_second > 0
    assert validate(tmp_path / "one").num_sound == 6


def test_more_episodes_are_added_to_those_there(tmp_path: Path) -> None:
    collect(dot_config(tmp_path / "whole"), progress=False)
    collect(dot_config(tmp_path / "parts", episodes=2), progress=False)
    summary = collect(dot_config(tmp_path / "parts"), progress=False)
    assert (summary.episodes_new, summary.episodes_kept) == (4, 2)
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


def test_the_folder_says_what_was_collected(tmp_path: Path) -> None:
    collect(dot_config(tmp_path, privileged=True), progress=False)
    info = read_info(tmp_path)
    assert (info.env, info.frame_size, info.action_size, info.state_size) == ("dot", SIZE, 2, 2)
    assert info.collection["privileged"] is True
    assert info.collection["seed"] == 4


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"seed": 5}, "seed 4 there, 5 here"),
        ({"steps": 6}, "steps"),
        ({"frame_size": (20, 20)}, "frame_size"),
    ],
)
def test_other_settings_in_the_same_folder_are_refused(
    tmp_path: Path, changes: dict, named: str
) -> None:
    collect(dot_config(tmp_path), progress=False)
    before = contents(tmp_path)
    with pytest.raises(UserError, match=f"other settings.*{named}"):
        collect(dot_config(tmp_path, **changes), progress=False)
    assert contents(tmp_path) == before


def test_episodes_of_a_camera_that_was_calibrated_otherwise_are_refused(tmp_path: Path) -> None:
    collect(dot_config(tmp_path), progress=False)
    info = read_info(tmp_path)
    write_info(tmp_path, replace(info, homography=((2.0, 0.0, 0.0), *info.homography[1:])))
    with pytest.raises(UserError, match="other settings.*table"):
        collect(dot_config(tmp_path), progress=False)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match="no folder of episodes"):
        collect(dot_config(tmp_path), progress=False)
    with pytest.raises(UserError, match="is a file"):
        collect(dot_config(tmp_path / "thesis.txt"), progress=False)
    assert contents(tmp_path) == {"thesis.txt": b"years of work"}


def test_bad_settings_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    for changes, named in (
        ({"episodes": 0}, "episodes"),
        ({"workers": 0}, "workers"),
        ({"seed": -1}, "seed"),
    ):
        with pytest.raises(UserError, match=named):
            dot_config(tmp_path, **changes)
    for changes, named in (
        ({"env": "dots"}, "unknown env 'dots'"),
        ({"frame_size": (4, 4)}, "4x4"),
    ):
        with pytest.raises(UserError, match=named):
            collect(dot_config(tmp_path / "new", **changes), progress=False)
    assert not (tmp_path / "new").exists()


def test_a_damaged_episode_is_named_when_resuming(tmp_path: Path) -> None:
    collect(dot_config(tmp_path), progress=False)
    (tmp_path / "episode_000003.hdf5").write_bytes(b"\0" * 999)
    with pytest.raises(
        UserError, match=r"episode_000003\.hdf5 is damaged.*delete it and collect again"
    ):
        collect(dot_config(tmp_path), progress=False)
    (tmp_path / "episode_000003.hdf5").unlink()
    assert collect(dot_config(tmp_path), progress=False).episodes_new == 1


COLLECT_MANY = """
import sys
from pathlib import Path
from visual_foresight.collect.collection import CollectConfig, collect
collect(CollectConfig(Path(sys.argv[1]), "dot", 16, 60, (20, 28), 2, seed=4))
"""


def start_collecting(folder: Path) -> subprocess.Popen:
    """Start a collection in a process group of its own, and wait until the first episodes are there."""
    process = subprocess.Popen(
        [sys.executable, "-c", COLLECT_MANY, str(folder)],
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    patience = time.monotonic() + 120
    while len(list(folder.glob("episode_*"))) < 3:
        assert process.poll() is None
        assert time.monotonic() < patience
        time.sleep(0.01)
    return process


@pytest.mark.slow
def test_an_episode_that_was_not_collected_is_named_when_resuming(tmp_path: Path) -> None:
    collect(CollectConfig(tmp_path, env="dot", episodes=2, steps=2, workers=1), progress=False)
    foreign = read_episode(tmp_path / "episode_000001.hdf5")
    write_episode(tmp_path, 1, replace(foreign, meta={}))
    with pytest.raises(UserError, match=r"episode_000001\.hdf5 was not recorded by `collect`"):
        collect(
            CollectConfig(tmp_path, env="dot", episodes=3, steps=2, workers=1), progress=False
        )


def test_a_killed_collection_resumes_to_the_same_bytes(tmp_path: Path) -> None:
    process = start_collecting(tmp_path / "killed")
    with pytest.raises(UserError, match="another collection is writing"):
        collect(dot_config(tmp_path / "killed"), progress=False)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    (tmp_path / "killed" / ".episode_000015.1.tmp.hdf5").write_bytes(b"half")
    survivors = contents(tmp_path / "killed")
    num_survivors = len(list((tmp_path / "killed").glob("episode_*")))
    assert num_survivors < 16  # it was killed on the way
    for path in (tmp_path / "killed").glob("episode_*"):
        read_episode(path)

    settings = {"episodes": 16, "steps": 60}
    summary = collect(dot_config(tmp_path / "killed", **settings), progress=False)
    assert summary.episodes_kept == num_survivors
    collect(dot_config(tmp_path / "whole", **settings), progress=False)
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
    for name, content in survivors.items():
        assert name.startswith(".") or contents(tmp_path / "killed")[name] == content


@pytest.mark.slow
def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    process = start_collecting(tmp_path / "orphans")
    process.kill()  # the parent alone
    process.wait()
    patience = time.monotonic() + 60
    while True:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            break
        assert time.monotonic() < patience
        time.sleep(0.05)
    assert len(list((tmp_path / "orphans").glob("episode_*"))) < 16


@pytest.mark.slow
def test_a_quarter_of_the_steps_move_an_object_without_privilege() -> None:
    env = make("push", (24, 32))
    episodes = [record_episode(env, seed=0, index=index, num_steps=20) for index in range(8)]
    env.close()
    assert np.mean([episode.meta["object_moved"] for episode in episodes]) > 0.25


def test_push_episodes_are_the_same_whatever_came_before(tmp_path: Path) -> None:
    env = make("push", (16, 20))
    first = record_episode(env, seed=3, index=1, num_steps=6)
    record_episode(env, seed=3, index=2, num_steps=3)
    again = record_episode(env, seed=3, index=1, num_steps=6)
    env.close()
    for name in ("actions", "frames", "states", "tracks"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
