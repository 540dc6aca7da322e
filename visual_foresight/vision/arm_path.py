"""Where actions take the arm, as places in the frame: known for a calibrated camera alone."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from visual_foresight.env_info import Limits, View
from visual_foresight.types import Workspace
from visual_foresight.vision.homography import apply_homography

PLANAR = 2
"""Numbers of an action that moves the arm along the calibrated plane only."""


@dataclass(frozen=True)
class ArmView:
    """A camera, and what an action does to the arm that it sees."""

    view: View
    limits: Limits

    @property
    def why_unknown(self) -> str:
        """Return why nobody can say where in the frame the arm will be; "" if that is known."""
        if self.view.homography is None:
            return "this camera is not calibrated"
        if not isinstance(self.limits, Workspace):
            return "it is not known where an action takes the arm"
        if self.limits.action_size != PLANAR:
            return "the arm leaves the plane that the camera is calibrated for"
        return ""

    def places(
        self, state: Float[np.ndarray, " s"], actions: Float[np.ndarray, "n t a"]
    ) -> Float[np.ndarray, "n t_plus_1 2"]:
        """Return where the arm's tip is seen before the first and after each action: (row, col).

        Args:
            state: the robot's, before the first action; it begins with (x, y) in metres.
            actions: of n sequences; what leads out of the workspace stops at its border.
        """
        limits = self.limits
        assert not self.why_unknown and isinstance(limits, Workspace)
        low, high = np.array(limits.low), np.array(limits.high)
        place = np.repeat(np.clip(state[None, :PLANAR], low, high), len(actions), axis=0)
        path = [place]
        for action in np.moveaxis(actions, 1, 0):
            place = np.clip(place + np.clip(action, -1, 1) * limits.step, low, high)
            path.append(place)
        to_frame = np.linalg.inv(self.view.calibration("the arm's path"))
        return apply_homography(np.stack(path, axis=1), to_frame)
