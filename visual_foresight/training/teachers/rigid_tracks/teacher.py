"""The teacher `rigid_tracks`: rigid objects on a table, seen by a calibrated camera that rests."""

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from jaxtyping import Float

from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.training.teachers.point_tracks import PointTracks
from visual_foresight.training.teachers.rigid_tracks import following, scenery
from visual_foresight.vision import optical_flow

PROTOCOL = 1
"""Raise it when a change of this package's code changes points. Constants count by themselves."""


class RigidTracks:
    """A `Teacher` that fits rigid motions on the table to what is neither table nor arm."""

    needs_calibration = True

    @property
    def settings(self) -> Mapping[str, Any]:
        """Return everything that decides the points besides the data: see `Teacher.settings`."""
        return {
            "protocol": PROTOCOL,
            "optical_flow": optical_flow.PROTOCOL,
            "scenery": _constants(scenery),
            "following": _constants(following),
        }

    def prepare(
        self, episodes: Sequence[PackedEpisode], homography: Float[np.ndarray, "3 3"] | None
    ) -> Callable[[PackedEpisode], PointTracks]:
        """Return what follows points through an episode: see `Teacher.prepare`."""
        assert homography is not None, "it needs a calibration"
        known = scenery.Scenery.learn(episodes, homography)

        def follow(episode: PackedEpisode) -> PointTracks:
            return following.follow_points(episode.frames[:], episode.states, known)

        return follow


def _constants(module: ModuleType) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if name.isupper()}
