"""The flow model: what the fingertip moves, seen from the fingertip; all else stays where it is.

A frame has three layers. The *table* with nothing on it is known from calibration. The *objects*
on it are what differs from it in the newest frame, without the arm; they are never painted anew:
an origin map says from which place of that frame the content of each pixel has come, so objects
stay sharp however far they go, and the table appears where they were. The *arm* is drawn from
the robot's own state. The *motion* of a step is read in a window on the table that follows the
fingertip and is turned along its path, so every push looks alike, and so does its mirror image.
Recurrent are the robot's state and the origin map; a rollout whose frames are not asked for rolls
these and the pixel maps alone.

Sources: frames as moved pixels of the first one, as in SNA (Ebert et al. 2017) and the planners
of Visual Foresight (Ebert et al. 2018); layers as in Wang & Adelson, "Representing Moving
Images with Layers" (1994); the turned window is a spatial transformer (Jaderberg et al. 2015)
whose parameters are known; actions enter by it and by FiLM (Perez et al. 2018). Pixel maps are
moved forward, as points that carry mass: backward flows do not say where a place goes that is
covered afterwards.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import torch
from einops import rearrange, reduce, repeat
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from visual_foresight.predictors.flow.carry import Carry, Foreground
from visual_foresight.predictors.flow.egocentric_window import (
    CELLS,
    EgocentricWindow,
    FlowFields,
)
from visual_foresight.predictors.layers.arm_renderer import ArmRenderer
from visual_foresight.predictors.layers.batching import widen
from visual_foresight.predictors.layers.conv import Residual, doubling
from visual_foresight.predictors.layers.point_maps import Points
from visual_foresight.predictors.layers.robot_dynamics import RobotDynamics
from visual_foresight.predictors.layers.warping import Motion, sample
from visual_foresight.predictors.models import COARSEST_PX, Model, Recipe, require_multiples
from visual_foresight.predictors.rollouts import beginning
from visual_foresight.types import Clip, Prediction
from visual_foresight.vision.homography import pixel_side
from visual_foresight.vision.pixel_maps import grid

FLOW_CHANNELS = 3
"""Numbers per flow and cell: a share of the fingertip's motion, free motion along, and across."""
MAX_SHARE = 1.5
"""Limit of these numbers, in shares of the fingertip's motion or in units of free motion."""
FREE_CELLS = 4.0
"""Unit of free motion, in cells of the window."""
REACH_PX = 32
"""Side of the square in which objects can move, for frames of 64 pixels."""
MIN_DIFFERENCE = 0.05
"""Difference to the table's colour (of 1) above which a pixel begins to show an object."""
FULL_DIFFERENCE = 0.15
"""Difference to the table's colour from which on a pixel shows an object and nothing else."""
POSTURE_SIZE = 16
"""Numbers that describe what the robot's state does not say of the arm's shape."""
DECODED_SHARE = 1 / 6
"""Share of the gradient steps in which frames are learnt from, too."""
ORIGIN_WEIGHT = 0.05
"""Weight of the auxiliary loss. Pixel maps have 0.3; with 0.15 here, a step is learnt a sixth
worse."""


@dataclass(frozen=True)
class FlowConfig:
    """Shape of the network and of what it sees."""

    frame_size: tuple[int, int] = (64, 64)
    """Height and width in pixels; the network sees them padded to multiples of 8."""
    action_size: int = 2
    state_size: int = 4
    channels: int = field(default=32, metadata={"least": 2})
    """Half the channels of the motion network."""
    num_latents: int = 0
    """How many of an action's numbers, the last ones, are a latent variable and move nothing by
    themselves."""
    homography: tuple[tuple[float, ...], ...] = (
        (1.0, 0.0, 0.0),
        (0.0, 1.0, 0.0),
        (0.0, 0.0, 1.0),
    )
    """From (row, col, 1) in the frame to the robot's (x, y, 1): see `env_info.Homography`."""


class Flow(nn.Module):
    """p(o_{t+1} | o_{t-1:t}, s_t, a_t) by moving pixels."""

    context = 2
    to_frame: Tensor
    background: Tensor

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        require_multiples(config.frame_size)
        self.config = config
        self.robot = RobotDynamics(config.action_size, config.state_size)
        frame_side = max(config.frame_size)
        # Objects grow with the frame.
        self.reach_px = round(REACH_PX * frame_side / 64)
        self.spacing = pixel_side(config.homography, config.frame_size) * frame_side / 64
        width = config.channels
        self.near = nn.Conv2d(8, width // 2, 4, stride=2, padding=1)
        self.wide = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(width // 2, width, 4, stride=2, padding=1),
            Residual(width),
            nn.ReLU(),
        )
        self.posture = nn.Linear(width, POSTURE_SIZE)
        self.spread = doubling(width, width // 2)
        self.behind = nn.Conv2d(width, 3 * 4, 3, padding=1)
        self.arm = ArmRenderer(config.state_size + POSTURE_SIZE, config.frame_size)
        deep = 2 * width
        self.stem = nn.Sequential(
            nn.Conv2d(4 + 2, width, 4, stride=2, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, deep, 4, stride=2, padding=1),
        )
        self.place = nn.Parameter(torch.zeros(1, deep, CELLS // 4, CELLS // 4))
        self.condition = nn.Sequential(
            nn.Linear(config.action_size + config.state_size - 3, 64),
            nn.SiLU(),
            nn.Linear(64, 2 * deep),
        )
        self.trunk = nn.Sequential(Residual(deep), Residual(deep), nn.ReLU())
        self.head = nn.Conv2d(deep, 4 * 2 * FLOW_CHANNELS, 1)
        nn.init.zeros_(self.head.weight)  # a new network moves nothing
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]
        self.register_buffer(
            "to_frame",
            torch.linalg.inv(torch.tensor(config.homography, dtype=torch.float64)).float(),
        )
        self.register_buffer("background", torch.zeros(3, *config.frame_size))

    # --- robot --------------------------------------------------------------------------------

    def calibrate(self, clip: Clip) -> None:
        """Estimate how actions move the robot, and what the empty table looks like: the median."""
        self.robot.calibrate(clip)
        frames = rearrange(clip.frames, "b t c h w -> (b t) c h w")
        # torch 2.14: the median of a view is NaN now and then
        self.background.copy_(frames.contiguous().median(0).values)

    def finger_px(self, state: Float[Tensor, "b s"]) -> Float[Tensor, "b 2"]:
        """Return (row, col) of the fingertip in frame pixels."""
        with torch.autocast(state.device.type, enabled=False):
            place = functional.pad(state[:, :2], (0, 1), value=1.0) @ self.to_frame.T
        return place[:, :2] / place[:, 2:]

    def _arm(
        self, state: Float[Tensor, "b s"], posture: Float[Tensor, "b k"]
    ) -> tuple[Float[Tensor, "b 3 hf wf"], Float[Tensor, "b 1 hf wf"]]:
        """Draw the arm: its colours, and how much of each pixel it covers."""
        numbers = torch.cat([self.robot.standardised(state), posture], -1)
        drawn = self.arm(numbers, self.finger_px(state)).float().sigmoid()
        return drawn[:, :3], drawn[:, 3:]

    # --- the Predictor protocol ---------------------------------------------------------------

    def observe(self, clip: Clip) -> Carry:
        """Encode the two newest frames, remove the arm, and tell objects from the table."""
        frames = clip.frames[:, -2:]
        state = clip.states[:, -1]
        if frames.shape[1] < 2:
            raise ValueError(f"a clip of at least 2 frames is needed, got {frames.shape[1]}")
        size = self.config.frame_size
        origin = rearrange(grid(size, size).to(frames), "h w two -> two h w").expand(
            len(frames), -1, -1, -1
        )
        coordinates = (origin + 0.5) * (
            2 / rearrange(origin.new_tensor(size), "k -> k 1 1")
        ) - 1
        pair = rearrange(frames, "b t c h w -> b (t c) h w")
        inputs = torch.cat([pair, coordinates], 1).to(memory_format=torch.channels_last)
        near = self.near(inputs)
        wide = self.wide(near)
        posture = self.posture(reduce(wide, "b z h w -> b z", "mean")).float()
        behind = self.behind(functional.relu(torch.cat([near, self.spread(wide)], 1)))
        behind = functional.pixel_shuffle(behind.float(), 2).sigmoid()
        _, arm_opacity = self._arm(state, posture)
        without_arm = torch.lerp(frames[:, -1], behind, arm_opacity)
        difference = (without_arm - self.background).abs()
        difference = reduce(difference, "b c h w -> b 1 h w", "max")
        opacity = (difference - MIN_DIFFERENCE) / (FULL_DIFFERENCE - MIN_DIFFERENCE)
        opacity = opacity.clamp(0, 1)
        objects = torch.cat([without_arm * opacity, opacity], 1)
        no_points = Points.at(state.new_zeros(len(state), 0, 2), size)
        return Carry(Foreground(objects, posture), state, origin, no_points)

    def designate(self, carry: Carry, pixels: Float[Tensor, "b p 2"]) -> Carry:
        """Follow these pixels as points (see `interfaces.Predictor`)."""
        points = Points.at(pixels.to(carry.state), self.config.frame_size)
        return replace(carry, points=points)

    def imagine(
        self, carry: Carry, actions: Float[Tensor, "n t a"], decode: bool = False
    ) -> Prediction:
        """Roll the state, move the points, and draw frames only when asked.

        See `interfaces.Predictor`.
        """
        steps = [step for step, _ in self._roll(carry, actions)]
        return self._prediction(steps, decode)

    def motions(self, carry: Carry, actions: Float[Tensor, "n t a"]) -> tuple[Motion, ...]:
        """Return the motion of each step (see `interfaces.MotionPredictor`).

        In the masks, the arm and the empty table count as newly made pixels.
        """
        count = len(actions)
        motions = []
        for after, fields in self._roll(carry, actions):
            flows = fields.dense()
            _, arm_opacity = self._arm(after.state, widen(after.foreground.posture, count))
            origin = rearrange(after.origin, "n two h w -> n h w two")
            opacity = sample(
                widen(after.foreground.objects[:, 3:], count), origin, self.config.frame_size
            )
            moved = (1 - arm_opacity) * opacity
            nothing = torch.zeros_like(arm_opacity).expand(-1, 2, -1, -1)
            masks = torch.cat([nothing, moved, 1 - moved], 1)
            motions.append(Motion(flows[:, None, 2:], masks, flows[:, :2]))
        return tuple(motions)

    # --- the CustomTrainingRollout protocol ---------------------------------------------------

    def training_rollout(
        self,
        clip: Clip,
        places: Float[Tensor, "b p 2"],
        rng: torch.Generator,
        progress: float,
    ) -> tuple[Prediction, Float[Tensor, ""]]:
        """Imagine freely, with an auxiliary loss that ties backward to forward flows.

        It is the error of the origin map where a point has gone: it ought to name the place where
        the point was (see `interfaces.CustomTrainingRollout`). Half of the clips are seen mirrored
        (data augmentation). Most steps learn from pixel maps alone, since the encoder and the arm
        cost most and are learnt soon.
        """
        decode = bool(torch.rand((), generator=rng) < DECODED_SHARE)
        with torch.set_grad_enabled(decode):
            seen = self.observe(beginning(clip, self.context))
        start = self.designate(seen, places)
        mirrored = torch.rand(len(clip.frames), generator=rng).to(clip.frames) < 0.5
        actions = clip.actions[:, self.context - 1 :]
        steps = [step for step, _ in self._roll(start, actions, mirrored)]
        prediction = self._prediction(steps, decode)
        return prediction, self._auxiliary_loss(start, steps)

    def _auxiliary_loss(self, start: Carry, steps: list[Carry]) -> Float[Tensor, ""]:
        """Return the mean distance, in pixels and weighted, of origin maps to where points were."""
        true = rearrange(start.points.places, "b m two -> b two m 1")
        known = reduce(start.points.mass, "b p m -> b m", "sum") > 0
        errors = []
        for step in steps:
            places = step.points.places.detach()[:, :, None]
            found = sample(step.origin, places, self.config.frame_size)
            errors.append(((found - true).square().sum(1)[..., 0] + 1e-4).sqrt() * known)
        num_errors = (len(steps) * known.sum()).clamp(min=1)
        return ORIGIN_WEIGHT * torch.stack(errors).sum() / num_errors

    # --- one step after the other -------------------------------------------------------------

    def _roll(
        self,
        carry: Carry,
        actions: Float[Tensor, "n t a"],
        mirrored: Bool[Tensor, " n"] | None = None,
    ) -> Iterator[tuple[Carry, FlowFields]]:
        """Yield the carry after each action, and what moved in between."""
        count = len(actions)
        carry = Carry(
            carry.foreground,
            widen(carry.state, count),
            widen(carry.origin, count),
            carry.points.widened(count),
        )
        for action in actions.unbind(1):
            carry, fields = self._step(carry, action, mirrored)
            yield carry, fields

    def _step(
        self, carry: Carry, action: Float[Tensor, "n a"], mirrored: Bool[Tensor, " n"] | None
    ) -> tuple[Carry, FlowFields]:
        """Look through the window at the fingertip, and move what is there."""
        size = self.config.frame_size
        with torch.autocast(action.device.type, enabled=False):  # which would round places
            state = self.robot(carry.state, action)
            here = carry.state[:, :2]
            there = state[:, :2]
            window = EgocentricWindow.between(
                here, there, self.spacing, self.to_frame, mirrored
            )
        step_cells = (there - here).norm(dim=-1, keepdim=True) / self.spacing
        numbers = self._motion_numbers(carry, action, window, step_cells)
        flows = self._flows(numbers, action, step_cells)
        fields = window.fields(flows, self.reach_px, size)
        points = carry.points.shifted(fields.displacements(carry.points.places), size)
        return Carry(carry.foreground, state, fields.warp(carry.origin), points), fields

    def _motion_numbers(
        self,
        carry: Carry,
        action: Float[Tensor, "n a"],
        window: EgocentricWindow,
        step_cells: Float[Tensor, "n 1"],
    ) -> Float[Tensor, "n six y x"]:
        """Run the motion network on what the window shows, objects and the table's place."""
        count = len(action)
        sources = sample(carry.origin, window.in_frame.cells(), self.config.frame_size)
        sources = rearrange(sources, "n two y x -> n y x two")
        objects = widen(carry.foreground.objects, count)
        seen = sample(objects, sources, self.config.frame_size)
        # The place on the table says where walls are.
        on_table = (window.on_table.cells() - self.robot.mean[:2]) / self.robot.scale[:2]
        seen = torch.cat([seen, rearrange(on_table, "n y x two -> n two y x")], 1)
        # The window does not show how long the step is, nor the other numbers.
        other_actions = action[:, 2:]
        other_states = self.robot.standardised(carry.state)[:, 2:]
        condition = self.condition(
            torch.cat([step_cells / FREE_CELLS, other_actions, other_states], -1)
        )
        scale, shift = rearrange(condition, "n z -> n z 1 1").chunk(2, 1)
        hidden = self.stem(seen.to(memory_format=torch.channels_last)) + self.place
        hidden = self.trunk(functional.relu(torch.addcmul(shift, hidden, 1 + scale)))
        numbers = functional.pixel_shuffle(self.head(hidden).float() / MAX_SHARE, 2)
        return MAX_SHARE * numbers.tanh()

    def _flows(
        self,
        numbers: Float[Tensor, "n six y x"],
        action: Float[Tensor, "n a"],
        step_cells: Float[Tensor, "n 1"],
    ) -> Float[Tensor, "n 4 y x"]:
        """Return the forward and the backward flow, (along, across) each, in cells.

        What is pushed goes where the fingertip goes; nothing moves when nothing is done.
        """
        commanded = action[:, : self.config.action_size - self.config.num_latents]
        free_cells = FREE_CELLS * commanded.norm(dim=-1, keepdim=True).clamp(max=1)
        units = torch.cat([step_cells, free_cells, free_cells], -1)
        shares = rearrange(numbers, "n (flow k) y x -> n flow k y x", flow=2)
        with_finger, along, across = (rearrange(units, "n k -> n 1 k 1 1") * shares).unbind(2)
        flows = torch.stack([with_finger + along, across], 2)
        return rearrange(flows, "n flow k y x -> n (flow k) y x")

    # --- what is returned ---------------------------------------------------------------------

    def _prediction(self, steps: list[Carry], decode: bool) -> Prediction:
        size = self.config.frame_size
        maps = torch.stack([step.points.maps(size) for step in steps], 1)
        frames = self.decoded(steps) if decode else maps.new_zeros(len(maps), 0, 3, *size)
        lost = maps.new_zeros(maps.shape[:3])
        return Prediction(frames, maps, lost, steps[-1], frame_size=size)

    def decoded(self, steps: list[Carry]) -> Float[Tensor, "n t 3 hf wf"]:
        """Draw the arm over the objects over the table, at all steps."""
        count = len(steps[0].state)
        foreground = steps[0].foreground
        origins = rearrange(
            torch.stack([step.origin for step in steps], 1), "n t two h w -> (n t) h w two"
        )
        states = rearrange(torch.stack([step.state for step in steps], 1), "n t s -> (n t) s")
        objects = repeat(
            widen(foreground.objects, count), "n c h w -> (n t) c h w", t=len(steps)
        )
        postures = repeat(widen(foreground.posture, count), "n k -> (n t) k", t=len(steps))
        moved = sample(objects, origins, self.config.frame_size)
        without_arm = moved[:, :3] + (1 - moved[:, 3:]) * self.background
        arm, arm_opacity = self._arm(states, postures)
        frames = torch.lerp(without_arm, arm, arm_opacity)
        return rearrange(frames, "(n t) c h w -> n t c h w", n=count)


FLOW = Model(
    Flow,
    FlowConfig,
    Recipe(steps=11000, single=0.65, every=1000),
    multiple=COARSEST_PX,
)
