"""Known answers of the locators, on hand-made films of a square with a pattern."""

import numpy as np
import pytest

from tests.fakes.clips import clip_of
from visual_foresight.planning.localization.propagate import Propagate
from visual_foresight.planning.localization.track import Track
from visual_foresight.types import Pixel, to_float
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


def maps(places):
    """Return maps that say that the pixels are at these places now."""
    return splat(places, (20, 28), SIZE)


def follow(locator, frames, start, beliefs):
    """Run a locator along a film; `beliefs` are the motions imagined at each step."""
    memory, places = locator.begin(clip_of(frames[:1]), (start,))
    found = [*places]
    for index, (down, right) in enumerate(beliefs, 1):
        believed = Pixel(found[-1].row + down, found[-1].col + right)
        clip = clip_of(frames[index - 1 : index + 1])
        memory, places = locator.locate(memory, clip, maps((believed,)))
        found += places
    return found


@pytest.mark.parametrize("summary", ["mean", "mode"])
def test_propagate_believes_the_first_imagined_step(summary):
    sources = (Pixel(10.0, 10.0), Pixel(20.0, 30.0))
    believed = (Pixel(12.5, 10.5), Pixel(20.5, 34.5))  # centres of cells of 2 pixels
    frames = film([(20, 20), (20, 20)])
    locator = Propagate(summary)
    memory, _ = locator.begin(clip_of(frames[:1]), sources)
    _, found = locator.locate(memory, clip_of(frames), maps(believed))
    assert [
        place.distance(truth) for place, truth in zip(found, believed, strict=True)
    ] == pytest.approx([0, 0], abs=1e-5)


def test_propagate_keeps_the_places_where_nothing_was_imagined():
    sources = (Pixel(10.0, 10.0),)
    clip = clip_of(film([(20, 20), (20, 20)]))
    memory, _ = Propagate().begin(clip, sources)
    _, places = Propagate().locate(memory, clip, maps(()))
    assert places == sources


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
    locator = Track(max_difference=20.0)
    memory, _ = locator.begin(clip_of(frames[:1]), (Pixel(20.0, 20.0),))
    _, (place,) = locator.locate(memory, clip_of(frames[1:]), maps((Pixel(20.0, 22.0),)))
    assert place.distance(Pixel(22.0, 23.0)) < 1.0


def test_track_does_not_leave_the_frame_and_treats_pixels_apart():
    frames = film([(5, 5), (5, 5)])
    sources = (Pixel(0.0, 0.0), Pixel(39.0, 55.0))
    together, _ = Track().begin(clip_of(frames[:1]), sources)
    _, places = Track().locate(together, clip_of(frames), maps(sources))
    single, _ = Track().begin(clip_of(frames[:1]), sources[1:])
    _, alone = Track().locate(single, clip_of(frames), maps(sources[1:]))
    assert all(place.inside(*SIZE) for place in places)
    assert places[1:] == alone


def test_track_finds_an_object_of_which_a_part_is_covered():
    frames = film([(20, 20), (20, 26)])
    frames[1, :, :, 26:29] = 0.04  # a finger in front, over the designated pixel itself
    place = follow(Track(), frames, Pixel(20.0, 20.0), [(0, 0)])[-1]
    assert place.distance(Pixel(20.0, 26.0)) < 1.5
