"""Laws that every registered goal keeps; a new one needs an entry in `REACHED`."""

import json

import numpy as np
import pytest

from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.goals.registry import GOALS, goal_from_json, goal_to_json
from visual_foresight.planning.costs.registry import COSTS
from visual_foresight.types import Goal, Observation, Pixel, UserError

SIZE = (6, 9)
NOISE = np.random.default_rng(0).integers(0, 256, (*SIZE, 3)).astype(np.uint8)
STATE = np.zeros(2, np.float32)
GOAL_PIXELS = (Pixel(2, 3), Pixel(4.5, 0))
REACHED: dict[str, tuple[Goal, Observation, tuple[Pixel, ...]]] = {
    "pixels": (
        PixelGoal((Pixel(0, 1), Pixel(4.5, 0)), GOAL_PIXELS),
        Observation.single(NOISE, STATE),
        GOAL_PIXELS,
    ),
    "png": (ImageGoal(NOISE), Observation.single(NOISE, STATE), ()),
}
"""Name -> a goal, and what is seen, and where its pixels are, when it is reached."""


@pytest.fixture(params=GOALS)
def name(request):
    return request.param


@pytest.fixture
def goal(name):
    return REACHED[name][0]


def test_it_keeps_its_promise(name, goal):
    assert isinstance(goal, GOALS[name]) and isinstance(goal, Goal)
    assert goal.kind == name and goal.cost in COSTS and goal.unit
    assert len(goal.sources) == len(goal.targets)
    assert goal.describe() and "\n" not in goal.describe()


def test_a_file_keeps_it(name, goal):
    written = json.loads(json.dumps(goal_to_json(goal)))
    assert list(written) == [name]
    again = goal_from_json(written)
    assert goal_to_json(again) == written and type(again) is type(goal)
    assert (again.sources, again.targets) == (goal.sources, goal.targets)


@pytest.mark.parametrize("content", [3, None, "?", [], [[1, 2]]])
def test_what_is_no_goal_is_refused_in_words(name, content):
    with pytest.raises(UserError, match="is written as"):
        goal_from_json({name: content})


def test_it_fits_its_frames_and_no_smaller_ones(goal):
    goal.check(SIZE)
    with pytest.raises(UserError) as refused:
        goal.check((3, 2))
    assert "\n" not in str(refused.value)


def test_it_is_0_away_when_it_is_reached(name):
    goal, observation, places = REACHED[name]
    assert goal.measure(observation, places) == 0
    elsewhere = tuple(Pixel(place.row + 1, place.col) for place in places)
    distance = goal.measure(Observation.single(255 - NOISE, STATE), elsewhere)
    assert distance is not None and distance > 0


def test_it_draws_itself_for_people(goal):
    picture = np.full((2 * SIZE[0], 2 * SIZE[1], 3), 90, np.uint8)
    drawn = goal.draw(picture, goal.sources, 2)
    assert drawn.dtype == np.uint8 and drawn.shape[0] == picture.shape[0]
    assert goal.draw(picture, (), 2).shape == drawn.shape, "films are of one size"
    assert drawn.shape != picture.shape or (drawn != picture).any()
    assert (picture == 90).all()


def test_an_unknown_kind_is_refused_in_words():
    with pytest.raises(UserError, match="unknown goal 'wish': choose one of pixels, png"):
        goal_from_json({"wish": 1})
    with pytest.raises(UserError, match="kept under one name, one of pixels, png; got 2"):
        goal_from_json({"pixels": [], "png": ""})
