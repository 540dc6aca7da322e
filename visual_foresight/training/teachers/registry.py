"""The teachers by their names."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.system.plugins import Registry
from visual_foresight.training.teachers.point_tracks import PointTracks
from visual_foresight.types import UserError


@runtime_checkable
class Teacher(Protocol):
    """Follows points through episodes, by frames, actions and robot states alone."""

    needs_calibration: bool
    """Whether it needs a calibrated camera."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Return everything that decides the points besides the data: plain JSON values.

        There is a `protocol` among them, a number that is raised whenever the code changes the
        points.
        """
        ...

    def prepare(
        self, episodes: Sequence[PackedEpisode], homography: Float[np.ndarray, "3 3"] | None
    ) -> Callable[[PackedEpisode], PointTracks]:
        """Return what follows points through an episode.

        Args:
            episodes: training episodes; what scene and arm look like is learnt from these alone.
            homography: of the camera of all episodes, see `env_info.Homography`; None where it is
                not calibrated, and only if `needs_calibration` is false.
        """
        ...


ROOM = "visual_foresight.training.teachers"
TEACHERS = Registry(
    "teacher",
    "teachers",
    {
        "rigid_tracks": f"{ROOM}.rigid_tracks.teacher:RigidTracks",
        "optical_flow": f"{ROOM}.optical_flow:OpticalFlow",
        "none": f"{ROOM}.none:NoTeacher",
    },
    Teacher,
)
"""Name -> a class that is built from nothing."""
DEFAULT_TEACHER = "rigid_tracks"


def teacher_of(name: str) -> Teacher:
    """Return the teacher of this name.

    Raises:
        UserError: there is none, or the package that brings it is at fault.
    """
    teacher: Teacher = TEACHERS.require(name, TEACHERS[name]())
    if not isinstance(teacher, Teacher):
        raise UserError(
            f"the teacher {name!r} does not say whether it `needs_calibration`: add that, or "
            "uninstall the package that brings it"
        )
    return teacher


def require_calibration(teacher: str, is_calibrated: bool) -> None:
    """Refuse a teacher that cannot do without a calibration where there is none.

    Args:
        teacher: its name.
        is_calibrated: whether the camera of the episodes is calibrated.

    Raises:
        UserError: the sentence names the teachers that do without.
    """
    if is_calibrated or not teacher_of(teacher).needs_calibration:
        return
    others = [name for name in TEACHERS if not teacher_of(name).needs_calibration]
    raise UserError(
        f"the teacher {teacher!r}: this needs a calibrated camera, and the camera of these "
        f"episodes is not calibrated; choose a teacher that does without "
        f"({' or '.join(others)}), or a model of frames alone, such as pixels"
    )
