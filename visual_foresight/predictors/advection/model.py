"""The classic family: a convolutional LSTM that moves pixels by learned kernels, affine maps or
flows (see `transforms`).

DNA, CDNA, STP: Finn, Goodfellow, Levine, "Unsupervised Learning for Physical Interaction
through Video Prediction", 2016. SNA adds the first frame as a source of pixels (Ebert et al.
2017). `foresight` is what the robots of Visual Foresight (Ebert et al. 2018) planned with: SAVP
(Lee et al. 2018) without its latent variable; its flows read the last two frames, and no pixel
is newly made; unlike there, masks do not see what the flows bring. The frame that was imagined
is what the network sees next, so that, unlike `flow`, all compose every frame, asked for or
not. Scaled to 64x64 on a CPU: three cells of 16, 32 and 16 channels with 3x3 convolutions for
seven of 32 to 128 with 5x5, 6 transforms for 10, masks and DNA's kernels at half resolution, no
layer normalisation; kernels reach 4 pixels for 2, since the arm moves up to 4 pixels a step.
They learn from their own imagination, as all do here, not by scheduled sampling.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from visual_foresight.predictors.advection.readout import READERS, Shape
from visual_foresight.predictors.layers.batching import widen
from visual_foresight.predictors.layers.conv import ConvLSTM, doubling, normal_, tile
from visual_foresight.predictors.layers.robot_dynamics import RobotDynamics
from visual_foresight.predictors.layers.warping import (
    AnyMotion,
    Motion,
    move_frames,
    move_maps,
    resize_motion,
)
from visual_foresight.predictors.rollouts import beginning
from visual_foresight.types import Clip, Prediction, UserError

COARSEST_PX = 8  # the deepest cell's grid: one place for 8x8 pixels


@dataclass(frozen=True)
class CDNAConfig:
    """Convolutional dynamic neural advection: a few kernels, each for all places."""

    frame_size: tuple[int, int] = (64, 64)
    """Height and width in pixels; multiples of 8."""
    action_size: int = 2
    state_size: int = 4
    channels: int = 8
    """Channels at half the frame's side; twice and four times as many on the coarser grids."""
    transform: str = "cdna"
    """dna, cdna, stp or flow."""
    num_transforms: int = 6
    kernel_size: int = 9
    """Taps per side of a kernel, an odd number (stp and flow have none)."""
    spacing_px: int = 1
    """Pixels from tap to tap."""
    first_frame: bool = False
    """Whether the newest context frame stays a source of pixels. In SNA it replaces the frame
    now, here it joins it."""
    num_earlier: int = 0
    """How many of the transforms, flows, read the frame before the one now."""
    makes_new: bool = True
    """Whether pixels that are newly made are a source."""
    smoothness: float = 0.0
    """Weight, in learning, of the flows' total variation: mean difference of neighbours, in
    pixels."""


@dataclass(frozen=True)
class DNAConfig(CDNAConfig):
    """Dynamic neural advection: each place has a kernel of its own."""

    transform: str = "dna"
    num_transforms: int = 1
    kernel_size: int = 5
    spacing_px: int = 2


@dataclass(frozen=True)
class STPConfig(CDNAConfig):
    """Spatial transformer predictors: a few affine maps of the frame."""

    transform: str = "stp"


@dataclass(frozen=True)
class SNAConfig(CDNAConfig):
    """Skip-connection neural advection: CDNA that can bring back what was hidden."""

    first_frame: bool = True


@dataclass(frozen=True)
class ForesightConfig(CDNAConfig):
    """Flows, half of them from the frame before, and the first frame: ten masks."""

    transform: str = "flow"
    num_transforms: int = 8
    first_frame: bool = True
    num_earlier: int = 4
    makes_new: bool = False
    smoothness: float = 1e-3


@dataclass(frozen=True)
class Carry:
    """What is remembered between imagined steps; b is 1 or the number of candidates."""

    memories: tuple[
        Float[Tensor, "b z1 h1 w1"], Float[Tensor, "b z2 h2 w2"], Float[Tensor, "b z1 h1 w1"]
    ]
    state: Float[Tensor, "b s"]
    first: Float[Tensor, "b c h w"]
    earlier: Float[Tensor, "b c h w"]
    """The frame before the one now."""
    now: Float[Tensor, "b c h w"]
    maps: tuple[Float[Tensor, "b p map_h map_w"], ...] = ()
    """The pixel maps of these two frames, once there are any."""


class NeuralAdvection(nn.Module):
    """p(o_{t+1} | o_{1:t}, s_t, a_t) by moving pixels; the configuration says how."""

    context = 2

    def __init__(self, config: CDNAConfig) -> None:
        super().__init__()
        if any(side % COARSEST_PX for side in config.frame_size):
            raise UserError(
                f"frames with sides of a multiple of {COARSEST_PX} pixels are needed, got {config.frame_size}"
            )
        if config.num_earlier and config.transform != "flow":
            raise UserError(
                f"flows alone read the frame before, not {config.transform}: set num_earlier to 0"
            )
        if config.transform not in READERS or config.kernel_size % 2 == 0:
            raise UserError(
                f"a transform out of {', '.join(READERS)} and an odd kernel size are needed, "
                f"got {config.transform!r} and {config.kernel_size}"
            )
        self.config = config
        self.robot = RobotDynamics(config.action_size, config.state_size)
        one, two, four = (factor * config.channels for factor in (1, 2, 4))
        self.stem = nn.Conv2d(3, one, 5, stride=2, padding=2)
        self.down = nn.Conv2d(one, two, 3, stride=2, padding=1)
        self.cell_in = ConvLSTM(two, two)
        self.deeper = nn.Conv2d(two, four, 3, stride=2, padding=1)
        self.cell_deep = ConvLSTM(four + config.action_size + config.state_size, four)
        self.up = doubling(four, two)
        self.cell_out = ConvLSTM(2 * two, two)
        self.higher = doubling(two, one)
        self.fuse = nn.Conv2d(two, two, 3, padding=1)
        rows, cols = (side // COARSEST_PX for side in config.frame_size)
        kernels = (
            config.num_transforms,
            config.kernel_size,
            config.spacing_px,
            config.num_earlier,
        )
        self.read = READERS[config.transform](
            Shape(config.frame_size, four * rows * cols, two, *kernels)
        )
        self.masks = normal_(
            nn.Conv2d(
                two, config.num_transforms + 1 + config.first_frame + config.makes_new, 1
            ),
            std=0.02,
        )
        self.synthesis = doubling(two, 3) if config.makes_new else None

    def calibrate(self, clip: Clip) -> None:
        """Find from experience how actions move the robot."""
        self.robot.calibrate(clip)

    def observe(self, clip: Clip) -> Carry:
        """See all frames but the newest, from which imagining goes on.

        One frame is enough, two show what moves.
        """
        height, width = self.config.frame_size
        first = clip.frames[:, 0]
        memories = tuple(
            cell.blank(first, (height // side_px, width // side_px))
            for cell, side_px in ((self.cell_in, 4), (self.cell_deep, 8), (self.cell_out, 4))
        )
        carry = Carry(memories, clip.states[:, 0], clip.frames[:, -1], first, first)  # type: ignore[arg-type]
        for step, action in enumerate(clip.actions.unbind(1)):
            carry, _, _ = self._remember(carry, action)
            carry = replace(
                carry,
                state=clip.states[:, step + 1],
                earlier=carry.now,
                now=clip.frames[:, step + 1],
            )
        return carry

    def imagine(
        self,
        carry: Carry,
        actions: Float[Tensor, "n t a"],
        pixel_maps: Float[Tensor, "n p map_h map_w"],
        decode: bool = False,
    ) -> Prediction:
        """Compose frame after frame, and move the pixel maps likewise (see `interfaces.Predictor`)."""
        return self._roll(carry, actions, pixel_maps, decode)[0]

    def training_rollout(
        self,
        clip: Clip,
        pixel_maps: Float[Tensor, "b p map_h map_w"],
        rng: torch.Generator,
        progress: float,
    ) -> tuple[Prediction, Float[Tensor, ""]]:
        """Imagine as ever; the extra loss is the flows' total variation (see `interfaces.TrainingRoller`)."""
        carry = self.observe(beginning(clip, self.context))
        prediction, motions = self._roll(
            carry, clip.actions[:, self.context - 1 :], pixel_maps, decode=True
        )
        varied = [
            _total_variation(motion.flows) for motion in motions if isinstance(motion, Motion)
        ]
        extra = torch.stack(varied).mean() if varied else clip.frames.new_zeros(())
        return prediction, self.config.smoothness * extra

    def _roll(
        self,
        carry: Carry,
        actions: Float[Tensor, "n t a"],
        pixel_maps: Float[Tensor, "n p map_h map_w"],
        decode: bool,
    ) -> tuple[Prediction, list[AnyMotion]]:
        """Imagine, and return the motions, too."""
        count, size = len(actions), self.config.frame_size
        map_size = (pixel_maps.shape[-2], pixel_maps.shape[-1])
        carry = _widened(carry, count)
        earlier = (
            carry.maps[0]
            if carry.maps and torch.equal(carry.maps[1], pixel_maps)
            else pixel_maps
        )
        frames, maps, lost, motions = [], [], [], []
        for action in actions.unbind(1):
            carry, motion = self._step(carry, action)
            moved, gone = move_maps(resize_motion(motion, map_size), pixel_maps, size, earlier)
            earlier, pixel_maps = pixel_maps, moved
            frames.append(carry.now)
            maps.append(pixel_maps)
            lost.append(gone)
            motions.append(motion)
        imagined = torch.stack(frames, 1) if decode else carry.now.new_zeros(count, 0, 3, *size)
        carry = replace(carry, maps=(earlier, pixel_maps))
        return Prediction(imagined, torch.stack(maps, 1), torch.stack(lost, 1), carry), motions

    def motions(self, carry: Carry, actions: Float[Tensor, "n t a"]) -> tuple[AnyMotion, ...]:
        """Return the motion of each step, on the grid of the widest features (see `interfaces.MotionPredictor`)."""
        carry = _widened(carry, len(actions))
        found = []
        for action in actions.unbind(1):
            carry, motion = self._step(carry, action)
            found.append(motion)
        return tuple(found)

    def _step(self, carry: Carry, action: Float[Tensor, "n a"]) -> tuple[Carry, AnyMotion]:
        """Read the motion of one action off what is remembered, and compose the next frame."""
        carry, deep, wide = self._remember(carry, action)
        motion = self.read(deep, wide, self._masks(wide))
        new = (
            torch.zeros_like(carry.now)
            if self.synthesis is None
            else self.synthesis(wide).sigmoid()
        )
        now = move_frames(
            resize_motion(motion, self.config.frame_size),
            carry.first,
            carry.now,
            new,
            carry.earlier,
        )
        return replace(
            carry, state=self.robot(carry.state, action), earlier=carry.now, now=now
        ), motion

    def _remember(
        self, carry: Carry, action: Float[Tensor, "b a"]
    ) -> tuple[Carry, Float[Tensor, "b z2 h2 w2"], Float[Tensor, "b z1 hw ww"]]:
        """See the frame now and the action.

        Return what the cells remember, and the deepest and the widest features.
        """
        fine = functional.relu(self.stem(carry.now))
        memory_in = self.cell_in(functional.relu(self.down(fine)), carry.memories[0])
        middle = memory_in.chunk(2, 1)[0]
        coarse = functional.relu(self.deeper(middle))
        command = tile(
            self.robot.command(carry.state, action), (coarse.shape[-2], coarse.shape[-1])
        )
        memory_deep = self.cell_deep(torch.cat([coarse, command], 1), carry.memories[1])
        deep = memory_deep.chunk(2, 1)[0]
        memory_out = self.cell_out(
            torch.cat([functional.relu(self.up(deep)), middle], 1), carry.memories[2]
        )
        wide = torch.cat([functional.relu(self.higher(memory_out.chunk(2, 1)[0])), fine], 1)
        return (
            replace(carry, memories=(memory_in, memory_deep, memory_out)),
            deep,
            functional.relu(self.fuse(wide)),
        )

    def _masks(self, wide: Float[Tensor, "n z h w"]) -> Float[Tensor, "n m h w"]:
        """Return how much of each source each place takes (eq. 4).

        First frame, now, transforms, new; 0 for what is none.
        """
        logits = self.masks(wide)
        # at first, most is taken from where nothing moves
        logits = torch.cat([logits[:, :1] + 2.0, logits[:, 1:]], 1)
        missing = (not self.config.first_frame, not self.config.makes_new)
        return functional.pad(logits.softmax(1), (0, 0, 0, 0, *map(int, missing)))


def _widened(carry: Carry, count: int) -> Carry:
    """Give every candidate the carry."""
    memories = tuple(widen(memory, count) for memory in carry.memories)
    frames = (widen(frame, count) for frame in (carry.first, carry.earlier, carry.now))
    return Carry(memories, widen(carry.state, count), *frames, maps=carry.maps)  # type: ignore[arg-type, misc]


def _total_variation(flows: Float[Tensor, "n k 2 h w"]) -> Float[Tensor, ""]:
    """Return the mean difference of neighbours."""
    return flows.diff(dim=-1).abs().mean() + flows.diff(dim=-2).abs().mean()
