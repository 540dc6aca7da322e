"""Followed points are kept, found again, and made anew when their file is damaged or of other episodes."""

from pathlib import Path

import numpy as np

from tests.training.test_loop import TABLE, episode
from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.training.teachers import cache
from visual_foresight.training.teachers.cache import points_of
from visual_foresight.training.teachers.point_tracks import PointTracks

EPISODES = [PackedEpisode.pack(episode(number)) for number in range(3)]


def found(folder: Path, training_episodes: int = 2) -> list[PointTracks]:
    mine, others = points_of(
        EPISODES[:training_episodes], EPISODES[training_episodes:], np.array(TABLE), folder
    )
    assert (len(mine), len(others)) == (training_episodes, 3 - training_episodes)
    return [*mine, *others]


def assert_same(one: list[PointTracks], two: list[PointTracks]) -> None:
    for mine, its in zip(one, two, strict=True):
        for part in ("places", "valid", "hidden"):
            np.testing.assert_array_equal(getattr(mine, part), getattr(its, part))


def test_what_is_read_is_what_was_followed(tmp_path: Path) -> None:
    first = found(tmp_path)
    assert len(first[0].places.T) and first[0].valid.any()
    (file,) = tmp_path.iterdir()
    written = file.stat().st_mtime_ns
    assert_same(found(tmp_path), first)
    assert [each.stat().st_mtime_ns for each in tmp_path.iterdir()] == [written]


def test_other_lessons_have_a_file_of_their_own(tmp_path: Path) -> None:
    found(tmp_path)
    found(tmp_path, training_episodes=1)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    first = found(tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    for damage in (whole[: len(whole) // 2], b"", b"not points"):
        file.write_bytes(damage)
        assert_same(found(tmp_path), first)
        assert file.read_bytes() == whole


def test_other_episodes_and_cameras_have_another_name() -> None:
    homography = np.array(TABLE)
    others = (
        (EPISODES, 1, homography),
        (EPISODES[::-1], 2, homography),
        (EPISODES, 2, 2 * homography),
    )
    assert cache._key(EPISODES, 2, homography) not in [cache._key(*other) for other in others]
