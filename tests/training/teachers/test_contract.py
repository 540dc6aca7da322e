"""What every teacher promises (see `Teacher`), over the registry."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from tests.fakes.films import HEIGHT, HOMOGRAPHY, NUM_FRAMES, WIDTH, film, training_films
from tests.fakes.packages import bring
from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.training.teachers.point_tracks import PointTracks
from visual_foresight.training.teachers.registry import (
    DEFAULT_TEACHER,
    TEACHERS,
    Teacher,
    require_calibration,
    teacher_of,
)
from visual_foresight.types import Episode, UserError

Follow = Callable[[PackedEpisode], PointTracks]


FOLLOW_NOTHING = ("none",)


@pytest.fixture(scope="module", params=sorted(set(TEACHERS) - set(FOLLOW_NOTHING)))
def teacher(request: pytest.FixtureRequest) -> Teacher:
    return teacher_of(request.param)


@pytest.fixture(scope="module")
def follow(teacher: Teacher) -> Follow:
    return teacher.prepare(training_films(), HOMOGRAPHY)


def tracks_of(follow: Follow, episode: Episode) -> PointTracks:
    return follow(PackedEpisode.pack(episode))


def assert_same(one: PointTracks, other: PointTracks) -> None:
    for name in ("places", "valid", "hidden"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_shapes_and_ranges(follow: Follow) -> None:
    tracks = tracks_of(follow, film(3))
    num_points = tracks.places.shape[1]
    assert tracks.places.shape == (NUM_FRAMES, num_points, 2) and num_points > 10
    assert tracks.valid.shape == tracks.hidden.shape == (NUM_FRAMES, num_points)
    assert not (tracks.hidden & ~tracks.valid).any()
    places = tracks.places[tracks.valid]
    assert (places >= -0.5).all() and (places <= (HEIGHT - 0.5, WIDTH - 0.5)).all()


def test_a_point_is_valid_from_where_it_is_found_until_it_is_lost(follow: Follow) -> None:
    for number in range(4):
        valid = tracks_of(follow, film(number)).valid.astype(int)
        begins = (np.diff(valid, axis=0, prepend=0) == 1).sum(0)
        assert (begins == 1).all()


def test_points_are_found_again_and_again(follow: Follow) -> None:
    """A clip may begin anywhere: most of its first frames must show points."""
    valid = tracks_of(follow, film(3)).valid
    assert (valid.sum(1) >= 8).mean() > 0.8
    assert len(set(valid.argmax(0))) > 1


def test_points_rest_when_nothing_moves(follow: Follow) -> None:
    episode = film(3)
    at_rest = replace(
        episode,
        frames=episode.frames[:1].repeat(NUM_FRAMES, 0),
        states=episode.states[:1].repeat(NUM_FRAMES, 0),
    )
    tracks = tracks_of(follow, at_rest)
    assert tracks.valid.any()
    for point, found in enumerate(tracks.valid.argmax(0)):
        places = tracks.places[tracks.valid[:, point], point]
        np.testing.assert_allclose(places, places[:1].repeat(len(places), 0), atol=0.1)
        assert (places[0] == tracks.places[found, point]).all()
    assert not tracks.contact().any()


def test_what_moves_is_noticed(follow: Follow) -> None:
    assert any(tracks_of(follow, film(number)).contact().any() for number in range(3))


def test_following_is_deterministic(teacher: Teacher, follow: Follow) -> None:
    first = tracks_of(follow, film(3))
    tracks_of(follow, film(4))
    assert_same(tracks_of(follow, film(3)), first)
    again = teacher.prepare(training_films(), HOMOGRAPHY)
    assert_same(tracks_of(again, film(3)), first)


def test_the_truth_is_not_used(follow: Follow) -> None:
    episode = film(3)
    rng = np.random.default_rng(0)
    tracks = rng.normal(size=(NUM_FRAMES, 5, 2)).astype(np.float32)
    moved = {"object_moved": [True] * (NUM_FRAMES - 1)}
    told = replace(episode, tracks=tracks, meta=moved)
    assert_same(tracks_of(follow, told), tracks_of(follow, episode))


def test_the_episode_is_not_changed(follow: Follow) -> None:
    packed = PackedEpisode.pack(film(3))
    follow(packed)
    np.testing.assert_array_equal(packed.frames[:], film(3).frames)
    np.testing.assert_array_equal(packed.states, film(3).states)


@pytest.mark.parametrize("name", TEACHERS)
def test_settings_are_json_with_a_protocol(name: str) -> None:
    teacher = teacher_of(name)
    settings = json.loads(json.dumps(dict(teacher.settings)))
    assert settings["protocol"] >= 1


@pytest.mark.parametrize("name", TEACHERS)
def test_a_teacher_does_without_a_calibration_or_says_so(name: str) -> None:
    if teacher_of(name).needs_calibration:
        with pytest.raises(UserError, match=r"needs a calibrated.*\(optical_flow or none\)"):
            require_calibration(name, is_calibrated=False)
    else:
        require_calibration(name, is_calibrated=False)
        follow = teacher_of(name).prepare(training_films(), None)
        assert_same(tracks_of(follow, film(3)), tracks_of(follow, film(3)))
    require_calibration(name, is_calibrated=True)


@pytest.mark.parametrize("name", FOLLOW_NOTHING)
def test_some_follow_nothing(name: str) -> None:
    tracks = tracks_of(teacher_of(name).prepare(training_films(), HOMOGRAPHY), film(3))
    assert tracks.places.shape == (NUM_FRAMES, 0, 2)
    assert not tracks.contact().any()


class Forgetful:
    """A teacher that does not say what it needs."""

    settings: ClassVar = {"protocol": 1}

    def prepare(self, episodes: object, homography: object) -> None:
        """Return nothing."""


def test_a_teacher_that_breaks_its_promise_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bring(monkeypatch, tmp_path, "teachers", "forgetful", Forgetful)
    with pytest.raises(UserError, match="'forgetful' does not say whether it `needs_calib"):
        teacher_of("forgetful")
    with pytest.raises(UserError, match="unknown teacher 'parrot': choose one of rigid_tracks"):
        teacher_of("parrot")


def test_the_default_is_registered() -> None:
    assert DEFAULT_TEACHER in TEACHERS
