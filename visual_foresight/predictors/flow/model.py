"""The flagship: what the fingertip moves, seen from the fingertip; everything else stays where
it is.

Three layers are told apart. The *table* is known empty. The *things* on it are what differs
from it in the newest frame, without the arm; they are never painted anew: a place remembers
which place of that frame has come to it, so things stay sharp however far they go, and the
table appears where they were. The *arm* is drawn from the robot's own state. The *motion* of a
step is read in a window on the table that follows the fingertip and is turned along its way, so
every push looks alike, and so does its mirror image. What is recurrent is the robot's state and
where everything came from; a rollout that nobody looks at rolls these and the pixel maps alone.

Sources: frames as moved pixels of the first one, as in SNA (Ebert et al. 2017) and the planners
of Visual Foresight (Ebert et al. 2018); layers as in Wang & Adelson, "Representing Moving
Images with Layers" (1994); the turned window is a spatial transformer (Jaderberg et al. 2015)
whose parameters are known; actions enter by it and by FiLM (Perez et al. 2018). Pixel maps are
moved forward, as points that carry mass: backward flows say nothing of a place that comes to be
covered.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from einops import rearrange, reduce, repeat
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from visual_foresight.predictors.flow.egocentric_window import CELLS, EgocentricWindow, Fields
from visual_foresight.predictors.layers.arm_renderer import ArmRenderer
from visual_foresight.predictors.layers.batching import widen
from visual_foresight.predictors.layers.conv import Residual, doubling
from visual_foresight.predictors.layers.point_maps import Points
from visual_foresight.predictors.layers.robot_dynamics import RobotDynamics
from visual_foresight.predictors.layers.warping import Motion, sample
from visual_foresight.predictors.rollouts import beginning
from visual_foresight.types import Clip, Prediction, UserError
from visual_foresight.vision.homography import pixel_side
from visual_foresight.vision.pixel_maps import grid

FLOW_CHANNELS = 3  # a share of the fingertip's motion; along it and across it
MOST = 1.5  # shares of the fingertip's motion, or units of free motion
FREE_CELLS = 4.0  # what a 1 of the latter two stands for
REACH_PX = 32  # side of the square in which things can move, where a frame has 64 pixels
FAINT = 0.05  # difference of a colour to the empty table from which on a pixel shows a thing
PLAIN = 0.15  # and from which on it shows nothing else
POSTURE_SIZE = 16
DRAWN_SHARE = 1 / 6  # of the gradient steps in which frames are learnt from, too
# beside 0.3 for the error of pixel maps; with 0.15, a step is learnt a sixth worse
ORIGIN_WEIGHT = 0.05


@dataclass(frozen=True)
class FlowConfig:
    """Shape of the network and of what it sees."""

    frame_size: tuple[int, int] = (64, 64)
    """Height and width in pixels; multiples of 8."""
    action_size: int = 2
    state_size: int = 4
    channels: int = 32
    """Half of those of the dynamics' deepest layers."""
    num_latents: int = 0
    """How many of an action's numbers, the last ones, do nothing by themselves: a latent
    variable."""
    homography: tuple[tuple[float, ...], ...] = (
        (1.0, 0.0, 0.0),
        (0.0, 1.0, 0.0),
        (0.0, 0.0, 1.0),
    )
    """Homography from (row, col, 1) in the frame to the robot's (x, y, 1): see
    `interfaces.Env.homography`."""


@dataclass(frozen=True)
class Foreground:
    """What was seen, and does not change while it is imagined.

    B is 1 or the number of candidates.
    """

    things: Float[Tensor, "b 4 hf wf"]
    """What lies on the table in the newest frame, without the arm: colours times opacity, and
    opacity."""
    posture: Float[Tensor, "b k"]
    """What of the arm's shape the robot's state does not say."""


@dataclass(frozen=True)
class Carry:
    """A moment of the imagination."""

    foreground: Foreground
    state: Float[Tensor, "b s"]
    origin: Float[Tensor, "b 2 hf wf"]
    """From where, (row, col) in pixels, what is at each pixel of the table has come since it
    was seen."""
    points: Points | None = None
    """What the pixel maps were drawn from that were returned with this carry."""


class Flow(nn.Module):
    """p(o_{t+1} | o_{t-1:t}, s_t, a_t) by moving pixels."""

    context = 2
    to_frame: Tensor
    background: Tensor

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        if config.frame_size[0] % 8 or config.frame_size[1] % 8:
            raise UserError(
                f"frames whose sides are multiples of 8 are needed, got {config.frame_size}: "
                "collect others, or choose another predictor"
            )
        self.config = config
        self.robot = RobotDynamics(config.action_size, config.state_size)
        # objects grow with the frame
        self.reach = round(REACH_PX * max(config.frame_size) / 64)
        self.spacing = (
            pixel_side(config.homography, config.frame_size) * max(config.frame_size) / 64
        )
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
        nn.init.zeros_(self.head.weight)  # at first, nothing moves
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]
        self.register_buffer(
            "to_frame",
            torch.linalg.inv(torch.tensor(config.homography, dtype=torch.float64)).float(),
        )
        self.register_buffer("background", torch.zeros(3, *config.frame_size))

    # --- robot --------------------------------------------------------------------------------

    def calibrate(self, clip: Clip) -> None:
        """Find from experience how actions move the robot, and what the table looks like with nothing on it."""
        self.robot.calibrate(clip)
        frames = rearrange(
            clip.frames, "b t c h w -> (b t) c h w"
        ).contiguous()  # torch 2.14: of a view, now and then NaN
        self.background.copy_(frames.median(0).values)

    def _finger_px(self, state: Float[Tensor, "b s"]) -> Float[Tensor, "b 2"]:
        """Return (row, col) of the fingertip in frame pixels."""
        with torch.autocast(state.device.type, enabled=False):
            place = functional.pad(state[:, :2], (0, 1), value=1.0) @ self.to_frame.T
        return place[:, :2] / place[:, 2:]

    def _arm(
        self, state: Float[Tensor, "b s"], posture: Float[Tensor, "b k"]
    ) -> tuple[Float[Tensor, "b 3 hf wf"], Float[Tensor, "b 1 hf wf"]]:
        """Draw the arm: its colours, and how much of each pixel it covers."""
        numbers = torch.cat([self.robot.standardised(state), posture], -1)
        drawn = self.arm(numbers, self._finger_px(state)).float().sigmoid()
        return drawn[:, :3], drawn[:, 3:]

    # --- the Predictor protocol ---------------------------------------------------------------

    def observe(self, clip: Clip) -> Carry:
        """Encode the two newest frames, take the arm off the newest, and tell things from the table."""
        frames, state = clip.frames[:, -2:], clip.states[:, -1]
        if frames.shape[1] < 2:
            raise ValueError(f"a clip of at least 2 frames is needed, got {frames.shape[1]}")
        size = self.config.frame_size
        here = rearrange(grid(size, size).to(frames), "h w two -> two h w").expand(
            len(frames), -1, -1, -1
        )
        place = (here + 0.5) * (2 / rearrange(here.new_tensor(size), "two -> two 1 1")) - 1
        pair = rearrange(frames, "b t c h w -> b (t c) h w")
        near = self.near(torch.cat([pair, place], 1).to(memory_format=torch.channels_last))
        wide = self.wide(near)
        posture = self.posture(reduce(wide, "b z h w -> b z", "mean")).float()
        behind = self.behind(functional.relu(torch.cat([near, self.spread(wide)], 1)))
        behind = functional.pixel_shuffle(behind.float(), 2).sigmoid()
        bare = torch.lerp(frames[:, -1], behind, self._arm(state, posture)[1])
        apart = reduce((bare - self.background).abs(), "b c h w -> b 1 h w", "max")
        opacity = ((apart - FAINT) / (PLAIN - FAINT)).clamp(0, 1)
        return Carry(Foreground(torch.cat([bare * opacity, opacity], 1), posture), state, here)

    def imagine(
        self,
        carry: Carry,
        actions: Float[Tensor, "n t a"],
        pixel_maps: Float[Tensor, "n p map_h map_w"],
        decode: bool = False,
    ) -> Prediction:
        """Roll the state, move the pixel maps, and draw frames only when asked (see `interfaces.Predictor`)."""
        steps = [step for step, _ in self._roll(self._begin(carry, pixel_maps), actions)]
        return self._prediction(steps, pixel_maps, decode)

    def motions(self, carry: Carry, actions: Float[Tensor, "n t a"]) -> tuple[Motion, ...]:
        """Return the motion of each step (see `interfaces.MotionPredictor`).

        Newly made are the arm and the empty table.
        """
        found, size = [], self.config.frame_size
        for after, fields in self._roll(carry, actions):
            flows, foreground = fields.dense(), after.foreground
            cover = self._arm(after.state, widen(foreground.posture, len(actions)))[1]
            opacity = sample(
                widen(foreground.things[:, 3:], len(actions)),
                rearrange(after.origin, "n two h w -> n h w two"),
                size,
            )
            shown = (1 - cover) * opacity
            masks = torch.cat(
                [torch.zeros_like(cover).expand(-1, 2, -1, -1), shown, 1 - shown], 1
            )
            found.append(Motion(flows[:, None, 2:], masks, flows[:, :2]))
        return tuple(found)

    # --- the TrainingRoller protocol ----------------------------------------------------------

    def training_rollout(
        self,
        clip: Clip,
        pixel_maps: Float[Tensor, "b p map_h map_w"],
        rng: torch.Generator,
        progress: float,
    ) -> tuple[Prediction, Float[Tensor, ""]]:
        """Imagine freely; besides, where a point is said to go, the table must say that it came
        from the point's place.

        Half of the clips are looked at as in a mirror. Most of the time points alone are learnt
        from: what is seen, and the arm, cost most and are soon learnt.
        """
        draws = bool(torch.rand((), generator=rng) < DRAWN_SHARE)
        with torch.set_grad_enabled(draws):
            seen = self.observe(beginning(clip, self.context))
        begin = self._begin(seen, pixel_maps)
        mirrored = torch.rand(len(clip.frames), generator=rng).to(clip.frames) < 0.5
        steps = [
            step for step, _ in self._roll(begin, clip.actions[:, self.context - 1 :], mirrored)
        ]
        assert begin.points is not None
        true = rearrange(begin.points.places, "b m two -> b two m 1")
        known = reduce(begin.points.mass, "b p m -> b m", "sum") > 0
        missed = []
        for step in steps:
            assert step.points is not None
            found = sample(
                step.origin, step.points.places.detach()[:, :, None], self.config.frame_size
            )
            missed.append(((found - true).square().sum(1)[..., 0] + 1e-4).sqrt() * known)
        extra = (
            ORIGIN_WEIGHT * torch.stack(missed).sum() / (len(steps) * known.sum()).clamp(min=1)
        )
        return self._prediction(steps, pixel_maps, decode=draws), extra

    # --- the roll -----------------------------------------------------------------------------

    def _begin(self, carry: Carry, pixel_maps: Float[Tensor, "n p map_h map_w"]) -> Carry:
        """Give the carry the points of these maps, unless it has them."""
        size, map_size = self.config.frame_size, (pixel_maps.shape[-2], pixel_maps.shape[-1])
        points = carry.points
        if points is None or not torch.equal(points.maps(map_size, size), pixel_maps):
            points = Points.of(pixel_maps, size)
        return replace(carry, points=points)

    def _roll(
        self,
        carry: Carry,
        actions: Float[Tensor, "n t a"],
        mirrored: Bool[Tensor, " n"] | None = None,
    ) -> Iterator[tuple[Carry, Fields]]:
        """Yield the moment after each action, and what moved in between."""
        count = len(actions)
        points = None if carry.points is None else carry.points.widened(count)
        carry = Carry(
            carry.foreground, widen(carry.state, count), widen(carry.origin, count), points
        )
        for action in actions.unbind(1):
            carry, fields = self._step(carry, action, mirrored)
            yield carry, fields

    def _step(
        self, carry: Carry, action: Float[Tensor, "n a"], mirrored: Bool[Tensor, " n"] | None
    ) -> tuple[Carry, Fields]:
        """Look at what lies before the fingertip, and move it."""
        size, count = self.config.frame_size, len(action)
        with torch.autocast(action.device.type, enabled=False):  # which would round places
            state = self.robot(carry.state, action)
            here, there = carry.state[:, :2], state[:, :2]
            window = EgocentricWindow.between(
                here, there, self.spacing, self.to_frame, mirrored
            )
        sources = rearrange(
            sample(carry.origin, window.in_frame.cells(), size), "n two y x -> n y x two"
        )
        seen = sample(widen(carry.foreground.things, count), sources, size)
        # where walls are
        on_table = (window.on_table.cells() - self.robot.mean[:2]) / self.robot.scale[:2]
        seen = torch.cat([seen, rearrange(on_table, "n y x two -> n two y x")], 1)
        way = (there - here).norm(dim=-1, keepdim=True) / self.spacing
        # of what the window does not say
        rest = (action[:, 2:], self.robot.standardised(carry.state)[:, 2:])
        scale, shift = rearrange(
            self.condition(torch.cat([way / FREE_CELLS, *rest], -1)), "n z -> n z 1 1"
        ).chunk(2, 1)
        hidden = self.stem(seen.to(memory_format=torch.channels_last)) + self.place
        hidden = self.trunk(functional.relu(torch.addcmul(shift, hidden, 1 + scale)))
        shares = MOST * functional.pixel_shuffle(self.head(hidden).float() / MOST, 2).tanh()
        # What is pushed goes where the hand goes; nothing moves when nothing is done.
        done = action[:, : self.config.action_size - self.config.num_latents]
        effort = FREE_CELLS * done.norm(dim=-1, keepdim=True).clamp(max=1)
        units = rearrange(torch.cat([way, effort, effort], -1), "n k -> n 1 k 1 1")
        with_it, along, across = (
            units * rearrange(shares, "n (flow k) y x -> n flow k y x", flow=2)
        ).unbind(2)
        flows = rearrange(
            torch.stack([with_it + along, across], 2), "n flow k y x -> n (flow k) y x"
        )
        fields = window.fields(flows, self.reach, size)
        moved = (
            None
            if carry.points is None
            else carry.points.shifted(fields.steps(carry.points.places), size)
        )
        return Carry(carry.foreground, state, fields.bring(carry.origin), moved), fields

    def _prediction(
        self, steps: list[Carry], pixel_maps: Float[Tensor, "n p map_h map_w"], decode: bool
    ) -> Prediction:
        size, map_size = self.config.frame_size, (pixel_maps.shape[-2], pixel_maps.shape[-1])
        maps = torch.stack(
            [step.points.maps(map_size, size) for step in steps if step.points is not None], 1
        )
        frames = self._draw(steps) if decode else maps.new_zeros(len(maps), 0, 3, *size)
        return Prediction(frames, maps, maps.new_zeros(maps.shape[:3]), steps[-1])

    def _draw(self, steps: list[Carry]) -> Float[Tensor, "n t 3 hf wf"]:
        """Draw the arm over the things over the table, at all steps."""
        count, size, foreground = (
            len(steps[0].state),
            self.config.frame_size,
            steps[0].foreground,
        )
        origins = rearrange(
            torch.stack([step.origin for step in steps], 1), "n t two h w -> (n t) h w two"
        )
        states = rearrange(torch.stack([step.state for step in steps], 1), "n t s -> (n t) s")
        things, postures = (
            repeat(widen(part, count), "n ... -> (n t) ...", t=len(steps))
            for part in (foreground.things, foreground.posture)
        )
        moved = sample(things, origins, size)
        bare = moved[:, :3] + (1 - moved[:, 3:]) * self.background
        drawn = torch.lerp(bare, *self._arm(states, postures))
        return rearrange(drawn, "(n t) c h w -> n t c h w", n=count)
