"""The classic family: a convolutional LSTM that moves pixels by kernels, affine maps or flows.

How motion is read off its features is in `readout`. DNA, CDNA, STP: Finn, Goodfellow, Levine,
"Unsupervised Learning for Physical Interaction through Video Prediction", 2016. SNA adds the
first frame as a source of pixels (Ebert et al. 2017). `foresight` is what the robots of Visual
Foresight (Ebert et al. 2018) planned with: SAVP (Lee et al. 2018) without its latent variable;
its flows read the last two frames, and no pixel is newly made; unlike there, masks do not see
what the flows bring. The network sees the frame that it imagined last, so that, unlike `flow`,
all of the family compose every frame, asked for or not.

Scaled to 64x64 on a CPU: three cells of 16, 32 and 16 channels with 3x3 convolutions for seven of
32 to 128 with 5x5, 6 transforms for 10, masks and DNA's kernels at half resolution, no layer
normalisation; kernels reach 4 pixels for 2, since the arm moves up to 4 pixels a step. They are
trained on free-running rollouts, as all models here, not by scheduled sampling.
"""

from dataclasses import dataclass, field, replace

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
from visual_foresight.predictors.models import COARSEST_PX, Model, Recipe, require_multiples
from visual_foresight.predictors.rollouts import beginning
from visual_foresight.types import Clip, Prediction, UserError
from visual_foresight.vision.pixel_maps import first_maps, map_size_of, places_of


@dataclass(frozen=True)
class CDNAConfig:
    """Convolutional dynamic neural advection: a few kernels, each for all places."""

    frame_size: tuple[int, int] = (64, 64)
    """Height and width in pixels; the network sees them padded to multiples of 8."""
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
    """Whether the newest context frame stays a source of pixels. In SNA it replaces the current
    frame, here it joins it."""
    num_earlier: int = 0
    """How many of the transforms (flows only) read the frame before the current one."""
    makes_new: bool = True
    """Whether newly made pixels are a source."""
    smoothness: float = 0.0
    """Weight of the auxiliary loss, the flows' total variation: mean difference of neighbours, in
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
    num_earlier: int = field(default=4, metadata={"least": 0})
    makes_new: bool = False
    smoothness: float = 1e-3


Memories = tuple[
    Float[Tensor, "b z1 h1 w1"], Float[Tensor, "b z2 h2 w2"], Float[Tensor, "b z1 h1 w1"]
]
"""Of the cells: the first, the deepest and the last one."""


@dataclass(frozen=True)
class Carry:
    """What is remembered between imagined steps; b is 1 or the number of candidates."""

    memories: Memories
    state: Float[Tensor, "b s"]
    first: Float[Tensor, "b c h w"]
    """The newest context frame."""
    previous: Float[Tensor, "b c h w"]
    """The frame before the current one."""
    current: Float[Tensor, "b c h w"]
    """The newest frame, seen or imagined."""
    maps: Float[Tensor, "_b p map_h map_w"]
    """The pixel maps of the current frame; one set for all scenes, or one for each."""
    previous_maps: Float[Tensor, "_b p map_h map_w"]
    """Those of the frame before: the same until a step was imagined."""


class NeuralAdvection(nn.Module):
    """p(o_{t+1} | o_{1:t}, s_t, a_t) by moving pixels; the configuration says how."""

    context = 2

    def __init__(self, config: CDNAConfig) -> None:
        super().__init__()
        require_multiples(config.frame_size)
        if config.num_earlier and config.transform != "flow":
            raise UserError(
                f"flows alone read the frame before, not {config.transform}: set num_earlier to 0"
            )
        if config.transform not in READERS or config.kernel_size % 2 == 0:
            raise UserError(
                f"a transform out of {', '.join(READERS)} and an odd kernel size are needed, "
                f"got {config.transform!r} and {config.kernel_size}: choose others"
            )
        self.config = config
        self.robot = RobotDynamics(config.action_size, config.state_size)
        one = config.channels
        two = 2 * config.channels
        four = 4 * config.channels
        self.stem = nn.Conv2d(3, one, 5, stride=2, padding=2)
        self.down = nn.Conv2d(one, two, 3, stride=2, padding=1)
        self.cell_in = ConvLSTM(two, two)
        self.deeper = nn.Conv2d(two, four, 3, stride=2, padding=1)
        self.cell_deep = ConvLSTM(four + config.action_size + config.state_size, four)
        self.up = doubling(four, two)
        self.cell_out = ConvLSTM(2 * two, two)
        self.higher = doubling(two, one)
        self.fuse = nn.Conv2d(two, two, 3, padding=1)
        height, width = config.frame_size
        shape = Shape(
            frame_size=config.frame_size,
            num_deep=four * (height // COARSEST_PX) * (width // COARSEST_PX),
            num_wide=two,
            num_transforms=config.num_transforms,
            kernel_size=config.kernel_size,
            spacing_px=config.spacing_px,
            num_earlier=config.num_earlier,
        )
        self.read = READERS[config.transform](shape)
        num_masks = config.num_transforms + 1 + config.first_frame + config.makes_new
        self.masks = normal_(nn.Conv2d(two, num_masks, 1), std=0.02)
        self.synthesis = doubling(two, 3) if config.makes_new else None

    def calibrate(self, clip: Clip) -> None:
        """Estimate how actions move the robot."""
        self.robot.calibrate(clip)

    def observe(self, clip: Clip) -> Carry:
        """Run the network over the frames; imagining goes on from the newest one.

        One frame is enough; two show what moves.
        """
        first = clip.frames[:, 0]
        memories = (
            self._blank(self.cell_in, first, 4),
            self._blank(self.cell_deep, first, 8),
            self._blank(self.cell_out, first, 4),
        )
        no_maps = first_maps(places_of(()), self.config.frame_size).to(first)[None]
        carry = Carry(
            memories,
            state=clip.states[:, 0],
            first=clip.frames[:, -1],
            previous=first,
            current=first,
            maps=no_maps,
            previous_maps=no_maps,
        )
        for step, action in enumerate(clip.actions.unbind(1)):
            memories, _, _ = self._features(carry, action)
            carry = replace(
                carry,
                memories=memories,
                state=clip.states[:, step + 1],
                previous=carry.current,
                current=clip.frames[:, step + 1],
            )
        return carry

    def _blank(
        self, cell: ConvLSTM, like: Float[Tensor, "b c h w"], side_px: int
    ) -> Float[Tensor, "b z _h _w"]:
        """Return an empty memory of a cell whose places are squares of so many pixels a side."""
        height, width = self.config.frame_size
        return cell.blank(like, (height // side_px, width // side_px))

    def designate(self, carry: Carry, pixels: Float[Tensor, "b p 2"]) -> Carry:
        """Follow these pixels, which were there in the frame before, too.

        See `interfaces.Predictor`.
        """
        maps = first_maps(pixels, self.config.frame_size).to(carry.current)
        return replace(carry, maps=maps, previous_maps=maps)

    def imagine(
        self, carry: Carry, actions: Float[Tensor, "n t a"], decode: bool = False
    ) -> Prediction:
        """Compose frame after frame, and move the pixel maps likewise.

        See `interfaces.Predictor`.
        """
        prediction, _ = self._roll(carry, actions, decode)
        return prediction

    def training_rollout(
        self,
        clip: Clip,
        places: Float[Tensor, "b p 2"],
        rng: torch.Generator,
        progress: float,
    ) -> tuple[Prediction, Float[Tensor, ""]]:
        """Imagine freely; the auxiliary loss is the flows' total variation.

        See `interfaces.CustomTrainingRollout`.
        """
        carry = self.designate(self.observe(beginning(clip, self.context)), places)
        actions = clip.actions[:, self.context - 1 :]
        prediction, motions = self._roll(carry, actions, decode=True)
        flows = [motion.flows for motion in motions if isinstance(motion, Motion)]
        if flows:
            variation = torch.stack([_total_variation(each) for each in flows]).mean()
        else:
            variation = clip.frames.new_zeros(())
        return prediction, self.config.smoothness * variation

    def _roll(
        self, carry: Carry, actions: Float[Tensor, "n t a"], decode: bool
    ) -> tuple[Prediction, list[AnyMotion]]:
        """Imagine, and return the motions, too."""
        count = len(actions)
        size = self.config.frame_size
        map_size = map_size_of(size)
        carry = _widened(carry, count)
        frames, maps, lost, motions = [], [], [], []
        for action in actions.unbind(1):
            carry, motion = self._step(carry, action)
            moved, lost_mass = move_maps(
                resize_motion(motion, map_size), carry.maps, size, carry.previous_maps
            )
            carry = replace(carry, maps=moved, previous_maps=carry.maps)
            frames.append(carry.current)
            maps.append(moved)
            lost.append(lost_mass)
            motions.append(motion)
        prediction = Prediction(
            frames=torch.stack(frames, 1)
            if decode
            else carry.current.new_zeros(count, 0, 3, *size),
            pixel_maps=torch.stack(maps, 1),
            lost=torch.stack(lost, 1),
            carry=carry,
            frame_size=size,
        )
        return prediction, motions

    def motions(self, carry: Carry, actions: Float[Tensor, "n t a"]) -> tuple[AnyMotion, ...]:
        """Return the motion of each step, on the grid of the widest features.

        See `interfaces.MotionPredictor`.
        """
        carry = _widened(carry, len(actions))
        motions = []
        for action in actions.unbind(1):
            carry, motion = self._step(carry, action)
            motions.append(motion)
        return tuple(motions)

    def _step(self, carry: Carry, action: Float[Tensor, "n a"]) -> tuple[Carry, AnyMotion]:
        """Read the motion of one action off the features, and compose the next frame.

        The pixel maps stay as they were.
        """
        memories, deep, wide = self._features(carry, action)
        motion = self.read(deep, wide, self._masks(wide))
        if self.synthesis is None:
            new = torch.zeros_like(carry.current)
        else:
            new = self.synthesis(wide).sigmoid()
        frame = move_frames(
            resize_motion(motion, self.config.frame_size),
            carry.first,
            carry.current,
            new,
            carry.previous,
        )
        after = replace(
            carry,
            memories=memories,
            state=self.robot(carry.state, action),
            previous=carry.current,
            current=frame,
        )
        return after, motion

    def _features(
        self, carry: Carry, action: Float[Tensor, "b a"]
    ) -> tuple[Memories, Float[Tensor, "b deep hd wd"], Float[Tensor, "b wide hw ww"]]:
        """Run the network on the current frame and the action.

        Return what the cells remember now, and the deepest and the widest features.
        """
        cell_in, cell_deep, cell_out = carry.memories
        fine = functional.relu(self.stem(carry.current))
        cell_in = self.cell_in(functional.relu(self.down(fine)), cell_in)
        middle = cell_in.chunk(2, 1)[0]
        coarse = functional.relu(self.deeper(middle))
        command = tile(
            self.robot.command(carry.state, action), (coarse.shape[-2], coarse.shape[-1])
        )
        cell_deep = self.cell_deep(torch.cat([coarse, command], 1), cell_deep)
        deep = cell_deep.chunk(2, 1)[0]
        up = functional.relu(self.up(deep))
        cell_out = self.cell_out(torch.cat([up, middle], 1), cell_out)
        higher = functional.relu(self.higher(cell_out.chunk(2, 1)[0]))
        wide = functional.relu(self.fuse(torch.cat([higher, fine], 1)))
        return (cell_in, cell_deep, cell_out), deep, wide

    def _masks(self, wide: Float[Tensor, "n z h w"]) -> Float[Tensor, "n m h w"]:
        """Return how much of each source each place takes (eq. 4).

        The sources are the first frame, the current one, the transforms, and new pixels; those
        that the configuration does not have get 0.
        """
        logits = self.masks(wide)
        # A new network takes most from the first source, which does not move.
        logits = torch.cat([logits[:, :1] + 2.0, logits[:, 1:]], 1)
        before = int(not self.config.first_frame)
        after = int(not self.config.makes_new)
        return functional.pad(logits.softmax(1), (0, 0, 0, 0, before, after))


def _widened(carry: Carry, count: int) -> Carry:
    """Give every candidate the carry."""
    cell_in, cell_deep, cell_out = carry.memories
    return Carry(
        memories=(widen(cell_in, count), widen(cell_deep, count), widen(cell_out, count)),
        state=widen(carry.state, count),
        first=widen(carry.first, count),
        previous=widen(carry.previous, count),
        current=widen(carry.current, count),
        maps=widen(carry.maps, count),
        previous_maps=widen(carry.previous_maps, count),
    )


def _total_variation(flows: Float[Tensor, "n k 2 h w"]) -> Float[Tensor, ""]:
    """Return the mean absolute difference of neighbours, summed over both axes."""
    return flows.diff(dim=-1).abs().mean() + flows.diff(dim=-2).abs().mean()


PUBLISHED = Recipe(single=0.65)
"""With which the family was compared (`scripts/compare_family`)."""
DNA = Model(NeuralAdvection, DNAConfig, PUBLISHED, multiple=COARSEST_PX)
CDNA = Model(NeuralAdvection, CDNAConfig, PUBLISHED, multiple=COARSEST_PX)
STP = Model(NeuralAdvection, STPConfig, PUBLISHED, multiple=COARSEST_PX)
SNA = Model(NeuralAdvection, SNAConfig, PUBLISHED, multiple=COARSEST_PX)
FORESIGHT = Model(NeuralAdvection, ForesightConfig, PUBLISHED, multiple=COARSEST_PX)
