"""From two frames and the robot's state to a scene: the arm, the empty table, and the bodies on it."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from visual_foresight.predictors.layers.arm_renderer import Arm
from visual_foresight.predictors.layers.robot_dynamics import Robot
from visual_foresight.predictors.rigid.bodies import Overlook, Silhouettes, filled, solid
from visual_foresight.predictors.rigid.copy_paste import Scissors
from visual_foresight.predictors.rigid.segmentation import Layers, Sight, layers, unlike
from visual_foresight.vision.background import apart_from, strongest
from visual_foresight.vision.homography import as_complex, to_pixel
from visual_foresight.vision.pixel_maps import grid

POSTURE_SIZE = 16
COVERED = 0.3  # a pixel shows the arm if so much of the arm is drawn there,
FAINTLY, ALIKE = 0.1, 0.25  # or less of it, in a colour so near
HIDDEN = 0.35  # probability from which on the arm is taken to hide what is there
SHOWN = 0.12  # difference of a colour to the empty table from which on a pixel of a body shows nothing else
COLLAGES = 64  # in a lesson


@dataclass(frozen=True)
class Scene:
    """What was seen, and does not change while it is imagined; b is 1 or the number of candidates."""

    seen: Silhouettes
    things: Float[Tensor, "b 4 hf wf"]
    """What differs from the empty table, without the arm: colours times opacity, and opacity."""
    posture: Float[Tensor, "b z"]
    """What of the arm's shape the robot's state does not say."""


class Eye(nn.Module):
    """Sees scenes, and draws the arm.

    Args:
        robot: Whose states are seen.
        overlook: The camera.
        to_frame: Homography from the robot's (x, y, 1) to (row, col, 1).
    """

    empty: Tensor
    to_frame: Tensor

    def __init__(self, robot: Robot, overlook: Overlook, to_frame: Float[Tensor, "3 3"]) -> None:
        super().__init__()
        size = overlook.frame_size
        self.frame_size, self.overlook, self.standardised = size, overlook, robot.standardised
        self.posture = nn.Sequential(
            nn.Conv2d(8, 16, 4, stride=2, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 4, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(32, 16, 4, stride=2, padding=1), nn.ReLU(), nn.Flatten(),
            nn.Linear(16 * (size[0] // 8) * (size[1] // 8), POSTURE_SIZE),
        )  # fmt: skip
        self.arm = Arm(len(robot.mean) + POSTURE_SIZE, size)
        self.sight = Sight()
        self.register_buffer("empty", torch.zeros(3, *size))
        self.register_buffer("to_frame", to_frame, persistent=False)

    def posture_of(self, frames: Float[Tensor, "b 2 3 hf wf"]) -> Float[Tensor, "b z"]:
        """Return what two frames say of the arm's shape."""
        here = rearrange(grid(self.frame_size, self.frame_size).to(frames), "h w two -> two h w")
        place = (here + 0.5) * (2 / rearrange(here.new_tensor(self.frame_size), "two -> two 1 1")) - 1
        apart = rearrange(frames - self.empty, "b t c h w -> b (t c) h w")
        return self.posture(torch.cat([apart, place.expand(len(frames), -1, -1, -1)], 1)).float()

    def drawn(
        self, state: Float[Tensor, "b s"], posture: Float[Tensor, "b z"]
    ) -> tuple[Float[Tensor, "b 3 hf wf"], Float[Tensor, "b 1 hf wf"]]:
        """Draw the arm: its colours, and how much of each pixel it covers."""
        drawn = self.arm(torch.cat([self.standardised(state), posture], -1), self._tip(state)).float()
        return drawn[:, :3].sigmoid(), (drawn[:, 3:] - 3).sigmoid()  # at first, no arm is known

    @torch.no_grad()
    def scene(
        self,
        newest: Float[Tensor, "b 3 hf wf"],
        state: Float[Tensor, "b s"],
        posture: Float[Tensor, "b z"],
        blind: bool = False,
    ) -> Scene:
        """Take the arm off a frame, complete what it hides, and find the bodies.

        Args:
            newest: The frame.
            state: Of the robot.
            posture: Of the arm.
            blind: Take the table for empty.
        """
        images, empty = _images(newest), _images(self.empty)
        thing = border = np.zeros(images.shape[:3], np.float32)
        if not blind:
            _, cover = self.drawn(state, posture)
            plain = torch.from_numpy(solid(apart_from(images, empty))).to(newest)
            found = layers(self.sight(newest, self.empty, plain, cover[:, 0], self._tip(state)))
            thing, border = found.thing.cpu().numpy(), found.border.cpu().numpy()
            images = filled(images, empty, _widened((found.arm > HIDDEN).cpu().numpy()))
        seen = self.overlook.look(thing, border).to(newest.device)
        apart = torch.from_numpy(apart_from(images, empty) / SHOWN).to(newest)
        opacity = (apart.clamp(0, 1) * (seen.owner >= 0))[:, None]
        things = torch.cat([rearrange(torch.from_numpy(images).to(newest), "b h w c -> b c h w") * opacity, opacity], 1)
        return Scene(seen, things, posture)

    def lesson(
        self, newest: Float[Tensor, "b 3 hf wf"], state: Float[Tensor, "b s"], posture: Float[Tensor, "b z"], seed: int
    ) -> Float[Tensor, ""]:
        """Return how wrong it sees collages of these frames; 0 if nothing whole is on any of them."""
        with torch.no_grad():
            colours, cover = self.drawn(state, posture)
            alike = (newest - colours).abs().amax(1) < ALIKE
            arm = _widened(((cover[:, 0] > COVERED) | (cover[:, 0] > FAINTLY) & alike).cpu().numpy())
        tips = self._tip(state).cpu().numpy()
        cut = Scissors(_images(newest), _images(self.empty), cover[:, 0].cpu().numpy(), arm, tips)
        if not cut.whole:
            return 0 * self.sight.logits.weight.sum()
        rng = np.random.default_rng(seed)
        made = [cut.collage(rng) for _ in range(COLLAGES)]
        apart, cover, tip, *truth = (
            torch.from_numpy(np.stack([getattr(each, name) for each in made])).to(newest)
            for name in ("apart", "cover", "tip", "arm", "thing", "border")
        )
        plain = torch.from_numpy(np.stack([solid(strongest(each.apart)) for each in made])).to(newest)
        frames = self.empty + rearrange(apart, "b h w c -> b c h w")
        return unlike(self.sight(frames, self.empty, plain, cover, tip), Layers(*truth))

    def _tip(self, state: Float[Tensor, "b s"]) -> Float[Tensor, "b 2"]:
        """Return at which (row, col) the fingertip is."""
        return to_pixel(as_complex(state[:, :2]), self.to_frame)


def _images(frames: Float[Tensor, "*b c hf wf"]) -> np.ndarray:
    return rearrange(frames, "... c h w -> ... h w c").cpu().numpy()


def _widened(masks: Bool[np.ndarray, "b h w"]) -> Bool[np.ndarray, "b h w"]:
    """Return masks and their neighbours."""
    return np.stack([cv2.dilate(each.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0 for each in masks])
