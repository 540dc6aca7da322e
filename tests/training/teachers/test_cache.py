"""Points are kept in a file, read again, and followed anew when the file is damaged.

Its name depends on everything that decides the points.
"""

from pathlib import Path

import numpy as np
import pytest

from tests.fakes.episodes import PATCH_HOMOGRAPHY, patch_episode
from tests.fakes.packages import bring
from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.training.teachers.cache import points_of, points_path
from visual_foresight.training.teachers.point_tracks import PointTracks
from visual_foresight.training.teachers.registry import TEACHERS

TEACHER = "rigid_tracks"
SIZE = (16, 24)
EPISODES = [PackedEpisode.pack(patch_episode(number, SIZE)) for number in range(3)]


def find(folder: Path, num_training: int = 2) -> list[PointTracks]:
    training, others = points_of(
        TEACHER,
        EPISODES[:num_training],
        EPISODES[num_training:],
        np.array(PATCH_HOMOGRAPHY),
        folder,
    )
    assert (len(training), len(others)) == (num_training, 3 - num_training)
    return [*training, *others]


def name_of(
    teacher: str = TEACHER, order: int = 1, num_training: int = 2, scale: float = 1.0
) -> str:
    homography = scale * np.array(PATCH_HOMOGRAPHY)
    return points_path(Path(), teacher, EPISODES[::order], num_training, homography).name


def assert_same(one: list[PointTracks], two: list[PointTracks]) -> None:
    for mine, its in zip(one, two, strict=True):
        for part in ("places", "valid", "hidden"):
            np.testing.assert_array_equal(getattr(mine, part), getattr(its, part))


def test_what_is_read_is_what_was_followed(tmp_path: Path) -> None:
    first = find(tmp_path)
    assert len(first[0].places.T) and first[0].valid.any()
    (file,) = tmp_path.iterdir()
    assert file.name == name_of()
    written = file.stat().st_mtime_ns
    assert_same(find(tmp_path), first)
    assert [each.stat().st_mtime_ns for each in tmp_path.iterdir()] == [written]


def test_other_training_episodes_have_a_file_of_their_own(tmp_path: Path) -> None:
    find(tmp_path)
    find(tmp_path, num_training=1)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    first = find(tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    for damage in (whole[: len(whole) // 2], b"", b"not points"):
        file.write_bytes(damage)
        assert_same(find(tmp_path), first)
        assert file.read_bytes() == whole


def test_other_episodes_and_cameras_have_another_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bring(monkeypatch, tmp_path, "teachers", "another", TEACHERS[TEACHER])
    names = {
        name_of(),
        name_of(teacher="another"),
        name_of(order=-1),
        name_of(num_training=1),
        name_of(scale=2.0),
    }
    assert len(names) == 5


def test_corrected_frames_have_another_name() -> None:
    before = name_of()
    corrected = patch_episode(0, SIZE)
    corrected.frames[3, 0, 0] ^= 1
    episodes = [PackedEpisode.pack(corrected), *EPISODES[1:]]
    name = points_path(Path(), TEACHER, episodes, 2, np.array(PATCH_HOMOGRAPHY)).name
    assert name != before


RIGID_TRACKS = "visual_foresight.training.teachers.rigid_tracks"


@pytest.mark.parametrize(
    "constant",
    [
        f"{RIGID_TRACKS}.teacher.PROTOCOL",
        "visual_foresight.vision.optical_flow.PROTOCOL",
        f"{RIGID_TRACKS}.following.FIT_M",
        f"{RIGID_TRACKS}.scenery.ARM_SHARE",
    ],
)
def test_another_protocol_or_constant_gives_another_name(
    monkeypatch: pytest.MonkeyPatch, constant: str
) -> None:
    before = name_of()
    monkeypatch.setattr(constant, 2)
    assert name_of() != before
    monkeypatch.undo()
    assert name_of() == before
