"""Laws that every registered locator keeps, on noise in which a patch moves."""

import pytest
import torch
from torch import Tensor

from tests.fakes.clips import clip_of
from visual_foresight.interfaces import Locator
from visual_foresight.planning.localization.registry import LOCATORS
from visual_foresight.types import Clip, Pixel
from visual_foresight.vision.pixel_maps import splat

SIZE, MAP_SIZE = (40, 56), (20, 28)
SOURCES = (Pixel(10.0, 12.0), Pixel(25.5, 40.0), Pixel(0.0, 55.0))
MOVED = (Pixel(12.0, 15.0), Pixel(25.5, 40.0), Pixel(0.0, 55.0))


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


def imagined(moved: tuple[Pixel, ...] = MOVED) -> Tensor:
    """Return maps that say that the pixels are at these places now."""
    return splat(moved, MAP_SIZE, SIZE)


def located(
    locator: Locator, sources: tuple[Pixel, ...] = SOURCES, moved: tuple[Pixel, ...] = MOVED
) -> tuple[Pixel, ...]:
    """Return where the pixels are found in the second frame, after the first."""
    memory, _ = locator.begin(first_frame(), sources)
    _, places = locator.locate(memory, clip(), imagined(moved))
    return places


def first_frame() -> Clip:
    seen = clip()
    return Clip(seen.actions[:, 1:], seen.frames[:, :1], seen.states[:, :1])


def test_at_first_the_pixels_are_where_they_were_designated(locator: Locator) -> None:
    _, places = locator.begin(first_frame(), SOURCES)
    assert places == SOURCES


def test_a_goal_without_pixels_has_no_places(locator: Locator) -> None:
    memory, places = locator.begin(first_frame(), ())
    assert places == ()
    _, places = locator.locate(memory, clip(), imagined(()))
    assert places == ()


def test_there_is_one_place_in_the_frame_per_designated_pixel(locator: Locator) -> None:
    places = located(locator)
    assert len(places) == len(SOURCES)
    assert all(place.inside(*SIZE) for place in places)


def test_a_pixel_that_moves_as_imagined_is_found(locator: Locator) -> None:
    places = located(locator)
    assert places[0].distance(MOVED[0]) < 1
    assert places[1].distance(MOVED[1]) < 1


def test_pixels_do_not_see_one_another(locator: Locator) -> None:
    together = located(locator)
    for index, place in enumerate(together):
        (alone,) = located(locator, (SOURCES[index],), (MOVED[index],))
        assert alone.distance(place) < 1e-4


def test_it_keeps_nothing_and_changes_nothing(locator: Locator) -> None:
    seen = clip()
    maps = imagined()
    memory, _ = locator.begin(first_frame(), SOURCES)
    _, first = locator.locate(memory, seen, maps)
    locator.locate(memory, Clip(seen.actions, seen.frames.flip(1), seen.states), maps)
    _, again = locator.locate(memory, seen, maps)
    assert again == first
    assert torch.equal(seen.frames, clip().frames)
    assert torch.equal(maps, imagined())


def test_it_goes_on_from_what_it_remembers(locator: Locator) -> None:
    memory, _ = locator.begin(first_frame(), SOURCES)
    memory, moved = locator.locate(memory, clip(), imagined())
    rest = Clip(torch.zeros(1, 1, 2), clip().frames[:, [1, 1]], clip().states)
    _, stayed = locator.locate(memory, rest, splat(moved, MAP_SIZE, SIZE))
    assert all(a.distance(b) < 1 for a, b in zip(stayed[:2], moved[:2], strict=True))


def test_a_step_of_which_nothing_was_imagined_will_do(locator: Locator) -> None:
    """A scripted controller has no model; its pixels are looked for all the same."""
    memory, _ = locator.begin(first_frame(), SOURCES)
    _, places = locator.locate(memory, clip(), torch.zeros(0, *MAP_SIZE))
    assert len(places) == len(SOURCES)
    assert all(place.inside(*SIZE) for place in places)


def test_one_frame_is_enough(locator: Locator) -> None:
    seen = clip()
    newest = Clip(seen.actions[:, 1:], seen.frames[:, 1:], seen.states[:, 1:])
    memory, _ = locator.begin(first_frame(), SOURCES)
    _, places = locator.locate(memory, newest, imagined())
    assert len(places) == len(SOURCES)
