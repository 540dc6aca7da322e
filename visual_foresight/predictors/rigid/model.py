"""What stands on the table is rigid, and the finger pushes it; mechanics foresees, and learns
where it errs.

From the newest frame, bodies are told from the table and from the arm (`scene_encoder.py`). A
rollout moves their poses: the mechanics of planar pushing (`contact.py`) says what a finger's
way does to them, and a small network what it does besides (`residual_push.py`). Whatever a
frame shows is moved with its body (`attached_points.py`: pixel maps, too), so things stay
sharp, and rest where nothing touches them. What is recurrent is the robot's state, the poses
and their speeds; frames are drawn when somebody looks.

Sources: frames as moved pixels of a seen one, as in Ebert et al. 2018; layers as in Wang &
Adelson, "Representing Moving Images with Layers" (1994); `residual_push.py` names those of the
motion.
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
from visual_foresight.predictors.rigid.attached_points import AttachedPoints
from visual_foresight.predictors.rigid.bodies import BirdsEyeView
from visual_foresight.predictors.rigid.contact_module import Poses
from visual_foresight.predictors.rigid.residual_push import ResidualPush
from visual_foresight.predictors.rigid.scene_encoder import Scene, SceneEncoder
from visual_foresight.predictors.rollouts import beginning
from visual_foresight.types import Clip, Prediction, UserError
from visual_foresight.vision.homography import as_complex, heading, pixel_side, to_pixel
from visual_foresight.vision.pixel_maps import grid

DRAWN_UNTIL = 0.15  # of the gradient steps, in which the arm is learnt,
SEEN_UNTIL = 0.6  # and to see; then pushes are
DRAWN_SHARE = 1 / 4  # of the steps in which seeing is learnt, in which the arm is, too


@dataclass(frozen=True)
class RigidConfig:
    """Shape of the network and of what it sees."""

    frame_size: tuple[int, int] = (64, 64)
    """Height and width in pixels; multiples of 8."""
    action_size: int = 2
    state_size: int = 4
    width: int = 128
    """Of the network's hidden layers."""
    homography: tuple[tuple[float, ...], ...] = (
        (1.0, 0.0, 0.0),
        (0.0, 1.0, 0.0),
        (0.0, 0.0, 1.0),
    )
    """Homography from (row, col, 1) in the frame to the robot's (x, y, 1): see
    `interfaces.Env.homography`."""


@dataclass(frozen=True)
class Carry:
    """A moment of the imagination."""

    scene: Scene
    state: Float[Tensor, "b s"]
    """Where the robot is."""
    commanded: Float[Tensor, "b s"]
    """Where it would be if nothing had ever been in its way."""
    previous_displacement: Complex[Tensor, " b"]
    """How the fingertip has moved in the action before."""
    poses: Poses
    attached: AttachedPoints | None = None
    """What the pixel maps were drawn from that were returned with this carry."""


class Rigid(nn.Module):
    """p(o_{t+1} | o_{t-1:t}, s_{t-1:t}, a_t) by moving rigid bodies."""

    context = 2
    to_frame: Tensor
    to_plane: Tensor
    seen_at: Tensor

    def __init__(self, config: RigidConfig) -> None:
        super().__init__()
        size = config.frame_size
        if size[0] % 8 or size[1] % 8:
            raise UserError(
                f"frames whose sides are multiples of 8 are needed, got {size}: collect others, or choose another predictor"
            )
        self.config, homography = config, np.array(config.homography)
        self.robot = RobotDynamics(config.action_size, config.state_size)
        birds_eye_view = BirdsEyeView(homography, size, pixel_side(config.homography, size))
        to_frame = torch.from_numpy(np.linalg.inv(homography)).float()
        self.scene_encoder = SceneEncoder(self.robot, birds_eye_view, to_frame)
        self.residual_push = ResidualPush(config.width)
        self.register_buffer("to_plane", torch.from_numpy(homography).float(), persistent=False)
        self.register_buffer("to_frame", to_frame, persistent=False)
        self.register_buffer(
            "seen_at",
            as_complex(torch.from_numpy(birds_eye_view.seen_at).float()),
            persistent=False,
        )

    def calibrate(self, clip: Clip) -> None:
        """Find from experience how actions move the robot, how far it gets, and what the table looks like when it is empty."""
        self.robot.calibrate(clip)
        frames = rearrange(
            clip.frames, "b t c h w -> (b t) c h w"
        ).contiguous()  # torch 2.14: of a view, now and then NaN
        self.scene_encoder.background.copy_(frames.median(0).values)
        self.residual_push.contact.walls.copy_(
            torch.stack(clip.states[..., :2].flatten(0, 1).aminmax(dim=0))
        )

    # --- the Predictor protocol ---------------------------------------------------------------

    def observe(self, clip: Clip) -> Carry:
        """Tell the arm, the table and the bodies of the newest frame apart."""
        return self._observe(clip, blind=False)

    def _observe(self, clip: Clip, blind: bool) -> Carry:
        """Do so, or take the table for empty."""
        frames, states = clip.frames[:, -2:], clip.states[:, -2:]
        if frames.shape[1] < 2:
            raise ValueError(f"a clip of at least 2 frames is needed, got {frames.shape[1]}")
        scene = self.scene_encoder.scene(
            frames[:, -1], states[:, -1], self.scene_encoder.posture_of(frames), blind
        )
        previous_displacement = as_complex(states[:, -1, :2] - states[:, 0, :2])
        at_rest = torch.zeros_like(scene.seen.places)
        poses = Poses(scene.seen.places, at_rest.real, at_rest, at_rest.real)
        return Carry(scene, states[:, -1], states[:, -1], previous_displacement, poses)

    def imagine(
        self,
        carry: Carry,
        actions: Float[Tensor, "n t a"],
        pixel_maps: Float[Tensor, "n p map_h map_w"],
        decode: bool = False,
    ) -> Prediction:
        """Roll poses and pixel maps, and draw frames only when asked (see `interfaces.Predictor`)."""
        return self._prediction(
            list(self._roll(self._begin(carry, pixel_maps), actions)), pixel_maps, decode
        )

    def motions(self, carry: Carry, actions: Float[Tensor, "n t a"]) -> tuple[Motion, ...]:
        """Return the motion of each step (see `interfaces.MotionPredictor`).

        Newly made are the arm and the empty table.
        """
        found, before, count = [], carry, len(actions)
        for after in self._roll(carry, actions):
            shown, backward, forward = self._flows(before, after, count)
            cover = self.scene_encoder.drawn(after.state, widen(after.scene.posture, count))[1]
            shown = (1 - cover) * shown
            masks = torch.cat(
                [torch.zeros_like(cover).expand(-1, 2, -1, -1), shown, 1 - shown], 1
            )
            found.append(Motion(backward[:, None], masks, forward, drawn=True))
            before = after
        return tuple(found)

    # --- the CustomTrainingRollout protocol ----------------------------------------------------------

    def training_rollout(
        self,
        clip: Clip,
        pixel_maps: Float[Tensor, "b p map_h map_w"],
        rng: torch.Generator,
        progress: float,
    ) -> tuple[Prediction, Float[Tensor, ""]]:
        """Learn one thing after another.

        To draw the arm, on a table taken for empty; to see; what pushes do.
        """
        pushes, seen = progress >= SEEN_UNTIL, beginning(clip, self.context)
        draws = (
            progress < DRAWN_UNTIL
            or not pushes
            and bool(torch.rand((), generator=rng) < DRAWN_SHARE)
        )
        # a gradient, also where nothing is touched
        auxiliary_loss = 0 * self.residual_push.error.weight.sum()
        with torch.set_grad_enabled(draws):
            carry = self._observe(seen, blind=not pushes)
        if not pushes and progress >= DRAWN_UNTIL:
            seed = int(torch.randint(2**31, (), generator=rng))
            auxiliary_loss = self.scene_encoder.auxiliary_loss(
                seen.frames[:, -1], carry.state, carry.scene.posture, seed
            )
        steps = list(
            self._roll(self._begin(carry, pixel_maps), clip.actions[:, self.context - 1 :])
        )
        return self._prediction(steps, pixel_maps, decode=draws), auxiliary_loss

    # --- the roll -----------------------------------------------------------------------------

    def _roll(self, carry: Carry, actions: Float[Tensor, "n t a"]) -> Iterator[Carry]:
        """Yield the moment after each action."""
        count = len(actions)
        poses = Poses(*(widen(part, count) for part in vars(carry.poses).values()))
        state, commanded, previous_displacement = (
            widen(part, count)
            for part in (carry.state, carry.commanded, carry.previous_displacement)
        )
        carry = replace(
            carry,
            state=state,
            commanded=commanded,
            previous_displacement=previous_displacement,
            poses=poses,
        )
        with torch.autocast(actions.device.type, enabled=False):  # which would round places
            for action in actions.unbind(1):
                carry = self._step(carry, action.float())
                yield carry

    def _step(self, carry: Carry, action: Float[Tensor, "n a"]) -> Carry:
        """Move the finger, what it pushes, and what is fixed to that."""
        commanded = self.robot(carry.commanded, action)
        low, high = self.residual_push.contact.walls  # as far as it ever got
        commanded = torch.cat(
            [commanded[:, :2].maximum(low).minimum(high), commanded[:, 2:]], -1
        )
        before, after = as_complex(carry.state[:, :2]), as_complex(commanded[:, :2])
        scene, attached = carry.scene, carry.attached
        if not carry.poses.turn.shape[1]:
            return replace(
                carry,
                state=commanded,
                commanded=commanded,
                previous_displacement=after - before,
            )
        poses, tip = self.residual_push(
            scene.seen.bodies, carry.poses, carry.previous_displacement, before, after
        )
        if attached is not None:
            attached = attached.moved(poses, self.to_frame, self.config.frame_size)
        state = torch.cat([torch.view_as_real(tip), commanded[:, 2:]], -1)
        return Carry(scene, state, commanded, tip - before, poses, attached)

    # --- pixel maps ---------------------------------------------------------------------------

    def _begin(self, carry: Carry, pixel_maps: Float[Tensor, "n p map_h map_w"]) -> Carry:
        """Give the carry the points of these maps, unless it has them."""
        size, map_size = self.config.frame_size, (pixel_maps.shape[-2], pixel_maps.shape[-1])
        attached = carry.attached
        if attached is None or not torch.equal(
            attached.points.maps(map_size, size), pixel_maps
        ):
            points = Points.of(pixel_maps.float(), size)
            attached = AttachedPoints.of(
                points, carry.scene.seen, carry.poses, self.to_plane, self.to_frame
            )
        return replace(carry, attached=attached)

    def _prediction(
        self, steps: list[Carry], pixel_maps: Float[Tensor, "n p map_h map_w"], decode: bool
    ) -> Prediction:
        size, map_size = self.config.frame_size, (pixel_maps.shape[-2], pixel_maps.shape[-1])
        maps = torch.stack(
            [
                step.attached.points.maps(map_size, size)
                for step in steps
                if step.attached is not None
            ],
            1,
        )
        frames = self._draw(steps) if decode else maps.new_zeros(len(maps), 0, 3, *size)
        lost = maps.new_zeros(maps.shape[:3])
        return Prediction(frames, maps, lost, steps[-1], frame_size=size)

    # --- frames -------------------------------------------------------------------------------

    def _draw(self, steps: list[Carry]) -> Float[Tensor, "n t 3 hf wf"]:
        """Draw the arm over the bodies over the table, at all steps."""
        count, scene = len(steps[0].state), steps[0].scene
        states = rearrange(torch.stack([step.state for step in steps], 1), "n t s -> (n t) s")
        things, owner, places, posture = (
            repeat(widen(part, count), "n ... -> (n t) ...", t=len(steps))
            for part in (scene.things, scene.seen.owner, scene.seen.places, scene.posture)
        )
        bare = self.scene_encoder.background.expand(len(states), -1, -1, -1)
        for k in range(places.shape[1]):
            place, turn = (
                rearrange(
                    torch.stack([getattr(step.poses, name)[:, k] for step in steps], 1),
                    "n t ... -> (n t) ...",
                )
                for name in ("place", "turn")
            )
            source = self._source(place, turn, places[:, k])
            layer = sample(
                things * (owner == k)[:, None], source, self.config.frame_size, "zeros"
            )
            bare = layer[:, :3] + (1 - layer[:, 3:]) * bare
        drawn = torch.lerp(bare, *self.scene_encoder.drawn(states, posture))
        return rearrange(drawn, "(n t) c h w -> n t c h w", n=count)

    def _source(
        self,
        place: Complex[Tensor, " n"],
        turn: Float[Tensor, " n"],
        start: Complex[Tensor, " n"],
    ) -> Float[Tensor, "n hf wf 2"]:
        """Return from which pixel, (row, col), a body that has moved brings what each pixel shows."""
        place, backward, start = (
            rearrange(each, "n -> n 1 1") for each in (place, heading(-turn), start)
        )
        return to_pixel((self.seen_at - place) * backward + start, self.to_frame)

    def _flows(
        self, before: Carry, after: Carry, count: int
    ) -> tuple[
        Float[Tensor, "n 1 hf wf"], Float[Tensor, "n 2 hf wf"], Float[Tensor, "n 2 hf wf"]
    ]:
        """Return where bodies are seen after a step, and the backward and the forward flow of the step, in pixels."""
        size, scene = self.config.frame_size, after.scene
        here = grid(size, size).to(after.state)
        shown = here.new_zeros(count, 1, *size)
        backward, forward = here.new_zeros(2, count, *size, 2).unbind(0)
        owner, starts = (widen(part, count) for part in (scene.seen.owner, scene.seen.places))
        opacity = widen(scene.things[:, 3:], count)
        old = [widen(part, count) for part in (before.poses.place, before.poses.turn)]
        new = [widen(part, count) for part in (after.poses.place, after.poses.turn)]
        for k in range(starts.shape[1]):
            mine = opacity * (owner == k)[:, None]
            (place, turn), (then, turned) = (
                (part[:, k] for part in pose) for pose in (old, new)
            )
            covers = sample(mine, self._source(then, turned, starts[:, k]), size, "zeros")
            covered = (
                sample(mine, self._source(place, turn, starts[:, k]), size, "zeros")[
                    :, 0, ..., None
                ]
                > 0.5
            )
            backward = torch.where(
                covers[:, 0, ..., None] > 0.5,
                self._source(then, turned - turn, place) - here,
                backward,
            )
            forward = torch.where(
                covered, self._source(place, turn - turned, then) - here, forward
            )
            shown = torch.maximum(shown, covers)
        return (
            shown,
            rearrange(backward, "n h w two -> n two h w"),
            rearrange(forward, "n h w two -> n two h w"),
        )
