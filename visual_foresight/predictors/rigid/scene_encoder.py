"""From two frames and the robot's state to a scene: arm, background, and the bodies on it."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from einops import rearrange
from jaxtyping import Bool, Float, Float32
from torch import Tensor, nn

from visual_foresight.predictors.layers.arm_renderer import ArmRenderer
from visual_foresight.predictors.layers.robot_dynamics import RobotDynamics
from visual_foresight.predictors.rigid.bodies import (
    SQUARE,
    BirdsEyeView,
    Footprints,
    inpaint,
    opacity_of,
)
from visual_foresight.predictors.rigid.copy_paste import CutPaste
from visual_foresight.predictors.rigid.segmentation import (
    Layers,
    SegmentationNetwork,
    segmentation_loss,
)
from visual_foresight.vision.background import difference, largest_channel
from visual_foresight.vision.homography import as_complex, to_pixel
from visual_foresight.vision.pixel_maps import grid

POSTURE_SIZE = 16
# To cut frames into collages: a pixel shows the arm if the arm is drawn there at least so opaque.
COVERED = 0.3
# Likewise if it is drawn at least so opaque, and the pixel's colour differs from it by less.
FAINTLY_COVERED, SIMILAR_COLOUR = 0.1, 0.25
HIDDEN = 0.35  # probability of the arm from which on a pixel is inpainted
OPAQUE = 0.12  # difference to the background from which on a body's pixel is opaque
NUM_COLLAGES = 64  # in a gradient step


@dataclass(frozen=True)
class Scene:
    """What was seen and stays the same while the model imagines; b is 1 or n candidates."""

    footprints: Footprints
    foreground: Float[Tensor, "b 4 hf wf"]
    """Bodies without arm and background: colours times opacity, and opacity, from 0 to 1."""
    posture: Float[Tensor, "b z"]
    """Embedding of the arm's shape, as far as the robot's state does not determine it."""


class SceneEncoder(nn.Module):
    """Finds the bodies of a frame, and renders the arm.

    Args:
        robot: Whose states standardise the arm renderer's inputs.
        birds_eye_view: The camera.
        to_frame: Homography from the robot's (x, y, 1) to (row, col, 1).
    """

    background: Tensor
    to_frame: Tensor

    def __init__(
        self, robot: RobotDynamics, birds_eye_view: BirdsEyeView, to_frame: Float[Tensor, "3 3"]
    ) -> None:
        super().__init__()
        size = birds_eye_view.frame_size
        self.frame_size = size
        self.birds_eye_view = birds_eye_view
        self.standardised = robot.standardised
        self.posture = nn.Sequential(
            nn.Conv2d(8, 16, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 16, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(16 * (size[0] // 8) * (size[1] // 8), POSTURE_SIZE),
        )
        self.arm = ArmRenderer(len(robot.mean) + POSTURE_SIZE, size)
        self.segmentation = SegmentationNetwork()
        self.register_buffer("background", torch.zeros(3, *size))
        self.register_buffer("to_frame", to_frame, persistent=False)

    def encode_posture(self, frames: Float[Tensor, "b 2 3 hf wf"]) -> Float[Tensor, "b z"]:
        """Return the embedding of the arm's shape in the two newest frames."""
        pixels = rearrange(
            grid(self.frame_size, self.frame_size).to(frames), "h w two -> two h w"
        )
        size = rearrange(pixels.new_tensor(self.frame_size), "two -> two 1 1")
        coordinates = (pixels + 0.5) * (2 / size) - 1
        differences = rearrange(frames - self.background, "b t c h w -> b (t c) h w")
        inputs = [differences, coordinates.expand(len(frames), -1, -1, -1)]
        return self.posture(torch.cat(inputs, 1)).float()

    def render_arm(
        self, state: Float[Tensor, "b s"], posture: Float[Tensor, "b z"]
    ) -> tuple[Float[Tensor, "b 3 hf wf"], Float[Tensor, "b 1 hf wf"]]:
        """Return the arm's colours, and how much of each pixel it covers, from 0 to 1."""
        numbers = torch.cat([self.standardised(state), posture], -1)
        logits = self.arm(numbers, self._tip(state)).float()
        # By -3, an untrained renderer draws nearly nothing.
        return logits[:, :3].sigmoid(), (logits[:, 3:] - 3).sigmoid()

    @torch.no_grad()
    def encode(
        self,
        frame: Float[Tensor, "b 3 hf wf"],
        state: Float[Tensor, "b s"],
        posture: Float[Tensor, "b z"],
        assume_empty: bool = False,
    ) -> Scene:
        """Segment a frame, inpaint what the arm hides, and find the bodies.

        Args:
            frame: The newest one.
            state: Of the robot.
            posture: Embedding of the arm's shape.
            assume_empty: Whether to look for no bodies at all.
        """
        image = _numpy(frame)
        background = _numpy(self.background)
        objects = border = np.zeros(image.shape[:3], np.float32)
        if not assume_empty:
            layers = self._segment(frame, state, posture)
            objects = layers.objects.cpu().numpy()
            border = layers.border.cpu().numpy()
            hidden = (layers.arm > HIDDEN).cpu().numpy()
            image = inpaint(image, background, _dilate(hidden))
        footprints = self.birds_eye_view.find_bodies(objects, border).to(frame.device)
        visible = torch.from_numpy(difference(image, background) / OPAQUE).to(frame)
        opacity = (visible.clamp(0, 1) * (footprints.labels >= 0))[:, None]
        colours = rearrange(torch.from_numpy(image).to(frame), "b h w c -> b c h w")
        return Scene(footprints, torch.cat([colours * opacity, opacity], 1), posture)

    def _segment(
        self,
        frame: Float[Tensor, "b 3 hf wf"],
        state: Float[Tensor, "b s"],
        posture: Float[Tensor, "b z"],
    ) -> Layers:
        """Return the probabilities of a frame's layers."""
        _, cover = self.render_arm(state, posture)
        differences = difference(_numpy(frame), _numpy(self.background))
        opacity = torch.from_numpy(opacity_of(differences)).to(frame)
        logits = self.segmentation(
            frame, self.background, opacity, cover[:, 0], self._tip(state)
        )
        return Layers.from_logits(logits)

    def auxiliary_loss(
        self,
        frame: Float[Tensor, "b 3 hf wf"],
        state: Float[Tensor, "b s"],
        posture: Float[Tensor, "b z"],
        seed: int,
    ) -> Float[Tensor, ""]:
        """Return the segmentation loss on collages of these frames.

        It is 0, without a gradient, if no object is seen whole in any of them.
        """
        cut = self._cut(frame, state, posture)
        if not cut.whole:
            return frame.new_zeros(())
        rng = np.random.default_rng(seed)
        collages = [cut.collage(rng) for _ in range(NUM_COLLAGES)]

        def stacked(name: str) -> Tensor:
            return torch.from_numpy(np.stack([vars(each)[name] for each in collages])).to(frame)

        opacity = [opacity_of(largest_channel(each.difference)) for each in collages]
        images = self.background + rearrange(stacked("difference"), "b h w c -> b c h w")
        logits = self.segmentation(
            images,
            self.background,
            torch.from_numpy(np.stack(opacity)).to(frame),
            stacked("cover"),
            stacked("tip"),
        )
        truth = Layers(stacked("arm"), stacked("objects"), stacked("border"))
        return segmentation_loss(logits, truth)

    @torch.no_grad()
    def _cut(
        self,
        frame: Float[Tensor, "b 3 hf wf"],
        state: Float[Tensor, "b s"],
        posture: Float[Tensor, "b z"],
    ) -> CutPaste:
        """Cut frames into what collages are made of."""
        colours, cover = self.render_arm(state, posture)
        cover = cover[:, 0]
        similar = (frame - colours).abs().amax(1) < SIMILAR_COLOUR
        arm = (cover > COVERED) | (cover > FAINTLY_COVERED) & similar
        return CutPaste(
            _numpy(frame),
            _numpy(self.background),
            cover.cpu().numpy(),
            _dilate(arm.cpu().numpy()),
            self._tip(state).cpu().numpy(),
        )

    def _tip(self, state: Float[Tensor, "b s"]) -> Float[Tensor, "b 2"]:
        """Return the (row, col) at which the fingertip is seen."""
        return to_pixel(as_complex(state[:, :2]), self.to_frame)


def _numpy(images: Float[Tensor, "*b c hf wf"]) -> Float32[np.ndarray, "*b hf wf c"]:
    return rearrange(images, "... c h w -> ... h w c").cpu().numpy()


def _dilate(masks: Bool[np.ndarray, "b h w"]) -> Bool[np.ndarray, "b h w"]:
    """Return masks and their neighbouring pixels."""
    return np.stack([cv2.dilate(mask.astype(np.uint8), SQUARE) > 0 for mask in masks])
