"""Laws that every registered locator keeps, on noise in which a patch moves."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.fakes.clips import clip_of
from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.interfaces import Locator
from visual_foresight.planning.localization.registry import LOCATORS
from visual_foresight.types import Clip, Pixel, Plan, Prediction
from visual_foresight.vision.pixel_maps import splat

SIZE, MAP_SIZE = (40, 56), (20, 28)
SOURCES = (Pixel(10.0, 12.0), Pixel(25.5, 40.0), Pixel(0.0, 55.0))
MOVED = (Pixel(12.0, 15.0), Pixel(25.5, 40.0), Pixel(0.0, 55.0))
GOAL = PixelGoal(SOURCES, (Pixel(20.0, 20.0), Pixel(30.0, 30.0), Pixel(5.0, 50.0)))


@pytest.fixture(params=LOCATORS)
def locator(request: pytest.FixtureRequest) -> Locator:
    locator = LOCATORS[request.param]()
    assert isinstance(locator, Locator)
    return locator


def clip() -> Clip:
    """Return two frames, in which a patch goes from the first source to where it is believed."""
    rng = torch.Generator().manual_seed(0)
    frames = (0.4 + 0.1 * torch.rand(1, 3, *SIZE, generator=rng)).repeat(2, 1, 1, 1)
    patch = torch.rand(3, 9, 9, generator=rng)
    frames[0, :, 6:15, 8:17] = patch
    frames[1, :, 8:17, 11:20] = patch
    return clip_of(frames)


def previous(sources: tuple[Pixel, ...] = SOURCES, moved: tuple[Pixel, ...] = MOVED) -> Plan:
    """Return the plan before, which imagined that its first action moves the sources."""
    maps = splat(moved, MAP_SIZE, SIZE)[None, None].repeat(1, 3, 1, 1, 1)
    prediction = Prediction(
        frames=torch.zeros(1, 0, 3, *SIZE),
        pixel_maps=maps,
        lost=torch.zeros(1, 3, len(moved)),
        carry=None,
        frame_size=SIZE,
    )
    return Plan(
        actions=torch.zeros(3, 2),
        sources=sources,
        prediction=prediction,
        costs=(),
        seconds=0.0,
        reference=clip().frames[0, 0],
    )


def test_at_first_the_pixels_are_where_they_were_designated(locator: Locator) -> None:
    assert locator.locate(clip(), GOAL, None) == SOURCES


def test_a_goal_image_has_no_pixels(locator: Locator) -> None:
    goal = ImageGoal(np.zeros((*SIZE, 3), np.uint8))
    assert locator.locate(clip(), goal, None) == ()
    assert locator.locate(clip(), goal, previous((), ())) == ()


def test_there_is_one_place_in_the_frame_per_designated_pixel(locator: Locator) -> None:
    places = locator.locate(clip(), GOAL, previous())
    assert len(places) == len(SOURCES)
    assert all(place.inside(*SIZE) for place in places)


def test_a_pixel_that_moves_as_imagined_is_found(locator: Locator) -> None:
    places = locator.locate(clip(), GOAL, previous())
    assert places[0].distance(MOVED[0]) < 1
    assert places[1].distance(MOVED[1]) < 1


def test_pixels_do_not_see_one_another(locator: Locator) -> None:
    together = locator.locate(clip(), GOAL, previous())
    for index, place in enumerate(together):
        goal = PixelGoal((SOURCES[index],), (GOAL.targets[index],))
        plan = previous((SOURCES[index],), (MOVED[index],))
        (alone,) = locator.locate(clip(), goal, plan)
        assert alone.distance(place) < 1e-4


def test_where_they_ought_to_go_does_not_matter(locator: Locator) -> None:
    """Nor do the costs and the runners-up of the plan before."""
    elsewhere = PixelGoal(SOURCES, tuple(reversed(GOAL.targets)))
    searched = replace(previous(), costs=(torch.ones(5),), runners_up=torch.zeros(1, 3, 2))
    found = locator.locate(clip(), GOAL, previous())
    assert locator.locate(clip(), elsewhere, searched) == found


def test_it_keeps_nothing_and_changes_nothing(locator: Locator) -> None:
    seen, plan = clip(), previous()
    frames = seen.frames.clone()
    maps = plan.prediction.pixel_maps.clone()
    first = locator.locate(seen, GOAL, plan)
    locator.locate(Clip(seen.actions, seen.frames.flip(1), seen.states), GOAL, plan)
    assert locator.locate(seen, GOAL, plan) == first
    assert torch.equal(seen.frames, frames)
    assert torch.equal(plan.prediction.pixel_maps, maps)


def test_a_plan_that_imagined_nothing_will_do(locator: Locator) -> None:
    """A scripted controller has no model; its pixels are looked for all the same."""
    nothing = Prediction.without_model(torch.zeros(1, 3, 2), SIZE)
    places = locator.locate(clip(), GOAL, replace(previous(), prediction=nothing))
    assert len(places) == len(SOURCES)
    assert all(place.inside(*SIZE) for place in places)


def test_one_frame_is_enough(locator: Locator) -> None:
    seen = clip()
    newest = Clip(seen.actions[:, 1:], seen.frames[:, 1:], seen.states[:, 1:])
    assert len(locator.locate(newest, GOAL, previous())) == len(SOURCES)
