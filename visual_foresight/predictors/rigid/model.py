"""A scene is rigid bodies on a table, and the fingertip pushes them.

The scene encoder finds arm, background and bodies in the newest frame. A rollout moves the bodies'
poses: the mechanics of planar pushing predicts each action's effect, and a small network corrects
it. Every pixel of a body, and every pixel map on it, moves with the body. So images stay sharp, and
what nothing touches rests exactly. The recurrent state is the robot's state and the bodies' poses
and velocities; frames are rendered from it only on request.

Sources: frames as moved pixels of an earlier one, as in Ebert et al. 2018; layers as in Wang &
Adelson, "Representing Moving Images with Layers" (1994). `residual_push.py` and `contact_solver.py`
name those of the motion.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from einops import rearrange, repeat
from jaxtyping import Complex, Float
from torch import Tensor, nn

from visual_foresight.predictors.layers.batching import widen
from visual_foresight.predictors.layers.point_maps import Points
from visual_foresight.predictors.layers.robot_dynamics import RobotDynamics
from visual_foresight.predictors.layers.warping import Motion, sample
from visual_foresight.predictors.models import COARSEST_PX, Model, Recipe, require_multiples
from visual_foresight.predictors.rigid.attached_points import AttachedPoints
from visual_foresight.predictors.rigid.bodies import BirdsEyeView
from visual_foresight.predictors.rigid.contact_module import Poses
from visual_foresight.predictors.rigid.residual_push import ResidualPush
from visual_foresight.predictors.rigid.scene_encoder import Scene, SceneEncoder
from visual_foresight.predictors.rollouts import beginning
from visual_foresight.types import Clip, Prediction
from visual_foresight.vision.homography import as_complex, heading, pixel_side, to_pixel
from visual_foresight.vision.pixel_maps import grid

# Training has three phases; these shares of the gradient steps end the first and the second.
ARM_UNTIL = 0.15  # the arm renderer learns
SEGMENTATION_UNTIL = 0.6  # segmentation learns; after that, pushes
ARM_SHARE = 1 / 4  # of the steps of the second phase, in which the arm renderer learns, too


@dataclass(frozen=True)
class RigidConfig:
    """What the model sees, and its size."""

    frame_size: tuple[int, int] = (64, 64)
    """Height and width in pixels; the network sees them padded to multiples of 8."""
    action_size: int = 2
    state_size: int = 4
    width: int = 128
    """Of the hidden layers of the network that corrects mechanics."""
    homography: tuple[tuple[float, ...], ...] = (
        (1.0, 0.0, 0.0),
        (0.0, 1.0, 0.0),
        (0.0, 0.0, 1.0),
    )
    """Homography from (row, col, 1) in the frame to the robot's (x, y, 1): see
    `env_info.Homography`."""


@dataclass(frozen=True)
class Carry:
    """The model's memory after an action; b is 1 or the number of candidates."""

    scene: Scene
    state: Float[Tensor, "b s"]
    """Of the robot."""
    commanded: Float[Tensor, "b s"]
    """State of a robot that nothing has ever stopped."""
    previous_displacement: Complex[Tensor, " b"]
    """Of the fingertip in the action before, x + iy in metres."""
    poses: Poses
    attached: AttachedPoints
    """Where the designated pixels are now."""


class Rigid(nn.Module):
    """p(o_{t+1} | o_{t-1:t}, s_{t-1:t}, a_t) by moving rigid bodies."""

    context = 2
    to_frame: Tensor
    """Homography from the robot's (x, y, 1) to (row, col, 1)."""
    to_plane: Tensor
    """Its inverse."""
    pixel_positions: Tensor
    """Where each pixel is seen on the calibrated plane, x + iy in metres."""

    def __init__(self, config: RigidConfig) -> None:
        super().__init__()
        size = config.frame_size
        require_multiples(size)
        self.config = config
        homography = np.array(config.homography)
        to_frame = torch.from_numpy(np.linalg.inv(homography)).float()
        view = BirdsEyeView(homography, size, pixel_side(config.homography, size))
        positions = as_complex(torch.from_numpy(view.pixel_positions).float())
        self.robot = RobotDynamics(config.action_size, config.state_size)
        self.scene_encoder = SceneEncoder(self.robot, view, to_frame)
        self.residual_push = ResidualPush(config.width)
        self.register_buffer("to_plane", torch.from_numpy(homography).float(), persistent=False)
        self.register_buffer("to_frame", to_frame, persistent=False)
        self.register_buffer("pixel_positions", positions, persistent=False)

    def calibrate(self, clip: Clip) -> None:
        """Set the robot's dynamics, the background and the walls from experience."""
        self.robot.calibrate(clip)
        # contiguous: the median of a view is now and then NaN (torch 2.14)
        frames = rearrange(clip.frames, "b t c h w -> (b t) c h w").contiguous()
        self.scene_encoder.background.copy_(frames.median(0).values)
        low, high = clip.states[..., :2].flatten(0, 1).aminmax(dim=0)
        self.residual_push.contact.walls.copy_(torch.stack([low, high]))

    # --- the Predictor protocol ---------------------------------------------------------------

    def observe(self, clip: Clip) -> Carry:
        """Find arm, background and bodies in the newest frame."""
        return self._observe(clip)

    def _observe(self, clip: Clip, assume_empty: bool = False) -> Carry:
        """Find them, or the arm alone on a table that is assumed to be empty."""
        frames, states = clip.frames[:, -2:], clip.states[:, -2:]
        if frames.shape[1] < 2:
            raise ValueError(f"a clip of at least 2 frames is needed, got {frames.shape[1]}")
        before, now = states.unbind(1)
        posture = self.scene_encoder.encode_posture(frames)
        scene = self.scene_encoder.encode(frames[:, -1], now, posture, assume_empty)
        position = scene.footprints.positions
        at_rest = torch.zeros_like(position)
        poses = Poses(position, at_rest.real, at_rest, at_rest.real)
        previous_displacement = as_complex(now[:, :2] - before[:, :2])
        nothing = self._attached(now.new_zeros(len(now), 0, 2), scene, poses)
        return Carry(scene, now, now, previous_displacement, poses, nothing)

    def designate(self, carry: Carry, pixels: Float[Tensor, "b p 2"]) -> Carry:
        """Attach these pixels to the bodies that they show (see `interfaces.Predictor`)."""
        attached = self._attached(pixels.to(carry.state), carry.scene, carry.poses)
        return replace(carry, attached=attached)

    def imagine(
        self, carry: Carry, actions: Float[Tensor, "n t a"], decode: bool = False
    ) -> Prediction:
        """Roll poses and points out; render frames on request (see `interfaces.Predictor`)."""
        return self._prediction(list(self._rollout(carry, actions)), decode)

    def motions(self, carry: Carry, actions: Float[Tensor, "n t a"]) -> tuple[Motion, ...]:
        """Return the motion of each step (see `interfaces.MotionPredictor`).

        Arm and background count as newly made.
        """
        motions = []
        count = len(actions)
        before = carry
        for after in self._rollout(carry, actions):
            visible, backward, forward = self._flows(before, after, count)
            posture = widen(after.scene.posture, count)
            _, cover = self.scene_encoder.render_arm(after.state, posture)
            visible = (1 - cover) * visible
            nothing = torch.zeros_like(cover).expand(-1, 2, -1, -1)
            masks = torch.cat([nothing, visible, 1 - visible], 1)
            motions.append(Motion(backward[:, None], masks, forward, drawn=True))
            before = after
        return tuple(motions)

    def segments(self, carry: Carry) -> Float[Tensor, "b k hf wf"]:
        """Return how much of each pixel each body covers (see `interfaces.Segments`)."""
        poses = carry.poses
        count = len(poses.position)
        footprints = carry.scene.footprints
        opacity = widen(carry.scene.foreground[:, 3:], count)
        labels = widen(footprints.labels, count)
        first_position = widen(footprints.positions, count)
        masks = [opacity[:, :0]]
        for k in range(poses.position.shape[1]):
            source = self._source_pixels(
                poses.position[:, k], poses.angle[:, k], first_position[:, k]
            )
            body = opacity * (labels == k)[:, None]
            masks.append(sample(body, source, self.config.frame_size, "zeros"))
        return torch.cat(masks, 1)

    # --- the CustomTrainingRollout protocol ---------------------------------------------------

    def training_rollout(
        self,
        clip: Clip,
        places: Float[Tensor, "b p 2"],
        rng: torch.Generator,
        progress: float,
    ) -> tuple[Prediction, Float[Tensor, ""]]:
        """Learn to render the arm on an empty table, then segmentation, then pushes.

        What a phase does not train gets no gradient. Frames are rendered where the arm renderer
        learns; in the second phase, segmentation learns from the auxiliary loss.
        """
        learns_pushes = progress >= SEGMENTATION_UNTIL
        learns_segmentation = ARM_UNTIL <= progress < SEGMENTATION_UNTIL
        learns_arm = progress < ARM_UNTIL
        if learns_segmentation:
            learns_arm = bool(torch.rand((), generator=rng) < ARM_SHARE)
        context = beginning(clip, self.context)
        with torch.set_grad_enabled(learns_arm):
            carry = self._observe(context, assume_empty=not learns_pushes)
        auxiliary_loss = clip.frames.new_zeros(())
        if learns_segmentation:
            seed = int(torch.randint(2**31, (), generator=rng))
            auxiliary_loss = self.scene_encoder.auxiliary_loss(
                context.frames[:, -1], carry.state, carry.scene.posture, seed
            )
        actions = clip.actions[:, self.context - 1 :]
        steps = list(self._rollout(self.designate(carry, places), actions))
        return self._prediction(steps, decode=learns_arm), auxiliary_loss

    # --- dynamics -----------------------------------------------------------------------------

    def _rollout(self, carry: Carry, actions: Float[Tensor, "n t a"]) -> Iterator[Carry]:
        """Yield the carry after each action."""
        count = len(actions)
        poses = Poses(
            widen(carry.poses.position, count),
            widen(carry.poses.angle, count),
            widen(carry.poses.velocity, count),
            widen(carry.poses.spin, count),
        )
        carry = replace(
            carry,
            state=widen(carry.state, count),
            commanded=widen(carry.commanded, count),
            previous_displacement=widen(carry.previous_displacement, count),
            poses=poses,
            attached=carry.attached.widened(count),
        )
        with torch.autocast(actions.device.type, enabled=False):  # it would round positions
            for action in actions.unbind(1):
                carry = self._step(carry, action.float())
                yield carry

    def _step(self, carry: Carry, action: Float[Tensor, "n a"]) -> Carry:
        """Move the fingertip, the bodies that it pushes, and the points attached to them."""
        commanded = self.robot(carry.commanded, action)
        low, high = self.residual_push.contact.walls
        inside = commanded[:, :2].maximum(low).minimum(high)
        commanded = torch.cat([inside, commanded[:, 2:]], -1)
        before, after = as_complex(carry.state[:, :2]), as_complex(inside)
        if not carry.poses.position.shape[1]:  # no bodies
            return replace(
                carry,
                state=commanded,
                commanded=commanded,
                previous_displacement=after - before,
            )
        poses, tip = self.residual_push(
            carry.scene.footprints.bodies,
            carry.poses,
            carry.previous_displacement,
            before,
            after,
        )
        attached = carry.attached.moved(poses, self.to_frame, self.config.frame_size)
        state = torch.cat([torch.view_as_real(tip), commanded[:, 2:]], -1)
        return Carry(carry.scene, state, commanded, tip - before, poses, attached)

    # --- pixel maps ---------------------------------------------------------------------------

    def _attached(
        self, pixels: Float[Tensor, "b p 2"], scene: Scene, poses: Poses
    ) -> AttachedPoints:
        """Return the pixels as points attached to the bodies of a scene."""
        return AttachedPoints.attach(
            Points.at(pixels, self.config.frame_size),
            scene.footprints,
            poses,
            self.to_plane,
            self.to_frame,
        )

    def _prediction(self, steps: list[Carry], decode: bool) -> Prediction:
        """Return the pixel maps of all steps, and their frames on request."""
        size = self.config.frame_size
        maps = torch.stack([step.attached.points.maps(size) for step in steps], 1)
        frames = self._render(steps) if decode else maps.new_zeros(len(maps), 0, 3, *size)
        lost = maps.new_zeros(maps.shape[:3])
        return Prediction(frames, maps, lost, steps[-1], frame_size=size)

    # --- frames -------------------------------------------------------------------------------

    def _render(self, steps: list[Carry]) -> Float[Tensor, "n t 3 hf wf"]:
        """Render all steps: background, bodies over it, the arm on top."""
        count = len(steps[0].state)
        num_steps = len(steps)
        scene = steps[0].scene

        def repeated(part: Tensor) -> Tensor:
            return repeat(widen(part, count), "n ... -> (n t) ...", t=num_steps)

        def stacked(parts: list[Tensor]) -> Tensor:
            return rearrange(torch.stack(parts, 1), "n t ... -> (n t) ...")

        foreground = repeated(scene.foreground)
        labels = repeated(scene.footprints.labels)
        first_position = repeated(scene.footprints.positions)
        position = stacked([step.poses.position for step in steps])
        angle = stacked([step.poses.angle for step in steps])
        image = self.scene_encoder.background.expand(count * num_steps, -1, -1, -1)
        for k in range(first_position.shape[1]):
            body = foreground * (labels == k)[:, None]
            source = self._source_pixels(position[:, k], angle[:, k], first_position[:, k])
            moved = sample(body, source, self.config.frame_size, "zeros")
            image = moved[:, :3] + (1 - moved[:, 3:]) * image
        arm, cover = self.scene_encoder.render_arm(
            stacked([step.state for step in steps]), repeated(scene.posture)
        )
        image = torch.lerp(image, arm, cover)
        return rearrange(image, "(n t) c h w -> n t c h w", n=count)

    def _source_pixels(
        self,
        position: Complex[Tensor, " n"],
        angle: Float[Tensor, " n"],
        first_position: Complex[Tensor, " n"],
    ) -> Float[Tensor, "n hf wf 2"]:
        """Return the (row, col) from which a body that has moved brings what each pixel shows.

        The body has turned by `angle`, and moved from `first_position` to `position`.
        """
        position = rearrange(position, "n -> n 1 1")
        inverse_heading = rearrange(heading(-angle), "n -> n 1 1")
        first_position = rearrange(first_position, "n -> n 1 1")
        source = (self.pixel_positions - position) * inverse_heading + first_position
        return to_pixel(source, self.to_frame)

    def _flows(
        self, before: Carry, after: Carry, count: int
    ) -> tuple[
        Float[Tensor, "n 1 hf wf"], Float[Tensor, "n 2 hf wf"], Float[Tensor, "n 2 hf wf"]
    ]:
        """Return how much of each pixel shows bodies after a step, and the flows of the step.

        These are the backward and the forward flow, (down, right) in pixels.
        """
        size = self.config.frame_size
        footprints = after.scene.footprints
        pixels = grid(size, size).to(after.state)
        visible = pixels.new_zeros(count, 1, *size)
        backward = pixels.new_zeros(count, *size, 2)
        forward = pixels.new_zeros(count, *size, 2)
        labels = widen(footprints.labels, count)
        opacity = widen(after.scene.foreground[:, 3:], count)
        first_position = widen(footprints.positions, count)
        old_positions = widen(before.poses.position, count)
        old_angles = widen(before.poses.angle, count)
        for k in range(first_position.shape[1]):
            body = opacity * (labels == k)[:, None]
            first = first_position[:, k]
            old, old_angle = old_positions[:, k], old_angles[:, k]
            new, new_angle = after.poses.position[:, k], after.poses.angle[:, k]
            old_visible = sample(
                body, self._source_pixels(old, old_angle, first), size, "zeros"
            )
            new_visible = sample(
                body, self._source_pixels(new, new_angle, first), size, "zeros"
            )
            origin = self._source_pixels(new, new_angle - old_angle, old)
            destination = self._source_pixels(old, old_angle - new_angle, new)
            backward = torch.where(
                new_visible[:, 0, ..., None] > 0.5, origin - pixels, backward
            )
            forward = torch.where(
                old_visible[:, 0, ..., None] > 0.5, destination - pixels, forward
            )
            visible = torch.maximum(visible, new_visible)
        return (
            visible,
            rearrange(backward, "n h w two -> n two h w"),
            rearrange(forward, "n h w two -> n two h w"),
        )


# It learns single steps for longer than others, since it learns segmentation meanwhile.
RIGID = Model(
    Rigid,
    RigidConfig,
    Recipe(steps=3600, single=0.75, every=200),
    multiple=COARSEST_PX,
)
