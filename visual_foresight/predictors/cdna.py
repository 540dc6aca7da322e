"""The classic family: a convolutional LSTM that moves pixels by learned kernels or affine maps (DNA, CDNA, STP, SNA).

Finn, Goodfellow, Levine, "Unsupervised Learning for Physical Interaction through Video Prediction", 2016; SNA adds the first
frame as a source of pixels (Ebert et al. 2017). The frame that was imagined is what the network sees next, so that, unlike
`flow`, it composes every frame, asked for or not. Scaled to 64x64 on a CPU: three cells of 16, 32 and 16 channels with 3x3
convolutions for seven of 32 to 128 with 5x5, 6 transforms for 10, masks and DNA's kernels at half resolution, no layer
normalisation; kernels reach 4 pixels for 2, since the arm moves up to 4 pixels a step. It learns from its own imagination, as
all do here, not by scheduled sampling.
"""

from dataclasses import dataclass, replace

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from visual_foresight.predictors.blocks import ConvLSTM, Robot, doubling, normal_, tile, widen
from visual_foresight.predictors.motion import (
    AnyMotion,
    KernelMotion,
    Motion,
    affine_flows,
    move_frames,
    move_maps,
    resize_motion,
)
from visual_foresight.types import Clip, Prediction, UserError

COARSEST_PX = 8  # the deepest cell's grid: one place for 8x8 pixels
LEAST_TAP = 1e-12  # of a kernel before it is normalised, as in the authors' code


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
    """dna, cdna or stp."""
    num_transforms: int = 6
    kernel_size: int = 9
    """Taps per side of a kernel, an odd number (stp has none)."""
    spacing_px: int = 1
    """Pixels from tap to tap."""
    first_frame: bool = False
    """Whether the newest context frame stays a source of pixels. In SNA it replaces the frame now, here it joins it."""


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
class Carry:
    """What is remembered between imagined steps; b is 1 or the number of candidates."""

    memories: tuple[Float[Tensor, "b z1 h1 w1"], Float[Tensor, "b z2 h2 w2"], Float[Tensor, "b z1 h1 w1"]]
    state: Float[Tensor, "b s"]
    first: Float[Tensor, "b c h w"]
    now: Float[Tensor, "b c h w"]


class NeuralAdvection(nn.Module):
    """p(o_{t+1} | o_{1:t}, s_t, a_t) by moving pixels; the configuration says how."""

    context = 2

    def __init__(self, config: CDNAConfig) -> None:
        super().__init__()
        if any(side % COARSEST_PX for side in config.frame_size):
            raise UserError(
                f"frames with sides of a multiple of {COARSEST_PX} pixels are needed, got {config.frame_size}"
            )
        if config.transform not in READERS or config.kernel_size % 2 == 0:
            raise UserError(
                f"a transform out of {', '.join(READERS)} and an odd kernel size are needed, "
                f"got {config.transform!r} and {config.kernel_size}"
            )
        self.config = config
        self.robot = Robot(config.action_size, config.state_size)
        one, two, four = (factor * config.channels for factor in (1, 2, 4))
        self.enter = nn.Conv2d(3, one, 5, stride=2, padding=2)
        self.down = nn.Conv2d(one, two, 3, stride=2, padding=1)
        self.cell_in = ConvLSTM(two, two)
        self.deeper = nn.Conv2d(two, four, 3, stride=2, padding=1)
        self.cell_deep = ConvLSTM(four + config.action_size + config.state_size, four)
        self.up = doubling(four, two)
        self.cell_out = ConvLSTM(2 * two, two)
        self.higher = doubling(two, one)
        self.fuse = nn.Conv2d(two, two, 3, padding=1)
        self.read = READERS[config.transform](config)
        self.masks = normal_(nn.Conv2d(two, config.num_transforms + 2 + config.first_frame, 1), std=0.02)
        self.synthesis = doubling(two, 3)

    def calibrate(self, clip: Clip) -> None:
        """Find from experience how actions move the robot."""
        self.robot.calibrate(clip)

    def observe(self, clip: Clip) -> Carry:
        """See all frames but the newest, from which imagining goes on; one frame is enough, two show what moves."""
        height, width = self.config.frame_size
        first = clip.frames[:, 0]
        memories = tuple(
            cell.blank(first, (height // side_px, width // side_px))
            for cell, side_px in ((self.cell_in, 4), (self.cell_deep, 8), (self.cell_out, 4))
        )
        carry = Carry(memories, clip.states[:, 0], clip.frames[:, -1], first)  # type: ignore[arg-type]
        for step, action in enumerate(clip.actions.unbind(1)):
            carry, _, _ = self._remember(carry, action)
            carry = replace(carry, state=clip.states[:, step + 1], now=clip.frames[:, step + 1])
        return carry

    def imagine(
        self,
        carry: Carry,
        actions: Float[Tensor, "n t a"],
        pixel_maps: Float[Tensor, "n p map_h map_w"],
        decode: bool = False,
    ) -> Prediction:
        """Compose frame after frame, and move the pixel maps likewise (see `interfaces.Predictor`)."""
        count, size = len(actions), self.config.frame_size
        map_size = (pixel_maps.shape[-2], pixel_maps.shape[-1])
        carry = _widened(carry, count)
        frames, maps, lost = [], [], []
        for action in actions.unbind(1):
            carry, motion = self._step(carry, action)
            pixel_maps, gone = move_maps(resize_motion(motion, map_size), pixel_maps, size)
            frames.append(carry.now)
            maps.append(pixel_maps)
            lost.append(gone)
        imagined = torch.stack(frames, 1) if decode else carry.now.new_zeros(count, 0, 3, *size)
        return Prediction(imagined, torch.stack(maps, 1), torch.stack(lost, 1), carry)

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
        new = self.synthesis(wide).sigmoid()
        now = move_frames(resize_motion(motion, self.config.frame_size), carry.first, carry.now, new)
        return replace(carry, state=self.robot(carry.state, action), now=now), motion

    def _remember(
        self, carry: Carry, action: Float[Tensor, "b a"]
    ) -> tuple[Carry, Float[Tensor, "b z2 h2 w2"], Float[Tensor, "b z1 hw ww"]]:
        """See the frame now and the action; return what the cells remember, and the deepest and the widest features."""
        fine = functional.relu(self.enter(carry.now))
        memory_in = self.cell_in(functional.relu(self.down(fine)), carry.memories[0])
        middle = memory_in.chunk(2, 1)[0]
        coarse = functional.relu(self.deeper(middle))
        command = tile(self.robot.command(carry.state, action), (coarse.shape[-2], coarse.shape[-1]))
        memory_deep = self.cell_deep(torch.cat([coarse, command], 1), carry.memories[1])
        deep = memory_deep.chunk(2, 1)[0]
        memory_out = self.cell_out(torch.cat([functional.relu(self.up(deep)), middle], 1), carry.memories[2])
        wide = torch.cat([functional.relu(self.higher(memory_out.chunk(2, 1)[0])), fine], 1)
        return replace(carry, memories=(memory_in, memory_deep, memory_out)), deep, functional.relu(self.fuse(wide))

    def _masks(self, wide: Float[Tensor, "n z h w"]) -> Float[Tensor, "n m h w"]:
        """Return how much of each source each place takes (eq. 4): first frame (0 if it is none), now, transforms, new."""
        logits = self.masks(wide)
        logits = torch.cat([logits[:, :1] + 2.0, logits[:, 1:]], 1)  # at first, most is taken from where nothing moves
        num_missing = 0 if self.config.first_frame else 1
        return functional.pad(logits.softmax(1), (0, 0, 0, 0, num_missing, 0))


def _widened(carry: Carry, count: int) -> Carry:
    """Give every candidate the carry."""
    return Carry(
        tuple(widen(memory, count) for memory in carry.memories),  # type: ignore[arg-type]
        *(widen(part, count) for part in (carry.state, carry.first, carry.now)),
    )


class SharedKernels(nn.Module):
    """CDNA: kernels for all places, read off the whole of the deepest features (eq. 2)."""

    def __init__(self, config: CDNAConfig) -> None:
        super().__init__()
        self.config = config
        self.weights = normal_(nn.Linear(_num_deep(config), config.num_transforms * config.kernel_size**2), std=1e-3)

    def forward(self, deep: Tensor, wide: Tensor, masks: Float[Tensor, "n m h w"]) -> AnyMotion:
        """Return the motion of these features."""
        return _by_kernels(self.weights(deep.flatten(1))[:, :, None, None], masks, self.config)


class LocalKernels(nn.Module):
    """DNA: kernels for each place, read off the widest features there (eq. 1)."""

    def __init__(self, config: CDNAConfig) -> None:
        super().__init__()
        self.config = config
        num_taps = config.num_transforms * config.kernel_size**2
        self.weights = normal_(nn.Conv2d(2 * config.channels, num_taps, 1), std=0.02)

    def forward(self, deep: Tensor, wide: Tensor, masks: Float[Tensor, "n m h w"]) -> AnyMotion:
        """Return the motion of these features."""
        return _by_kernels(self.weights(wide), masks, self.config)


class AffineMaps(nn.Module):
    """STP: affine maps of the frame, read off the whole of the deepest features (eq. 3)."""

    def __init__(self, config: CDNAConfig) -> None:
        super().__init__()
        self.config = config
        self.matrices = normal_(nn.Linear(_num_deep(config), config.num_transforms * 6), std=1e-3)

    def forward(self, deep: Tensor, wide: Tensor, masks: Float[Tensor, "n m h w"]) -> AnyMotion:
        """Return the motion of these features: the identity, and what is read."""
        read = self.matrices(deep.flatten(1)).float()
        matrices = rearrange(read, "n (k two three) -> n k two three", two=2, three=3)
        matrices = matrices + torch.eye(2, 3).to(matrices)
        size = (masks.shape[-2], masks.shape[-1])
        return Motion(affine_flows(matrices, size, self.config.frame_size), masks)


READERS: dict[str, type[nn.Module]] = {"dna": LocalKernels, "cdna": SharedKernels, "stp": AffineMaps}


def _num_deep(config: CDNAConfig) -> int:
    height, width = config.frame_size
    return 4 * config.channels * (height // COARSEST_PX) * (width // COARSEST_PX)


def _by_kernels(raw: Float[Tensor, "n kuv y x"], masks: Float[Tensor, "n m h w"], config: CDNAConfig) -> KernelMotion:
    size = config.kernel_size
    raw = rearrange(raw.float(), "n (k u v) y x -> n k u v y x", u=size, v=size)
    return KernelMotion(_normalised(raw), masks, config.spacing_px)


def _normalised(raw: Float[Tensor, "n k u v y x"]) -> Float[Tensor, "n k u v y x"]:
    """Make kernels of numbers, 0 standing for no motion (as in SAVP, Lee et al. 2018): positive, each with sum 1."""
    size = raw.shape[2]
    still = torch.zeros(size, size, 1, 1).to(raw)
    still[size // 2, size // 2] = 1
    positive = functional.relu(raw + still - LEAST_TAP) + LEAST_TAP
    return positive / positive.sum((2, 3), keepdim=True)
