"""The teacher `none`: it follows no points, and models learn from frames alone."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.training.teachers.point_tracks import PointTracks

PROTOCOL = 1
"""Raise it when a change of this file changes points."""


class NoTeacher:
    """A `Teacher` that follows nothing; a model that needs points cannot learn from it."""

    needs_calibration = False

    @property
    def settings(self) -> Mapping[str, Any]:
        """Return everything that decides the points besides the data: see `Teacher.settings`."""
        return {"protocol": PROTOCOL}

    def prepare(
        self, episodes: Sequence[PackedEpisode], homography: Float[np.ndarray, "3 3"] | None
    ) -> Callable[[PackedEpisode], PointTracks]:
        """Return what follows no points through an episode: see `Teacher.prepare`."""

        def follow(episode: PackedEpisode) -> PointTracks:
            return PointTracks.none(len(episode.states))

        return follow
