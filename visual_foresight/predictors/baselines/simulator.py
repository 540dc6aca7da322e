"""The true simulator behind the Predictor protocol: the ceiling of any model. For judges only,
since it knows the truth.

It rolls candidates out in a mirror, a second env of the same kind, so that the real one is
never disturbed, and it sees envs only through their interface.
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from visual_foresight.interfaces import Env
from visual_foresight.types import Clip, Prediction, to_float
from visual_foresight.vision.pixel_maps import splat


@dataclass(frozen=True)
class Carry:
    """Where the imagined worlds are: a snapshot, and what each of n candidates has done since."""

    snapshot: Any
    done: Float[Tensor, "n t a"] | None = None


class Simulator:
    """Imagines by simulating. The pixel maps that it is given only say on which grid to answer.

    Imagining further from a `Prediction.carry` replays what was done before: right in every
    case, and no cost at all to planners, who imagine once from a fresh carry.

    Args:
        real: the env that the clips come from; `observe` takes its present state to be that of
            the newest frame.
        mirror: where candidates are tried out.
        points: the physical points (`Env.pick`) behind the designated pixels, one per pixel map.
        exact: whether every candidate starts from the same state bit for bit (7 ms each in
            PyBullet). Otherwise only the first does, the others nearly so, and what is imagined
            for a candidate depends a little on those before it.
    """

    context: int = 1

    def __init__(
        self, real: Env, mirror: Env, points: tuple[Any, ...], exact: bool = False
    ) -> None:
        self._real = real
        self._mirror = mirror
        self._points = points
        self._exact = exact

    def observe(self, clip: Clip) -> Carry:
        """Return the state of the real world now; of the clip, nothing is needed."""
        if len(clip.frames) != 1:
            raise ValueError(f"one real world has one clip (b = 1), got b = {len(clip.frames)}")
        return Carry(self._real.save())

    def imagine(
        self,
        carry: Carry,
        actions: Float[Tensor, "n t a"],
        pixel_maps: Float[Tensor, "n p map_h map_w"],
        decode: bool = False,
    ) -> Prediction:
        """Simulate each candidate.

        A point that leaves the frame stays at its border (see `interfaces.Predictor`).
        """
        num, num_steps, _ = actions.shape
        num_maps, *grid = pixel_maps.shape[1:]
        if num_maps not in (0, len(self._points)):
            raise ValueError(
                f"{len(self._points)} points are known, but {num_maps} pixel maps are asked for"
            )
        done = actions[:, :0] if carry.done is None else carry.done.expand(num, -1, -1)
        points = self._points[:num_maps]
        height, width = self._mirror.frame_size
        maps = torch.zeros(num, num_steps, num_maps, *grid)
        frames = torch.zeros(num, num_steps if decode else 0, 3, height, width)
        for candidate in range(num):
            # The first return is exact, so that what follows does not depend on what the mirror
            # went through before.
            self._mirror.restore(carry.snapshot, exact=self._exact or candidate == 0)
            for action in done[candidate].cpu().numpy():
                self._mirror.move(action)
            for t, action in enumerate(actions[candidate].cpu().numpy()):
                self._mirror.move(action)
                if points:
                    places = tuple(self._mirror.where(point)[0] for point in points)
                    maps[candidate, t] = splat(places, (grid[0], grid[1]), (height, width))
                if decode:
                    frames[candidate, t] = to_float(self._mirror.observe().frame)
        return Prediction(
            frames=frames.to(pixel_maps),
            pixel_maps=maps.to(pixel_maps),
            lost=torch.zeros(num, num_steps, num_maps).to(pixel_maps),
            carry=Carry(carry.snapshot, torch.cat([done, actions], 1)),
        )
