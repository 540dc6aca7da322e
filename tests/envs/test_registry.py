"""Envs by their names, also where the simulator of some is not installed."""

import sys

import pytest

from visual_foresight import cli
from visual_foresight.envs.registry import WITHOUT_BULLET, make
from visual_foresight.types import UserError


@pytest.fixture
def without_bullet(monkeypatch):
    monkeypatch.setitem(sys.modules, "pybullet", None)


def test_an_unknown_env_is_refused():
    with pytest.raises(UserError, match="unknown env 'dots': choose one of dot, push, push4"):
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
