"""What the classic family alone promises: where pixels may come from, and how a network begins."""

from typing import Any

import pytest
import torch
from torch import nn

from tests.fakes.clips import clip_of
from visual_foresight.predictors.advection.model import (
    CDNAConfig,
    DNAConfig,
    ForesightConfig,
    NeuralAdvection,
    SNAConfig,
    STPConfig,
)
from visual_foresight.predictors.advection.readout import LocalKernels, Shape
from visual_foresight.predictors.layers.warping import KernelMotion
from visual_foresight.types import UserError

SIZE = (16, 24)


def masks_of(config: CDNAConfig) -> torch.Tensor:
    """Return the masks of a new network's first step."""
    torch.manual_seed(0)
    model = NeuralAdvection(config).requires_grad_(False)
    seen = clip_of(torch.rand(2, 3, *SIZE))
    (motion,) = model.motions(model.observe(seen), torch.zeros(2, 1, 2))
    return motion.masks


def test_only_the_skip_connection_brings_back_the_first_frame() -> None:
    without_it = masks_of(CDNAConfig(SIZE, channels=8))
    with_it = masks_of(SNAConfig(SIZE, channels=8))
    # first frame, current frame, six transforms, new pixels
    assert without_it.shape == with_it.shape == (2, 9, 8, 12)
    assert (without_it[:, 0] == 0).all()
    assert (with_it[:, 0] > 0).all()
    for masks in (without_it, with_it):
        torch.testing.assert_close(masks.sum(1), torch.ones(2, 8, 12))


def test_the_planners_of_2018_had_ten_masks_and_made_nothing_new() -> None:
    masks = masks_of(ForesightConfig(SIZE, channels=8))
    assert masks.shape == (2, 11, 8, 12)  # first, current, eight flows, new
    assert (masks[:, :-1] > 0).all()
    assert (masks[:, -1] == 0).all()


def test_its_last_flows_read_the_frame_before() -> None:
    """The first half of the flows reads the current frame, the second half the one before."""
    torch.manual_seed(0)
    model: Any = NeuralAdvection(ForesightConfig(SIZE, channels=8)).requires_grad_(False)
    nn.init.zeros_(model.read.weights.weight)
    nn.init.zeros_(model.read.weights.bias)
    frames = torch.rand(1, 2, 3, *SIZE)
    seen = clip_of(frames)
    for flow, expected in (
        (0, frames[:, 1]),
        (3, frames[:, 1]),
        (4, frames[:, 0]),
        (7, frames[:, 0]),
    ):
        nn.init.zeros_(model.masks.weight)
        nn.init.zeros_(model.masks.bias)
        model.masks.bias[2 + flow] = 50.0
        imagined = model.imagine(model.observe(seen), torch.zeros(1, 1, 2), decode=True)
        torch.testing.assert_close(imagined.frames[:, 0], expected)


def test_what_varies_between_neighbours_costs_and_the_same_everywhere_costs_nothing() -> None:
    torch.manual_seed(0)
    model: Any = NeuralAdvection(ForesightConfig(SIZE, channels=8, smoothness=0.5))
    model.requires_grad_(False)
    seen = clip_of(torch.rand(3, 3, *SIZE))
    places = torch.zeros(1, 0, 2)
    assert model.training_rollout(seen, places, torch.Generator(), 0.5)[1] > 0
    nn.init.zeros_(model.read.weights.weight)
    nn.init.constant_(model.read.weights.bias, 3.0)
    assert model.training_rollout(seen, places, torch.Generator(), 0.5)[1] == 0


def test_kernels_are_positive_have_sum_one_and_begin_without_motion() -> None:
    torch.manual_seed(0)
    shape = Shape(SIZE, 4, 4, num_transforms=3, kernel_size=5, spacing_px=1, num_earlier=0)
    reader: Any = LocalKernels(shape).requires_grad_(False)
    features = (torch.zeros(2, 4), torch.randn(2, 4, 8, 12), torch.ones(2, 5, 8, 12) / 5)

    def kernels() -> torch.Tensor:
        motion = reader(*features)
        assert isinstance(motion, KernelMotion)
        return motion.kernels

    nn.init.normal_(reader.weights.weight)
    assert (kernels() > 0).all()
    torch.testing.assert_close(kernels().sum((2, 3)), torch.ones(2, 3, 8, 12))
    nn.init.zeros_(reader.weights.weight)
    torch.testing.assert_close(kernels()[:, :, 2, 2], torch.ones(2, 3, 8, 12))


@pytest.mark.parametrize(
    "config", [DNAConfig, CDNAConfig, STPConfig, SNAConfig, ForesightConfig]
)
def test_a_new_network_hardly_moves_anything(config: type[CDNAConfig]) -> None:
    torch.manual_seed(0)
    model = NeuralAdvection(config(SIZE, channels=8)).requires_grad_(False)
    seen = clip_of(torch.rand(1, 3, *SIZE).expand(2, 3, *SIZE))
    middle_of_a_cell = torch.tensor([[[6.5, 10.5]]])
    carry = model.designate(model.observe(seen), middle_of_a_cell)
    prediction = model.imagine(carry, torch.zeros(1, 1, 2), decode=True)
    assert prediction.pixel_maps[0, 0, 0, 3, 5] > 0.5
    assert (prediction.frames[0, 0] - seen.frames[0, -1]).abs().mean() < 0.15


def test_kernels_cannot_read_the_frame_before() -> None:
    with pytest.raises(UserError, match="flows alone read the frame before, not cdna"):
        NeuralAdvection(CDNAConfig(SIZE, num_earlier=2))


def test_a_frame_of_another_size_than_it_can_halve_is_refused() -> None:
    with pytest.raises(UserError, match="multiples of 8 are needed, got 16x20"):
        NeuralAdvection(CDNAConfig((16, 20)))
