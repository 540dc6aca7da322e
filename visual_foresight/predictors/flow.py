"""The flagship: a recurrent, action-conditioned predictor of motion with a low-resolution state.

Sources: flows, masks and first-frame skip as in SNA (Ebert et al. 2017) and the planners of Visual Foresight (Ebert et al.
2018); actions enter by FiLM (Perez et al. 2018) and by maps of what the fingertip sweeps. What is remembered of a place
moves with it: the memory is warped by the same motion as the frame. Pixel maps are moved forward, as points that carry mass:
backward flows say nothing of a place that comes to be covered. A rollout that nobody looks at is never decoded: only the
memory (a quarter of the frame's side) and the points roll on.
"""

from dataclasses import dataclass, replace

import torch
from einops import rearrange, reduce, repeat
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from visual_foresight.predictors.blocks import Robot, widen
from visual_foresight.predictors.motion import Motion, Points, move_frames, resize_motion, warp
from visual_foresight.types import Clip, Prediction

CELL_PX = 4  # the state's grid: one cell for 4x4 pixels
SWEEP_CHANNELS = 6
FORTH_CHANNELS = 3  # a share of the fingertip's motion; down and right, in cells


@dataclass(frozen=True)
class FlowConfig:
    """Shape of the network and of what it sees."""

    frame_size: tuple[int, int] = (64, 64)
    """Height and width in pixels; multiples of 4."""
    action_size: int = 2
    state_size: int = 4
    channels: int = 32
    """Channels of the memory."""
    num_flows: int = 2
    """Flows per step; the first is relative to the fingertip's own motion."""
    table: tuple[tuple[float, ...], ...] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    """Homography from (row, col, 1) in the frame to the robot's (x, y, 1): see `interfaces.Env.table`."""


@dataclass(frozen=True)
class Carry:
    """What is remembered between imagined steps; b is 1 or the number of candidates."""

    memory: Float[Tensor, "b z h w"]
    state: Float[Tensor, "b s"]
    first: Float[Tensor, "b c hf wf"]
    now: Float[Tensor, "b c hf wf"] | None
    """The newest frame; None once a rollout went on without decoding."""
    points: Points | None = None
    """What the pixel maps were drawn from that were returned with this carry."""


class Flow(nn.Module):
    """p(o_{t+1} | o_{t-1:t}, s_t, a_t) by moving pixels."""

    context = 2
    to_frame: Tensor

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.config = config
        self.robot = Robot(config.action_size, config.state_size)
        width = config.channels
        self.encoder = nn.Sequential(
            nn.Conv2d(8, width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
            *(Residual(2 * width) for _ in range(3)),
            nn.Conv2d(2 * width, width, 3, padding=1),
        )
        deep = 3 * width // 2
        self.enter = nn.Conv2d(width + SWEEP_CHANNELS, width, 3, padding=1)
        self.think = nn.Conv2d(width, deep, 3, padding=1)
        self.update = nn.Conv2d(deep, 2 * width, 1)
        self.condition = nn.Sequential(
            nn.Linear(config.action_size + config.state_size, 64), nn.SiLU(), nn.Linear(64, 2 * (width + deep))
        )
        self.parts = [2 * config.num_flows, config.num_flows + 3, FORTH_CHANNELS]
        self.head = nn.Conv2d(deep, 4 * sum(self.parts), 1)
        self.synthesis = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.SiLU(), nn.Conv2d(width, 3 * CELL_PX**2, 1)
        )
        nn.init.zeros_(self.head.weight)
        bias = torch.zeros(sum(self.parts))
        bias[2 * config.num_flows] = 2.0  # at first, everything is taken from the first frame
        self.head.bias = nn.Parameter(repeat(bias, "c -> (c four)", four=4))
        self.register_buffer("to_frame", torch.linalg.inv(torch.tensor(config.table, dtype=torch.float64)).float())

    # --- robot ---------------------------------------------------------------------------------------------------

    def calibrate(self, clip: Clip) -> None:
        """Find from experience how actions move the robot."""
        self.robot.calibrate(clip)

    def _finger_px(self, state: Float[Tensor, "b s"]) -> Float[Tensor, "b 2"]:
        """Return (row, col) of the fingertip in frame pixels."""
        place = functional.pad(state[:, :2], (0, 1), value=1.0) @ self.to_frame.T
        return place[:, :2] / place[:, 2:]

    # --- the Predictor protocol ----------------------------------------------------------------------------------

    def observe(self, clip: Clip) -> Carry:
        """Encode the two newest frames."""
        frames = clip.frames[:, -2:]
        if frames.shape[1] < 2:
            raise ValueError(f"a clip of at least 2 frames is needed, got {frames.shape[1]}")
        height, width = frames.shape[-2:]
        rows = _middle_out(height, frames)[:, None].expand(height, width)
        cols = _middle_out(width, frames)[None, :].expand(height, width)
        place = repeat(torch.stack([rows, cols]), "two h w -> b two h w", b=len(frames))
        pair = rearrange(frames, "b t c h w -> b (t c) h w")
        inputs = torch.cat([pair, place], 1).to(memory_format=torch.channels_last)
        memory = functional.hardtanh(self.encoder(inputs).float())
        return Carry(memory, clip.states[:, -1], frames[:, -1], frames[:, -1])

    def imagine(
        self,
        carry: Carry,
        actions: Float[Tensor, "n t a"],
        pixel_maps: Float[Tensor, "n p map_h map_w"],
        decode: bool = False,
    ) -> Prediction:
        """Roll the state, move the pixel maps, and decode frames only when asked (see `interfaces.Predictor`)."""
        if decode and carry.now is None:
            raise ValueError("this carry comes from a rollout without frames: decode from the start")
        size, map_size = self.config.frame_size, (pixel_maps.shape[-2], pixel_maps.shape[-1])
        points = carry.points
        if points is None or not torch.equal(points.maps(map_size, size), pixel_maps):
            points = Points.of(pixel_maps, size)
        points, carry = points.widened(len(actions)), _broadcast(carry, len(actions))
        frames: list[Tensor] = []
        maps: list[Tensor] = []
        for action in actions.unbind(1):
            carry, motion = self._step(carry, action)
            if decode:
                new = functional.pixel_shuffle(self.synthesis(carry.memory).float(), CELL_PX).sigmoid()
                assert carry.now is not None
                frames.append(move_frames(resize_motion(motion, size), carry.first, carry.now, new))
                carry = replace(carry, now=frames[-1])
            assert motion.forward is not None
            points = points.moved(motion.forward, size)
            maps.append(points.maps(map_size, size))
        imagined = torch.stack(frames, 1) if decode else carry.first.new_zeros(len(actions), 0, 3, *size)
        lost = actions.new_zeros(len(actions), actions.shape[1], pixel_maps.shape[1])
        carry = replace(carry, now=carry.now if decode else None, points=points)
        return Prediction(imagined, torch.stack(maps, 1), lost, carry)

    def motions(self, carry: Carry, actions: Float[Tensor, "n t a"]) -> tuple[Motion, ...]:
        """Return the motion of each step, on a grid of half the frame's side (see `interfaces.MotionPredictor`)."""
        carry = _broadcast(carry, len(actions))
        found = []
        for action in actions.unbind(1):
            carry, motion = self._step(carry, action)
            found.append(motion)
        return tuple(found)

    def _step(self, carry: Carry, action: Float[Tensor, "n a"]) -> tuple[Carry, Motion]:
        """Roll the memory by one action and read the motion off it, on a grid of half the frame's side."""
        size = (carry.memory.shape[-2], carry.memory.shape[-1])
        state = self.robot(carry.state, action)
        here, there = self._finger_px(carry.state), self._finger_px(state)
        sweep = _sweep_maps(here, there, size)
        scales = rearrange(self.condition(self.robot.command(carry.state, action)), "n z -> n z 1 1")
        width, deep = self.config.channels, 3 * self.config.channels // 2
        scale_in, shift_in, scale, shift = scales.split([width, width, deep, deep], 1)
        inputs = torch.cat([carry.memory, sweep], 1).to(memory_format=torch.channels_last)
        hidden = functional.relu(torch.addcmul(shift_in, self.enter(inputs), 1 + scale_in), inplace=True)
        hidden = functional.relu(torch.addcmul(shift, self.think(hidden), 1 + scale), inplace=True)
        reading = functional.pixel_shuffle(self.head(hidden).float(), 2)
        flows, logits, forth = reading.split(self.parts, 1)
        flows = rearrange(flows, "n (k two) h w -> n k two h w", two=2) * CELL_PX
        # What is pushed goes where the hand goes, and comes from where it came from.
        along = rearrange(there - here, "n two -> n two 1 1")
        flows = torch.cat([flows[:, :1] - along[:, None], flows[:, 1:]], 1)
        forward = forth[:, :1] * along + forth[:, 1:] * CELL_PX
        motion = Motion(flows, logits.softmax(1), forward)
        mean_flow = reduce(motion.masks[:, 2:-1, None] * flows, "n k two h w -> n two h w", "sum")
        carried = warp(carry.memory, functional.avg_pool2d(mean_flow, 2), self.config.frame_size)
        # Gates and memory are piecewise linear: sigmoid and tanh cost as much as the convolutions.
        gate, candidate = self.update(hidden).float().chunk(2, 1)
        memory = torch.lerp(carried, functional.hardtanh(candidate), functional.hardsigmoid(gate))
        return replace(carry, memory=memory, state=state), motion


class Residual(nn.Module):
    """Two convolutions around a skip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, inputs: Float[Tensor, "b z h w"]) -> Float[Tensor, "b z h w"]:
        """Return inputs plus what two convolutions make of them."""
        return inputs + self.second(functional.relu(self.first(functional.relu(inputs))))


def _sweep_maps(
    here: Float[Tensor, "b 2"], there: Float[Tensor, "b 2"], size: tuple[int, int]
) -> Float[Tensor, "b 6 {size[0]} {size[1]}"]:
    """Draw a step of the fingertip on the state's grid: each cell's place from its start, along and across its way.

    Args:
        here: (row, col) in pixels at which the step begins.
        there: and ends.
        size: rows and columns of the grid.
    """
    rows, cols = (
        (torch.arange(cells, device=here.device) + 0.5) * CELL_PX - 0.5 - here[:, axis : axis + 1]
        for axis, cells in enumerate(size)
    )
    rows, cols = rows[:, :, None], cols[:, None, :]
    down, right = rearrange(there - here, "b two -> two b 1 1")
    length = (down.square() + right.square() + 0.25).sqrt()
    along = (rows * down + cols * right) / length
    across = (cols * down - rows * right) / length
    outside = along - along.clamp(min=0).minimum(length)
    swept = (-(outside.square() + across.square()) / CELL_PX**2).exp()
    offsets = [(part / (2 * CELL_PX)).tanh().expand_as(along) for part in (rows, cols)]
    ways = [(part / CELL_PX).tanh() for part in (along, along - length, across)]
    return torch.stack([*offsets, *ways, swept], 1)


def _broadcast(carry: Carry, count: int) -> Carry:
    """Give every candidate its own copy (a view, until the memory is written anew)."""
    memory, state, first = (widen(part, count) for part in (carry.memory, carry.state, carry.first))
    return Carry(memory, state, first, None if carry.now is None else widen(carry.now, count))


def _middle_out(size: int, like: Tensor) -> Float[Tensor, " size"]:
    """Return the places of pixels along an axis, in half frames from the middle."""
    return (torch.arange(size, device=like.device, dtype=like.dtype) + 0.5) * 2 / size - 1
