"""The simulator as a predictor, the ceiling of any model. It knows the truth: for judges only.

It rolls candidates out in a mirror, a second env of the same kind, so that the real one is
never disturbed, and it sees envs only through their interface.
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from visual_foresight.interfaces import SimulatedEnv
from visual_foresight.types import Clip, Prediction, to_float
from visual_foresight.vision.pixel_maps import splat


@dataclass(frozen=True)
class Carry:
    """The state of the imagined worlds: a snapshot, and the actions carried out since."""

    snapshot: Any
    done: Float[Tensor, "n t a"] | None = None
    """The actions of each candidate; None: the snapshot itself."""


class Simulator:
    """Imagines by simulating; of the pixel maps that it is given, it uses the grid alone.

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

    def imagine(
        self,
        carry: Carry,
        actions: Float[Tensor, "n t a"],
        pixel_maps: Float[Tensor, "n p map_h map_w"],
        decode: bool = False,
    ) -> Prediction:
        """Simulate each candidate (see `interfaces.Predictor`).

        The map of a point that leaves the frame stays at the border.
        """
        num, num_steps, _ = actions.shape
        _, num_maps, map_height, map_width = pixel_maps.shape
        if num_maps not in (0, len(self._points)):
            raise ValueError(
                f"{len(self._points)} points are known, but {num_maps} pixel maps are asked for"
            )
        done = actions[:, :0] if carry.done is None else carry.done.expand(num, -1, -1)
        points = self._points[:num_maps]
        map_size = (map_height, map_width)
        size = self._mirror.info.frame_size
        maps = torch.zeros(num, num_steps, num_maps, *map_size)
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
            frames=frames.to(pixel_maps),
            pixel_maps=maps.to(pixel_maps),
            lost=torch.zeros(num, num_steps, num_maps).to(pixel_maps),
            carry=Carry(carry.snapshot, torch.cat([done, actions], 1)),
            frame_size=size,
        )
