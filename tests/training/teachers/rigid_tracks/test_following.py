"""Points follow what moves in films, whose true motion is known."""

import numpy as np
import pytest

from tests.fakes.films import BEGIN, NUM_FRAMES, REST_ROW, SIDE, box_place, film, scenery
from visual_foresight.training.teachers.point_tracks import PointTracks, choose_points
from visual_foresight.training.teachers.rigid_tracks.following import follow_points
from visual_foresight.training.teachers.rigid_tracks.scenery import Scenery


@pytest.fixture(scope="module")
def known() -> Scenery:
    return scenery()


def tracks_of(number: int, known: Scenery, **changes: int) -> PointTracks:
    episode = film(number, **changes)
    return follow_points(episode.frames, episode.states, known)


def on_box(tracks: PointTracks, number: int, within: float = SIDE / 2) -> np.ndarray:
    """Tell which points that were found in the first frame lie on the box."""
    offsets = tracks.places[0] - box_place(number, 0, np.zeros(2))
    return tracks.valid[0] & (np.abs(offsets) < within).all(-1)


@pytest.mark.parametrize("number", [0, 3, 8])
def test_points_go_and_turn_with_what_they_lie_on(number: int, known: Scenery) -> None:
    tracks = tracks_of(number, known)
    box = on_box(tracks, number) & tracks.valid[-1]
    assert box.sum() >= 3
    offsets = tracks.places[0, box] - box_place(number, 0, np.zeros(2))
    missed_px = np.linalg.norm(
        tracks.places[-1, box] - box_place(number, NUM_FRAMES - 1, offsets), axis=-1
    )
    assert np.median(missed_px) < 1.0  # after 6 steps, 12 px and 48 degrees


def test_the_plain_inside_is_carried_along(known: Scenery) -> None:
    num_plain = 0
    for number in range(4):
        tracks = tracks_of(number, known)
        num_plain += (on_box(tracks, number, SIDE / 2 - 2) & tracks.valid[-1]).sum()
    assert num_plain >= 2


def test_everything_else_rests(known: Scenery) -> None:
    tracks = tracks_of(3, known)
    steps_px = np.linalg.norm(np.diff(tracks.places, axis=0), axis=-1)
    moving = ((steps_px > 0.2) & tracks.valid[1:] & tracks.valid[:-1]).any(0)
    found = tracks.valid.argmax(0)
    for point in np.flatnonzero(moving):
        center = box_place(3, int(found[point]), np.zeros(2))
        assert np.linalg.norm(tracks.places[found[point], point] - center) < SIDE
    assert (~moving).sum() > 10


def test_the_arm_has_no_points(known: Scenery) -> None:
    episode = film(3)
    tracks = tracks_of(3, known)
    arm = known.arm(episode.states)
    for point, now in enumerate(tracks.valid.argmax(0)):
        row, col = np.round(tracks.places[now, point]).astype(int)
        assert not arm[now, row, col]


def test_contact_is_when_something_besides_the_arm_moves(known: Scenery) -> None:
    np.testing.assert_array_equal(
        tracks_of(3, known).contact(), [step >= BEGIN for step in range(NUM_FRAMES - 1)]
    )


def test_the_table_rests_while_the_arm_covers_it(known: Scenery) -> None:
    tracks = tracks_of(3, known, arm_row=REST_ROW)
    covered = np.flatnonzero(tracks.hidden.any(0) & tracks.valid[-1])
    assert len(covered)
    for point in covered:
        since = tracks.valid[:, point].argmax()
        assert (tracks.places[since:, point] == tracks.places[since, point]).all()
    chosen = choose_points(tracks, 4, 8, 12, np.random.default_rng(0))
    assert tracks.hidden[4:12, chosen].any()


def test_on_an_empty_table_points_rest(known: Scenery) -> None:
    episode = film(3)
    tracks = follow_points(np.full_like(episode.frames, 110), episode.states, known)
    assert tracks.valid.any()
    assert not tracks.moved().any()
    assert not tracks.contact().any()
