"""The teachers by their names."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.system.plugins import Registry
from visual_foresight.training.teachers.point_tracks import PointTracks


@runtime_checkable
class Teacher(Protocol):
    """Follows points through episodes, by frames, actions and robot states alone."""

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
                not calibrated.

        Raises:
            UserError: it needs a calibration, and there is none.
        """
        ...


TEACHERS = Registry(
    "teacher",
    "teachers",
    {"rigid_tracks": "visual_foresight.training.teachers.rigid_tracks.teacher:RigidTracks"},
    Teacher,
)
"""Name -> a class that is built from nothing."""
DEFAULT_TEACHER = "rigid_tracks"
