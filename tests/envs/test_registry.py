"""Envs by their names, also where the simulator of some is not installed."""

import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest

from tests.envs.slider import SIZE, Slider
from tests.fakes.packages import bring, install
from visual_foresight import cli
from visual_foresight.envs.dot import DotEnv
from visual_foresight.envs.registry import ENVS, WITHOUT_BULLET, make, require
from visual_foresight.types import UserError


@pytest.fixture
def without_bullet(monkeypatch):
    monkeypatch.setitem(sys.modules, "pybullet", None)


def test_an_unknown_env_is_refused():
    with pytest.raises(
        UserError, match="unknown env 'dots': choose one of dot, push, push4, pusht"
    ):
        make("dots")


@pytest.mark.parametrize("name", ["push", "push4"])
def test_the_table_wants_pybullet(without_bullet, name):
    with pytest.raises(UserError) as caught:
        make(name)
    assert str(caught.value) == WITHOUT_BULLET


def test_the_dot_does_not(without_bullet):
    make("dot").close()


@pytest.mark.parametrize(
    "words",
    [
        "plan",
        "collect --folder data --episodes 1",
        "evaluate control --methods random --suites near --trials 2",
        "gui --no-browser",
        "evaluate ranking --model still",
        "evaluate throughput",
        "evaluate speed --model still",
    ],
)
def test_commands_say_so_in_one_sentence(without_bullet, monkeypatch, tmp_path, capfd, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        cli.main(words.split())
    assert caught.value.code == 2
    assert capfd.readouterr() == ("", f"visual-foresight: {WITHOUT_BULLET}\n")
    assert not list(tmp_path.iterdir()), "nothing was begun"


def test_views_are_chosen_by_name():
    for views in (("front", "side"), ("side",), ("side", "front")):
        env = make("push", (24, 32), views=views)
        assert tuple(env.info.views) == views
        env.close()
    for same in (None, (), ("front",)):
        env = make("push4", (24, 32), views=same)
        assert tuple(env.info.views) == ("front",)
        env.close()
    make("dot", views=("top",)).close()


@pytest.mark.parametrize(
    ("name", "views", "sentence"),
    [
        ("push", ("front", "above"), "has no view 'above': choose among front, side"),
        ("push", ("front", "front"), "'front' is named twice"),
        ("dot", ("top", "front"), "the env 'dot' has no view 'front': choose among top"),
        ("dot", ("top", "top"), "'top' is named twice"),
    ],
)
def test_views_that_are_not_there_are_refused(name, views, sentence):
    with pytest.raises(UserError, match=sentence):
        make(name, views=views)


def dot(frame_size=(64, 64)):
    return DotEnv(frame_size)


def test_a_package_brings_an_env(monkeypatch, tmp_path):
    bring(monkeypatch, tmp_path, "envs", "another", dot)
    assert list(ENVS) == ["push", "push4", "pusht", "dot", "another"]
    require("another")
    assert make("another", (24, 32)).info.frame_size == (24, 32)
    with pytest.raises(UserError, match="'another' has no held-out objects.*`held_out`"):
        make("another", held_out=True)


def test_a_plain_gymnasium_env_that_takes_nothing_has_frames_of_its_own_size(
    monkeypatch, tmp_path
):
    bring(monkeypatch, tmp_path, "envs", "slider", Slider)
    assert make("slider").info.frame_size == make("slider", SIZE).info.frame_size == SIZE
    with pytest.raises(UserError, match="has frames of 32x40 pixels, and 96x96 were asked for"):
        make("slider", (96, 96))


def test_nothing_is_imported_before_it_is_built(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(tmp_path))
    install(tmp_path, "late-world", {"envs": {"late": "late_world:Late"}})
    (tmp_path / "late_world.py").write_text("raise ImportError('no robot here')\n")
    require("late")
    with pytest.raises(UserError, match="'late' of the package late-world cannot be imported"):
        make("late")


class Picky(Slider):
    """An env that cannot be built without a port."""

    def __init__(self, port):
        super().__init__()


class Blind:
    """A world that nobody can look at."""

    def reset(self, *, seed=None, options=None):
        return {}, {}

    def step(self, action):
        return {}, 0.0, False, False, {}

    def close(self):
        pass


class Unknown(Blind):
    """A world that can be looked at, and does not say what it is."""

    def observe(self):
        return None


class Blank(gymnasium.Env):
    """A Gymnasium env whose observation is no frame."""

    observation_space = gymnasium.spaces.Box(0, 1, (3,), np.float32)
    action_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)


@pytest.mark.parametrize(
    ("alternative", "sentence"),
    [
        (Picky, "the env 'odd' cannot be built without 'port', and is given frame_size, held"),
        (Blind, r"the env 'odd' has no observe\(\), which every env needs"),
        (Unknown, "the env 'odd' has no info, which says what cameras there are"),
        (Blank, "Blank is no env for a robot: its observation must be"),
        ({"a": 1}, "the env 'odd' is a dict, but its entry point must name a class"),
    ],
)
def test_what_cannot_be_built_is_said_in_a_sentence(
    monkeypatch, tmp_path, capsys, alternative, sentence
):
    bring(monkeypatch, tmp_path, "envs", "odd", alternative)
    with pytest.raises(UserError, match=sentence):
        make("odd")
    with pytest.raises(SystemExit) as caught:
        cli.main(["collect", "--env", "odd", "--folder", str(tmp_path / "data")])
    assert caught.value.code == 2
    output, complaint = capsys.readouterr()
    assert not output and complaint.count("\n") == 1
    assert not Path(tmp_path / "data").exists()
