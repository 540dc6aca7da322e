"""How far a goal is from being reached: truly, or as a locator believes.

The judge of the loop may ask the env for the truth; controllers may not. A world without a judge
has what its controller believes, in pixels, and in metres where its camera is calibrated.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from visual_foresight.env_info import EnvInfo, View
from visual_foresight.interfaces import Env, Judge, JudgedEnv
from visual_foresight.types import Goal, Observation, Pixel, UserError
from visual_foresight.vision.homography import apply_homography

SUCCESS_M = 0.05
"""A trial succeeds if it ends within this distance of its goal."""
BEYOND = 0.3
"""How far beyond the workspace, as a share of its longer side, something that is pushed may come to
lie: farther than any object that an arm moves in it is long."""
NUDGE_M = 1e-4
"""Step of the finite differences in `on_height`."""


@dataclass(frozen=True)
class Measurement:
    """Where the designated points are, truly or as believed, and how far it is to the goal."""

    places: tuple[Pixel, ...]
    """In the frame, also when occluded; none for a goal without designated pixels."""
    distance: float | None
    """By the goal's own measure (`Goal.measure`)."""
    unit: str
    """What that is in (`Goal.unit`)."""
    distance_m: float | None
    """Horizontal distance from a point to its goal, of the point farthest from its own; None if
    metres are not known, or there are no points."""


def believed(
    view: View, goal: Goal, observation: Observation, places: tuple[Pixel, ...]
) -> Measurement | None:
    """Measure the distances from where a locator believes the designated pixels to be.

    Args:
        view: the camera; with its calibration, distances are in metres too.
        goal: what is to be reached.
        observation: what is seen now.
        places: one per designated pixel, or none where nothing was located.

    Returns:
        The measurement, in metres on the calibrated plane; None where nothing was located.
    """
    if len(places) != len(goal.targets):
        return None
    distance_m = None
    if places and view.homography is not None:
        homography = view.calibration("distances in metres")
        starts_m = apply_homography(_array(places), homography)
        targets_m = apply_homography(_array(goal.targets), homography)
        gaps_m = np.linalg.norm(targets_m - starts_m, axis=-1)
        distance_m = float(gaps_m.max())
    return Measurement(places, goal.measure(observation, places), goal.unit, distance_m)


def _array(pixels: tuple[Pixel, ...]) -> Float[np.ndarray, "p 2"]:
    return np.array([(pixel.row, pixel.col) for pixel in pixels], np.float64).reshape(-1, 2)


@dataclass(frozen=True)
class TrialJudge:
    """Measures how far a goal is, and its designated points, in an env."""

    env: Judge
    goal: Goal
    points: tuple[Any, ...]
    """The physical points (`Judge.pick`) behind the designated pixels."""
    targets_m: tuple[Float[np.ndarray, "2"], ...]
    """Their goals on the table, (x, y) in metres."""

    @classmethod
    def of(cls, env: Env, goal: Goal, points: tuple[Any, ...]) -> "TrialJudge | None":
        """Return the judge of a goal, or None in a world without one.

        A goal without designated pixels has no points.

        Raises:
            ValueError: there are not as many points as designated pixels.
            UserError: see `on_height`.
        """
        if not isinstance(env, JudgedEnv):
            return None
        if len(points) != len(goal.targets):
            raise ValueError(
                f"one point per designated pixel: {len(points)} points, "
                f"{len(goal.targets)} pixels"
            )
        targets_m = tuple(
            on_height(env.project, target, env.where(point)[1])
            for point, target in zip(points, goal.targets, strict=True)
        )
        return cls(env, goal, points, targets_m)

    def measure(self, observation: Observation) -> Measurement:
        """Measure the env's present state.

        Args:
            observation: what is seen in it.
        """
        places, gaps_m = [], []
        for point, target_m in zip(self.points, self.targets_m, strict=True):
            place, place_m = self.env.where(point)
            places.append(place)
            gaps_m.append(float(np.hypot(*(place_m[:2] - target_m))))
        return Measurement(
            places=tuple(places),
            distance=self.goal.measure(observation, tuple(places)),
            unit=self.goal.unit,
            distance_m=max(gaps_m, default=None),
        )


def designate(env: Env, goal: Goal) -> tuple[Any, ...]:
    """Return the physical points behind the designated pixels that somebody chose.

    There are none for a goal without designated pixels, and none in a world without a judge.

    Args:
        env: what is to be moved must be an object there; what is to stay (its goal pixel is its
            designated pixel) may be anything.
        goal: places in the present frame.

    Raises:
        UserError: the goal does not fit the frame (a pixel is outside of it, say), a pixel does
            not show an object, or nothing can get to a goal pixel.
    """
    goal.check(env.info.frame_size)
    require_reachable(env.info, goal)
    if not isinstance(env, JudgedEnv):
        return ()
    points = []
    for source, target in zip(goal.sources, goal.targets, strict=True):
        points.append(env.pick(source) if source == target else require_object(env, source))
    return tuple(points)


def require_object(env: Judge, source: Pixel) -> Any:
    """Return the physical point behind a designated pixel.

    Raises:
        UserError: it does not show an object.
    """
    point = env.pick(source)
    if point.kind != "object":
        raise UserError(
            f"the designated pixel (row {source.row:g}, col {source.col:g}) does not show an "
            f"object but the {point.kind}: choose one on an object"
        )
    return point


def require_reachable(info: EnvInfo, goal: Goal) -> None:
    """Refuse goal pixels that show no place where the arm could bring anything.

    Only a calibrated camera and a known workspace can tell; in other worlds all pass.

    Args:
        info: of the env.
        goal: a designated pixel that is to stay may be anywhere.

    Raises:
        UserError: a goal pixel is far beyond the workspace, or above the horizon.
    """
    if info.workspace is None or info.view.homography is None:
        return
    homography = info.view.calibration("goal pixels")
    low, high = np.array(info.workspace.low[:2]), np.array(info.workspace.high[:2])
    middle = np.linalg.inv(homography) @ [*(low + high) / 2, 1]
    for source, target in zip(goal.sources, goal.targets, strict=True):
        if source == target:
            continue
        where = f"(row {target.row:g}, col {target.col:g})"
        *place, scale = homography @ [target.row, target.col, 1]
        # The plane is seen on the side of the horizon where the middle of the workspace is seen.
        if scale * middle[2] <= 0:
            raise UserError(
                f"nothing can get to the goal pixel {where}, which shows what is above the "
                "horizon: choose one that shows a place in reach of the arm"
            )
        x_y = np.array(place) / scale
        beyond_m = float(np.linalg.norm(np.maximum(np.maximum(low - x_y, x_y - high), 0)))
        if beyond_m > BEYOND * (high - low).max():
            raise UserError(
                f"nothing can get to the goal pixel {where}, which shows a place "
                f"{100 * beyond_m:.0f} cm beyond the arm's workspace: choose one in its reach"
            )


def on_height(
    project: Callable[[Float[np.ndarray, "3"]], Pixel],
    pixel: Pixel,
    like_m: Float[np.ndarray, "3"],
) -> Float[np.ndarray, "2"]:
    """Return the place (x, y), in metres, that is seen at a pixel, at the height of another place.

    An object that is pushed keeps its height, so this is where its point must go to be seen at
    the pixel. Found by Newton's method.

    Args:
        project: gives the pixel at which a world point (metres) is seen.
        pixel: where the place is seen.
        like_m: a place at the height wanted, from which the search starts.

    Raises:
        UserError: no place at that height is seen there.
    """

    def seen(place: Float[np.ndarray, "2"]) -> Float[np.ndarray, "2"]:
        spot = project(np.array([*place, like_m[2]]))
        return np.array([spot.row, spot.col])

    wanted = np.array([pixel.row, pixel.col])
    place = np.array(like_m[:2])
    nudges = NUDGE_M * np.eye(2)
    for _ in range(20):
        missing = wanted - seen(place)
        if np.abs(missing).max() < 1e-6:
            return place
        slopes = [(seen(place + nudge) - seen(place)) / NUDGE_M for nudge in nudges]
        place = place + np.linalg.solve(np.stack(slopes, axis=1), missing)
    if np.abs(wanted - seen(place)).max() > 1e-3:
        raise UserError(
            f"the goal pixel (row {pixel.row:g}, col {pixel.col:g}) shows no place at the height: "
            f"choose another"
        )
    return place
