"""Known answers of the locators, on hand-made films of a square with a pattern."""

import numpy as np
import pytest
import torch

from tests.fakes.clips import clip_of
from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.planning.localization.propagate import Propagate
from visual_foresight.planning.localization.track import Track
from visual_foresight.types import Pixel, Plan, Prediction, to_float
from visual_foresight.vision.pixel_maps import splat

SIZE = (40, 56)
PATTERN = (
    np.random.default_rng(0)
    .integers(0, 2, (3, 3, 3))
    .repeat(3, 0)
    .repeat(3, 1)
    .astype(np.uint8)
    * 200
    + 20
)


def film(places, hidden=()):
    """Draw a 9x9 patterned square with its centre at each (row, col) on a striped table.

    A white bar hides it if asked.
    """
    frames = np.full((len(places), *SIZE, 3), 120, np.uint8)
    frames[:, :, ::7] = 110
    for index, (row, col) in enumerate(places):
        frames[index, row - 4 : row + 5, col - 4 : col + 5] = PATTERN
        if index in hidden:
            frames[index, max(row - 8, 0) : row + 9, max(col - 8, 0) : col + 9] = 245
    return to_float(frames)


def a_plan(sources, believed, reference):
    """Build a plan that believes its executed action brings the sources to these places."""
    maps = splat(believed, (20, 28), SIZE)[None, None]
    prediction = Prediction(
        torch.zeros(1, 0, 3, *SIZE), maps, torch.zeros(1, 1, len(believed)), None, SIZE
    )
    return Plan(torch.zeros(1, 2), sources, prediction, (), 0.0, reference=reference)


def follow(locator, frames, start, beliefs):
    """Run a locator along a film; `beliefs` are the motions imagined at each step."""
    goal = PixelGoal((start,), (start,))
    places = [start]
    for index, (down, right) in enumerate(beliefs, 1):
        believed = Pixel(places[-1].row + down, places[-1].col + right)
        previous = a_plan((places[-1],), (believed,), frames[0])
        places += locator.locate(clip_of(frames[index - 1 : index + 1]), goal, previous)
    return places


@pytest.mark.parametrize("locator", [Propagate(), Track()], ids=["propagate", "track"])
def test_the_first_call_returns_the_sources_and_an_image_goal_has_none(locator):
    sources = (Pixel(3.5, 4.0), Pixel(7.0, 9.0))
    clip = clip_of(film([(20, 20)]))
    assert locator.locate(clip, PixelGoal(sources, sources), None) == sources
    assert locator.locate(clip, ImageGoal(np.zeros((*SIZE, 3), np.uint8)), None) == ()


@pytest.mark.parametrize("summary", ["mean", "mode"])
def test_propagate_believes_the_first_imagined_step(summary):
    sources = (Pixel(10.0, 10.0), Pixel(20.0, 30.0))
    believed = (Pixel(12.5, 10.5), Pixel(20.5, 34.5))  # centres of cells of 2 pixels
    frames = film([(20, 20), (20, 20)])
    found = Propagate(summary).locate(
        clip_of(frames), PixelGoal(sources, sources), a_plan(sources, believed, frames[0])
    )
    assert [
        place.distance(truth) for place, truth in zip(found, believed, strict=True)
    ] == pytest.approx([0, 0], abs=1e-5)


def test_propagate_keeps_the_sources_after_a_plan_that_imagined_nothing():
    sources = (Pixel(10.0, 10.0),)
    frames = film([(20, 20), (20, 20)])
    empty = Prediction.without_model(torch.zeros(1, 2, 2), SIZE)
    previous = Plan(torch.zeros(2, 2), (), empty, (), 0.0, torch.zeros(3, 16, 16))
    assert Propagate().locate(clip_of(frames), PixelGoal(sources, sources), previous) == sources


def test_track_follows_what_moves_although_the_model_believes_that_nothing_does():
    truth = [(12 + 2 * i, 10 + 3 * i) for i in range(9)]
    places = follow(Track(), film(truth), Pixel(12.0, 10.0), [(0, 0)] * 8)
    errors = [place.distance(Pixel(*there)) for place, there in zip(places, truth, strict=True)]
    assert max(errors) < 1.0


def test_track_stays_on_what_rests_although_the_model_believes_in_motion():
    places = follow(Track(), film([(20, 20)] * 5), Pixel(19.0, 21.0), [(3, 3)] * 4)
    assert places[-1].distance(Pixel(19.0, 21.0)) < 0.3


def test_track_falls_back_to_the_belief_while_hidden_and_finds_the_pixel_again():
    truth = [(20, 12 + 3 * i) for i in range(9)]
    places = follow(Track(), film(truth, hidden=(3, 4, 5)), Pixel(20.0, 12.0), [(0, 2)] * 8)
    # the belief, not the bar
    assert places[3].distance(Pixel(places[2].row, places[2].col + 2)) < 0.3
    assert places[8].distance(Pixel(*truth[8])) < 1.0


def test_track_finds_a_pixel_that_turned_while_hidden():
    frames = film([(20, 20)] * 4, hidden=(1, 2))
    frames[3, :, 14:31, 14:31] = film([(20, 24)])[0][:, 14:31, 14:31]
    turned = np.rot90(PATTERN).copy()
    frames[3, :, 16:25, 20:29] = to_float(turned)
    place = follow(Track(), frames, Pixel(20.0, 20.0), [(0, 0)] * 3)[-1]
    assert place.distance(Pixel(20.0, 24.0)) < 1.0


def test_track_of_one_frame_searches_near_the_belief():
    frames = film([(20, 20), (22, 23)])
    goal = PixelGoal((Pixel(20.0, 20.0),), (Pixel(1.0, 1.0),))
    previous = a_plan(goal.sources, (Pixel(20.0, 22.0),), frames[0])
    (place,) = Track(max_difference=20.0).locate(clip_of(frames[1:]), goal, previous)
    assert place.distance(Pixel(22.0, 23.0)) < 1.0


def test_track_does_not_leave_the_frame_and_treats_pixels_apart():
    frames = film([(5, 5), (5, 5)])
    sources = (Pixel(0.0, 0.0), Pixel(39.0, 55.0))
    goal = PixelGoal(sources, sources)
    places = Track().locate(clip_of(frames), goal, a_plan(sources, sources, frames[0]))
    alone = Track().locate(
        clip_of(frames),
        PixelGoal(sources[1:], sources[1:]),
        a_plan(sources[1:], sources[1:], frames[0]),
    )
    assert all(place.inside(*SIZE) for place in places)
    assert places[1:] == alone


def test_track_finds_an_object_of_which_a_part_is_covered():
    frames = film([(20, 20), (20, 26)])
    frames[1, :, :, 26:29] = 0.04  # a finger in front, over the designated pixel itself
    place = follow(Track(), frames, Pixel(20.0, 20.0), [(0, 0)])[-1]
    assert place.distance(Pixel(20.0, 26.0)) < 1.5
