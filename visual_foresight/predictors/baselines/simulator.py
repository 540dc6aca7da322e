"""The simulator as a predictor, the ceiling of any model. It knows the truth: for judges only.

It rolls candidates out in a mirror, a second env of the same kind, so that the real one is
never disturbed, and it sees envs only through their interface.
"""

from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from visual_foresight.interfaces import SimulatedEnv
from visual_foresight.types import Clip, Prediction, to_float
from visual_foresight.vision.pixel_maps import map_size_of, splat


@dataclass(frozen=True)
class Carry:
    """The state of the imagined worlds: a snapshot, and the actions carried out since."""

    snapshot: Any
    done: Float[Tensor, "n t a"] | None = None
    """The actions of each candidate; None: the snapshot itself."""
    num_followed: int = 0
    """How many of the points have pixel maps, the first ones."""


class Simulator:
    """Imagines by simulating. It knows which points are meant: designated pixels are only counted.

    Imagining further from a `Prediction.carry` replays what was done before. Planners, which
    imagine once from a fresh carry, never pay for that.

    Args:
        real: the env that the clips come from; `observe` takes its present state to be that of
            the newest frame.
        mirror: where candidates are simulated.
        points: the physical points (`Judge.pick`) behind the designated pixels, one per pixel map.
        exact: whether every candidate starts from the same state bit for bit (7 ms each in
            PyBullet). Otherwise only the first one does, and what is imagined for the others
            depends a little on those before them.
    """

    context: int = 1

    def __init__(
        self,
        real: SimulatedEnv,
        mirror: SimulatedEnv,
        points: tuple[Any, ...],
        exact: bool = False,
    ) -> None:
        self._real = real
        self._mirror = mirror
        self._points = points
        self._exact = exact

    def observe(self, clip: Clip) -> Carry:
        """Return the present state of the real env; nothing of the clip is needed."""
        if len(clip.frames) != 1:
            raise ValueError(f"one real world has one clip (b = 1), got b = {len(clip.frames)}")
        return Carry(self._real.save())

    def designate(self, carry: Carry, pixels: Float[Tensor, "b p 2"]) -> Carry:
        """Follow the points, or none (see `interfaces.Predictor`)."""
        num_pixels = pixels.shape[1]
        if num_pixels not in (0, len(self._points)):
            raise ValueError(
                f"{len(self._points)} points are known, but {num_pixels} pixels are designated"
            )
        return replace(carry, num_followed=num_pixels)

    def imagine(
        self, carry: Carry, actions: Float[Tensor, "n t a"], decode: bool = False
    ) -> Prediction:
        """Simulate each candidate (see `interfaces.Predictor`).

        The map of a point that leaves the frame stays at the border.
        """
        num, num_steps, _ = actions.shape
        done = actions[:, :0] if carry.done is None else carry.done.expand(num, -1, -1)
        points = self._points[: carry.num_followed]
        size = self._mirror.info.frame_size
        map_size = map_size_of(size)
        maps = torch.zeros(num, num_steps, len(points), *map_size)
        frames = torch.zeros(num, num_steps if decode else 0, 3, *size)
        for candidate in range(num):
            # The first restoration is exact, so that nothing depends on what the mirror went
            # through before.
            self._mirror.restore(carry.snapshot, exact=self._exact or candidate == 0)
            for action in done[candidate].cpu().numpy():
                self._mirror.move(action)
            for t, action in enumerate(actions[candidate].cpu().numpy()):
                self._mirror.move(action)
                if points:
                    places = tuple(self._mirror.where(point)[0] for point in points)
                    maps[candidate, t] = splat(places, map_size, size)
                if decode:
                    frames[candidate, t] = to_float(self._mirror.observe().frame)
        return Prediction(
            frames=frames.to(actions.device),
            pixel_maps=maps.to(actions.device),
            lost=torch.zeros(num, num_steps, len(points), device=actions.device),
            carry=replace(carry, done=torch.cat([done, actions], 1)),
            frame_size=size,
        )
