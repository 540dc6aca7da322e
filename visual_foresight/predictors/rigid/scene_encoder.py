"""From two frames and the robot's state to a scene.

The arm, the empty table, and the bodies on it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from visual_foresight.predictors.layers.arm_renderer import ArmRenderer
from visual_foresight.predictors.layers.robot_dynamics import RobotDynamics
from visual_foresight.predictors.rigid.bodies import BirdsEyeView, Footprints, filled, solid
from visual_foresight.predictors.rigid.copy_paste import CutPaste
from visual_foresight.predictors.rigid.segmentation import (
    Layers,
    SegmentationNetwork,
    layers,
    unlike,
)
from visual_foresight.vision.background import apart_from, strongest
from visual_foresight.vision.homography import as_complex, to_pixel
from visual_foresight.vision.pixel_maps import grid

POSTURE_SIZE = 16
COVERED = 0.3  # a pixel shows the arm if so much of the arm is drawn there,
FAINTLY, ALIKE = 0.1, 0.25  # or less of it, in a colour so near
HIDDEN = 0.35  # probability from which on the arm is taken to hide what is there
# difference of a colour to the empty table from which on a pixel of a body shows nothing else
SHOWN = 0.12
COLLAGES = 64  # in a lesson


@dataclass(frozen=True)
class Scene:
    """What was seen, and does not change while it is imagined.

    B is 1 or the number of candidates.
    """

    seen: Footprints
    things: Float[Tensor, "b 4 hf wf"]
    """What differs from the empty table, without the arm: colours times opacity, and opacity."""
    posture: Float[Tensor, "b z"]
    """What of the arm's shape the robot's state does not say."""


class SceneEncoder(nn.Module):
    """Sees scenes, and draws the arm.

    Args:
        robot: Whose states are seen.
        overlook: The camera.
        to_frame: Homography from the robot's (x, y, 1) to (row, col, 1).
    """

    background: Tensor
    to_frame: Tensor

    def __init__(
        self, robot: RobotDynamics, birds_eye_view: BirdsEyeView, to_frame: Float[Tensor, "3 3"]
    ) -> None:
        super().__init__()
        size = birds_eye_view.frame_size
        self.frame_size, self.birds_eye_view, self.standardised = (
            size,
            birds_eye_view,
            robot.standardised,
        )
        self.posture = nn.Sequential(
            nn.Conv2d(8, 16, 4, stride=2, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 4, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(32, 16, 4, stride=2, padding=1), nn.ReLU(), nn.Flatten(),
            nn.Linear(16 * (size[0] // 8) * (size[1] // 8), POSTURE_SIZE),
        )  # fmt: skip
        self.arm = ArmRenderer(len(robot.mean) + POSTURE_SIZE, size)
        self.segmentation = SegmentationNetwork()
        self.register_buffer("background", torch.zeros(3, *size))
        self.register_buffer("to_frame", to_frame, persistent=False)

    def posture_of(self, frames: Float[Tensor, "b 2 3 hf wf"]) -> Float[Tensor, "b z"]:
        """Return what two frames say of the arm's shape."""
        here = rearrange(
            grid(self.frame_size, self.frame_size).to(frames), "h w two -> two h w"
        )
        place = (here + 0.5) * (
            2 / rearrange(here.new_tensor(self.frame_size), "two -> two 1 1")
        ) - 1
        apart = rearrange(frames - self.background, "b t c h w -> b (t c) h w")
        return self.posture(
            torch.cat([apart, place.expand(len(frames), -1, -1, -1)], 1)
        ).float()

    def drawn(
        self, state: Float[Tensor, "b s"], posture: Float[Tensor, "b z"]
    ) -> tuple[Float[Tensor, "b 3 hf wf"], Float[Tensor, "b 1 hf wf"]]:
        """Draw the arm: its colours, and how much of each pixel it covers."""
        drawn = self.arm(
            torch.cat([self.standardised(state), posture], -1), self._tip(state)
        ).float()
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
        images, background = _images(newest), _images(self.background)
        thing = border = np.zeros(images.shape[:3], np.float32)
        if not blind:
            _, cover = self.drawn(state, posture)
            plain = torch.from_numpy(solid(apart_from(images, background))).to(newest)
            found = layers(
                self.segmentation(newest, self.background, plain, cover[:, 0], self._tip(state))
            )
            thing, border = found.thing.cpu().numpy(), found.border.cpu().numpy()
            images = filled(images, background, _widened((found.arm > HIDDEN).cpu().numpy()))
        seen = self.birds_eye_view.find_bodies(thing, border).to(newest.device)
        apart = torch.from_numpy(apart_from(images, background) / SHOWN).to(newest)
        opacity = (apart.clamp(0, 1) * (seen.owner >= 0))[:, None]
        things = torch.cat(
            [
                rearrange(torch.from_numpy(images).to(newest), "b h w c -> b c h w") * opacity,
                opacity,
            ],
            1,
        )
        return Scene(seen, things, posture)

    def auxiliary_loss(
        self,
        newest: Float[Tensor, "b 3 hf wf"],
        state: Float[Tensor, "b s"],
        posture: Float[Tensor, "b z"],
        seed: int,
    ) -> Float[Tensor, ""]:
        """Return how wrong it sees collages of these frames.

        0 if nothing whole is on any of them.
        """
        with torch.no_grad():
            colours, cover = self.drawn(state, posture)
            alike = (newest - colours).abs().amax(1) < ALIKE
            arm = _widened(
                ((cover[:, 0] > COVERED) | (cover[:, 0] > FAINTLY) & alike).cpu().numpy()
            )
        tips = self._tip(state).cpu().numpy()
        cut = CutPaste(
            _images(newest), _images(self.background), cover[:, 0].cpu().numpy(), arm, tips
        )
        if not cut.whole:
            return 0 * self.segmentation.logits.weight.sum()
        rng = np.random.default_rng(seed)
        made = [cut.collage(rng) for _ in range(COLLAGES)]
        apart, cover, tip, *truth = (
            torch.from_numpy(np.stack([getattr(each, name) for each in made])).to(newest)
            for name in ("apart", "cover", "tip", "arm", "thing", "border")
        )
        plain = torch.from_numpy(np.stack([solid(strongest(each.apart)) for each in made])).to(
            newest
        )
        frames = self.background + rearrange(apart, "b h w c -> b c h w")
        return unlike(
            self.segmentation(frames, self.background, plain, cover, tip), Layers(*truth)
        )

    def _tip(self, state: Float[Tensor, "b s"]) -> Float[Tensor, "b 2"]:
        """Return at which (row, col) the fingertip is."""
        return to_pixel(as_complex(state[:, :2]), self.to_frame)


def _images(frames: Float[Tensor, "*b c hf wf"]) -> np.ndarray:
    return rearrange(frames, "... c h w -> ... h w c").cpu().numpy()


def _widened(masks: Bool[np.ndarray, "b h w"]) -> Bool[np.ndarray, "b h w"]:
    """Return masks and their neighbours."""
    return np.stack(
        [cv2.dilate(each.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0 for each in masks]
    )
