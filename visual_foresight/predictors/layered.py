"""Two layers: the arm, drawn from the robot's own state, over the table, which moves where the fingertip touches it.

What the robot does to itself is known, so it need not be seen: the arm is a function of the state. What is left moves only
near the fingertip, so the dynamics runs in a window around it, on a grid of half the frame's side, and the rest of the
table stays as it is. Pixel maps lie on the table and are not dragged along by an arm that only passes.

Sources: flows, masks and first-frame skip as in SNA (Ebert et al. 2017) and the planners of Visual Foresight (Ebert et al.
2018); layers as in Wang & Adelson, "Representing Moving Images with Layers" (1994); actions enter by FiLM (Perez et al.
2018). A rollout that nobody looks at is never decoded: only the memory in the window and the pixel maps roll on.
"""

from dataclasses import dataclass, replace

import torch
from einops import rearrange, reduce, repeat
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from visual_foresight.predictors.motion import Motion, move_frames, move_maps, resize_motion, warp
from visual_foresight.types import Clip, Prediction

CELL_PX = 2  # the memory's grid: one cell for 2x2 pixels
FINGER_CHANNELS = 3
POSTURE_SIZE = 16


@dataclass(frozen=True)
class LayeredConfig:
    """Shape of the network and of what it sees."""

    frame_size: tuple[int, int] = (64, 64)
    """Height and width in pixels; multiples of 8."""
    action_size: int = 2
    state_size: int = 4
    channels: int = 32
    """Channels of the memory."""
    window: int = 16
    """Side, in cells, of what can move in a step, around the fingertip."""
    num_flows: int = 2
    """Flows per step; the first is relative to the fingertip's own motion."""
    table: tuple[tuple[float, ...], ...] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    """Homography from (row, col, 1) in the frame to the robot's (x, y, 1): see `interfaces.Env.table`."""


@dataclass(frozen=True)
class Carry:
    """What is remembered between imagined steps; b is 1 or the number of candidates."""

    memory: Float[Tensor, "b z h w"]
    state: Float[Tensor, "b s"]
    posture: Float[Tensor, "b k"]
    """What of the arm's shape the state does not say."""
    first: Float[Tensor, "b c hf wf"]
    now: Float[Tensor, "b c hf wf"] | None
    """The table without the arm, at first and now; None once a rollout went on without decoding."""
    attached: Float[Tensor, "b p map_h map_w"] | None = None
    """The share of the pixel maps that is on the arm; None before anything was imagined."""


class Layered(nn.Module):
    """p(o_{t+1} | o_{t-1:t}, s_t, a_t) as an arm over a table."""

    context = 2
    dynamics: Tensor
    state_mean: Tensor
    state_scale: Tensor
    to_frame: Tensor

    def __init__(self, config: LayeredConfig) -> None:
        super().__init__()
        self.config = config
        width = config.channels
        height, length = config.frame_size
        self.grid = (height // CELL_PX, length // CELL_PX)
        self.window = (min(config.window, self.grid[0]), min(config.window, self.grid[1]))
        self.near = nn.Sequential(nn.Conv2d(8, width, 4, stride=2, padding=1), Residual(width), Residual(width))
        self.wide = nn.Sequential(
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1), *(Residual(2 * width) for _ in range(3))
        )
        self.join = nn.Sequential(nn.Conv2d(3 * width, width, 3, padding=1), Residual(width))
        self.posture = nn.Linear(2 * width, POSTURE_SIZE)
        self.arm = Arm(config.state_size + POSTURE_SIZE, config.frame_size)
        self.behind = nn.Conv2d(width, 3 * CELL_PX**2, 3, padding=1)
        self.enter = nn.Conv2d(width + 2 * FINGER_CHANNELS, width, 3, padding=1)
        self.think = nn.ModuleList(nn.Conv2d(width, width, 3, padding=d, dilation=d) for d in (2, 4))
        self.condition = nn.Sequential(
            nn.Linear(config.action_size + config.state_size, 64), nn.SiLU(), nn.Linear(64, 6 * width)
        )
        self.update = nn.Conv2d(width, 2 * width, 1)
        self.num_masks = config.num_flows + 3
        self.head = nn.Conv2d(width, 2 * config.num_flows + self.num_masks, 1)
        self.synthesis = nn.Conv2d(width, 3 * CELL_PX**2, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]
        with torch.no_grad():
            self.head.bias[2 * config.num_flows + 1] = 2.0  # type: ignore[index]  # at first, the table stays as it is
            self.update.bias[:width] = -2.0  # type: ignore[index]
        # What calibrate() finds in the data: how an action changes the robot's state.
        self.register_buffer("dynamics", torch.zeros(config.action_size + config.state_size + 1, config.state_size))
        self.register_buffer("state_mean", torch.zeros(config.state_size))
        self.register_buffer("state_scale", torch.ones(config.state_size))
        self.register_buffer("to_frame", torch.linalg.inv(torch.tensor(config.table, dtype=torch.float64)).float())

    # --- robot ---------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def calibrate(self, clip: Clip) -> None:
        """Find from experience, by least squares, how actions move the robot."""
        before, after = (rearrange(part, "b t s -> (b t) s") for part in (clip.states[:, :-1], clip.states[:, 1:]))
        self.state_mean.copy_(before.mean(0))
        self.state_scale.copy_(before.std(0).clamp(min=1e-2))
        inputs = _with_one(torch.cat([rearrange(clip.actions, "b t a -> (b t) a"), self._normal(before)], -1))
        gram = inputs.T @ inputs + 1e-3 * torch.eye(inputs.shape[1], device=inputs.device)
        self.dynamics.copy_(torch.linalg.solve(gram, inputs.T @ (after - before)))

    def _normal(self, state: Float[Tensor, "b s"]) -> Float[Tensor, "b s"]:
        return (state - self.state_mean) / self.state_scale

    def _next_state(self, state: Float[Tensor, "b s"], action: Float[Tensor, "b a"]) -> Float[Tensor, "b s"]:
        return state + _with_one(torch.cat([action, self._normal(state)], -1)) @ self.dynamics

    def _finger_px(self, state: Float[Tensor, "b s"]) -> Float[Tensor, "b 2"]:
        """Return (row, col) of the fingertip in frame pixels."""
        place = _with_one(state[:, :2]) @ self.to_frame.T
        return place[:, :2] / place[:, 2:]

    def _arm(
        self, state: Float[Tensor, "b s"], posture: Float[Tensor, "b k"]
    ) -> tuple[Float[Tensor, "b 3 hf wf"], Float[Tensor, "b 1 hf wf"]]:
        """Draw the arm: its colours, and how much of each pixel it covers."""
        cells = repeat(torch.zeros(2, device=state.device), "two -> b two", b=len(state))
        offsets = _finger_maps(self._finger_px(state), cells, self.grid, 16.0)
        drawn = self.arm(torch.cat([self._normal(state), posture], -1), offsets).float().sigmoid()
        return drawn[:, :3], drawn[:, 3:]

    # --- the Predictor protocol ----------------------------------------------------------------------------------

    def observe(self, clip: Clip) -> Carry:
        """Encode the two newest frames, and take the arm off the newest."""
        frames = clip.frames[:, -2:]
        if frames.shape[1] < 2:
            raise ValueError(f"a clip of at least 2 frames is needed, got {frames.shape[1]}")
        height, width = frames.shape[-2:]
        rows = _middle_out(height, frames)[:, None].expand(height, width)
        cols = _middle_out(width, frames)[None, :].expand(height, width)
        place = repeat(torch.stack([rows, cols]), "two h w -> b two h w", b=len(frames))
        pair = rearrange(frames, "b t c h w -> b (t c) h w")
        near = self.near(torch.cat([pair, place], 1).to(memory_format=torch.channels_last))
        wide = self.wide(near)
        posture = self.posture(reduce(wide, "b z h w -> b z", "mean")).float()
        around = functional.interpolate(wide, scale_factor=2.0, mode="nearest")
        memory = functional.hardtanh(self.join(torch.cat([near, around], 1)).float())
        state, frame = clip.states[:, -1], frames[:, -1]
        behind = functional.pixel_shuffle(self.behind(memory).float(), CELL_PX).sigmoid()
        table = torch.lerp(frame, behind, self._arm(state, posture)[1])
        return Carry(memory, state, posture, table, table)

    def imagine(
        self,
        carry: Carry,
        actions: Float[Tensor, "n t a"],
        pixel_maps: Float[Tensor, "n p map_h map_w"],
        decode: bool = False,
    ) -> Prediction:
        """Roll the memory, move the pixel maps, and decode frames only when asked (see `interfaces.Predictor`).

        Pixel maps are moved on the memory's grid; others are brought to it.
        """
        count = len(actions)
        if decode and carry.now is None:
            raise ValueError("this carry comes from a rollout without frames: decode from the start")
        if (pixel_maps.shape[-2], pixel_maps.shape[-1]) != self.grid and pixel_maps.shape[1]:
            raise ValueError(f"pixel maps of {self.grid} cells are needed, got {tuple(pixel_maps.shape[-2:])}")
        carry = _broadcast(carry, count)
        attached = carry.attached
        if attached is None:
            cover = functional.avg_pool2d(self._arm(carry.state, carry.posture)[1], CELL_PX)
            attached = pixel_maps * cover
        memory, state, lying = carry.memory.clone(), carry.state, pixel_maps - attached
        table = carry.now.clone() if decode and carry.now is not None else None
        states, tables, maps, lost = [], [], [], []
        for action in actions.unbind(1):
            after = self._next_state(state, action)
            here, there = self._finger_px(state), self._finger_px(after)
            place = self._window_at((here + there) / 2)
            patch, motion = self._step(_cut(memory, place, self.window), state, action, here, there, place)
            _put(memory, place, patch)
            if table is not None:
                self._move_table(table, carry.first, place, patch, motion)
                tables.append(table.clone())
            if pixel_maps.shape[1]:
                moved, gone = move_maps(motion, _cut(lying, place, self.window), self._window_px)
                lying = lying.clone()
                _put(lying, place, moved)
                attached = self._move_attached(attached, here - there)
            else:
                gone = pixel_maps.new_zeros(count, 0)
            maps.append(lying + attached)
            lost.append(gone)
            states.append(after)
            state = after
        frames = actions.new_zeros(count, 0, 3, *self.config.frame_size)
        if table is not None:
            postures = repeat(carry.posture, "n k -> (n t) k", t=len(states))
            colors, cover = self._arm(rearrange(torch.stack(states, 1), "n t s -> (n t) s"), postures)
            drawn = torch.lerp(rearrange(torch.stack(tables, 1), "n t c h w -> (n t) c h w"), colors, cover)
            frames = rearrange(drawn, "(n t) c h w -> n t c h w", n=count)
        carry = replace(carry, memory=memory, state=state, now=table, attached=attached)
        return Prediction(frames, torch.stack(maps, 1), torch.stack(lost, 1), carry)

    @property
    def _window_px(self) -> tuple[int, int]:
        return (self.window[0] * CELL_PX, self.window[1] * CELL_PX)

    def _window_at(self, center: Float[Tensor, "n 2"]) -> Int[Tensor, "n 2"]:
        """Return the first row and column, in cells, of the window around a place in pixels, inside the grid."""
        size = center.new_tensor(self.window)
        origin = ((center + 0.5) / CELL_PX - size / 2).round().long()
        return torch.minimum(origin.clamp(min=0), torch.tensor(self.grid, device=origin.device) - size.long())

    def _step(
        self,
        patch: Float[Tensor, "n z h w"],
        state: Float[Tensor, "n s"],
        action: Float[Tensor, "n a"],
        here: Float[Tensor, "n 2"],
        there: Float[Tensor, "n 2"],
        place: Int[Tensor, "n 2"],
    ) -> tuple[Float[Tensor, "n z h w"], Motion]:
        """Roll the memory in the window by one action, and read the motion off it."""
        finger = torch.cat([_finger_maps(tip, place.float(), self.window, 4.0) for tip in (here, there)], 1)
        films = rearrange(self.condition(torch.cat([action, self._normal(state)], -1)), "n z -> n z 1 1").chunk(6, 1)
        hidden = torch.cat([patch, finger], 1).to(memory_format=torch.channels_last)
        for layer, convolution in enumerate((self.enter, *self.think)):
            hidden = functional.relu(torch.addcmul(films[2 * layer + 1], convolution(hidden), 1 + films[2 * layer]))
        count = self.config.num_flows
        flows, logits = self.head(hidden).float().split([2 * count, self.num_masks], 1)
        flows = rearrange(flows, "n (k two) h w -> n k two h w", two=2) * 4
        along = rearrange(here - there, "n two -> n 1 two 1 1")  # what is pushed comes from where the hand came from
        flows = torch.cat([flows[:, :1] + along, flows[:, 1:]], 1)
        motion = Motion(flows, logits.softmax(1))
        mean_flow = reduce(motion.masks[:, 2:-1, None] * flows, "n k two h w -> n two h w", "sum")
        carried = warp(patch, mean_flow, self._window_px)
        gate, candidate = self.update(hidden).float().chunk(2, 1)
        return torch.lerp(carried, functional.hardtanh(candidate), functional.hardsigmoid(gate)), motion

    def _move_table(
        self,
        table: Float[Tensor, "n c hf wf"],
        first: Float[Tensor, "n c hf wf"],
        place: Int[Tensor, "n 2"],
        patch: Float[Tensor, "n z h w"],
        motion: Motion,
    ) -> None:
        """Move what lies in the window, in place."""
        size, corner = self._window_px, place * CELL_PX
        new = functional.pixel_shuffle(self.synthesis(patch).float(), CELL_PX).sigmoid()
        before, now = (_cut(image, corner, size) for image in (first, table))
        _put(table, corner, move_frames(resize_motion(motion, size), before, now, new))

    def _move_attached(
        self, attached: Float[Tensor, "n p h w"], along: Float[Tensor, "n 2"]
    ) -> Float[Tensor, "n p h w"]:
        """Move what is on the arm as the fingertip moves."""
        flows = repeat(along, "n two -> n 1 two h w", h=self.grid[0], w=self.grid[1])
        masks = attached.new_tensor([0.0, 0.0, 1.0, 0.0])
        masks = repeat(masks, "m -> n m h w", n=len(attached), h=self.grid[0], w=self.grid[1])
        return move_maps(Motion(flows, masks), attached, self.config.frame_size)[0]


class Arm(nn.Module):
    """Draws the arm from a few numbers and from where the fingertip is."""

    def __init__(self, size: int, frame_size: tuple[int, int]) -> None:
        super().__init__()
        self.coarse = (frame_size[0] // 8, frame_size[1] // 8)
        self.start = nn.Sequential(nn.Linear(size, 64), nn.SiLU(), nn.Linear(64, 16 * self.coarse[0] * self.coarse[1]))
        self.middle = nn.Conv2d(16, 24, 3, padding=1)
        self.fine = nn.Conv2d(24 + FINGER_CHANNELS, 24, 3, padding=1)
        self.finest = nn.Conv2d(24, 4 * CELL_PX**2, 3, padding=1)

    def forward(self, numbers: Float[Tensor, "b k"], offsets: Float[Tensor, "b o h w"]) -> Float[Tensor, "b 4 hf wf"]:
        """Return logits of the colours and of the cover."""
        drawn = rearrange(self.start(numbers), "b (c h w) -> b c h w", h=self.coarse[0], w=self.coarse[1])
        drawn = functional.relu(self.middle(functional.interpolate(drawn, scale_factor=2.0)))
        drawn = torch.cat([functional.interpolate(drawn, scale_factor=2.0), offsets], 1)
        drawn = functional.relu(self.fine(drawn.to(memory_format=torch.channels_last)))
        return functional.pixel_shuffle(self.finest(drawn), CELL_PX)


class Residual(nn.Module):
    """Two convolutions around a skip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, inputs: Float[Tensor, "b z h w"]) -> Float[Tensor, "b z h w"]:
        """Return inputs plus what two convolutions make of them."""
        return inputs + self.second(functional.relu(self.first(functional.relu(inputs))))


def _finger_maps(
    tip: Float[Tensor, "b 2"], place: Float[Tensor, "b 2"], size: tuple[int, int], reach_px: float
) -> Float[Tensor, "b 3 h w"]:
    """Draw a place on a window of cells: a bump, and the offset from it, which saturates after `reach_px`."""
    cells = [torch.arange(length, device=tip.device) + place[:, axis : axis + 1] for axis, length in enumerate(size)]
    rows, cols = ((cell + 0.5) * CELL_PX - 0.5 - tip[:, a : a + 1] for a, cell in enumerate(cells))
    rows, cols = rows / reach_px, cols / reach_px
    bump = (-2 * rows**2).exp()[:, :, None] * (-2 * cols**2).exp()[:, None, :]
    down = repeat(rows.tanh(), "b h -> b h w", w=size[1])
    right = repeat(cols.tanh(), "b w -> b h w", h=size[0])
    return torch.stack([bump, down, right], 1)


def _cells(images: Tensor, place: Int[Tensor, "n 2"], size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Return what indexes a window of each image, channels last."""
    rows, cols = (torch.arange(s, device=place.device) + place[:, a : a + 1] for a, s in enumerate(size))
    return torch.arange(len(images), device=place.device)[:, None, None], rows[:, :, None], cols[:, None, :]


def _cut(
    images: Float[Tensor, "n c h w"], place: Int[Tensor, "n 2"], size: tuple[int, int]
) -> Float[Tensor, "n c y x"]:
    """Return a window of each image."""
    return images.permute(0, 2, 3, 1)[_cells(images, place, size)].permute(0, 3, 1, 2)


def _put(images: Float[Tensor, "n c h w"], place: Int[Tensor, "n 2"], windows: Float[Tensor, "n c y x"]) -> None:
    """Write a window into each image, in place."""
    index = _cells(images, place, (windows.shape[-2], windows.shape[-1]))
    images.permute(0, 2, 3, 1)[index] = windows.permute(0, 2, 3, 1)


def _broadcast(carry: Carry, count: int) -> Carry:
    """Give every candidate its own copy (a view, until it is written)."""
    if len(carry.memory) == count:
        return carry
    parts = {name: part.expand(count, *part.shape[1:]) for name, part in vars(carry).items() if part is not None}
    return replace(carry, **parts)


def _with_one(values: Float[Tensor, "b d"]) -> Float[Tensor, "b _"]:
    return torch.cat([values, torch.ones_like(values[:, :1])], -1)


def _middle_out(size: int, like: Tensor) -> Float[Tensor, " size"]:
    """Return the places of pixels along an axis, in half frames from the middle."""
    return (torch.arange(size, device=like.device, dtype=like.dtype) + 0.5) * 2 / size - 1
