"""Known answers for the metrics of pixel maps."""

import pytest
import torch

from visual_foresight.evaluation.prediction.map_metrics import coverage, position_error
from visual_foresight.types import Pixel
from visual_foresight.vision.pixel_maps import centres, splat

SIZE = (60, 80)
LEVELS = (0.5, 0.9)


def gaussian(sigma_px: float, grid: tuple[int, int] = (30, 40)) -> torch.Tensor:
    rows = (-0.5 * ((centres(grid[0], SIZE[0]) - 29.0) / sigma_px) ** 2).exp()
    cols = (-0.5 * ((centres(grid[1], SIZE[1]) - 41.0) / sigma_px) ** 2).exp()
    joint = rows[:, None] * cols
    return joint / joint.sum()


def drawn(sigma_px: float, count: int = 4000) -> torch.Tensor:
    rng = torch.Generator().manual_seed(1)
    return torch.tensor([29.0, 41.0]) + sigma_px * torch.randn(count, 2, generator=rng)


def covered(map_px: float, truth_px: float) -> list[float]:
    places = drawn(truth_px)
    maps = gaussian(map_px).expand(len(places), -1, -1)
    return coverage(maps, places, SIZE, LEVELS).mean(-1).tolist()


def test_the_error_of_a_coarse_map_is_in_frame_pixels() -> None:
    maps = splat((Pixel(5.2, 7.0), Pixel(10.0, 3.0)), (6, 7), (12, 28))
    places = torch.tensor([[5.2, 7.0], [7.0, 7.0]])
    assert position_error(maps, places, (12, 28)).tolist() == pytest.approx([0, 5], abs=1e-4)
    spread = torch.full((1, 6, 7), 1 / 42)  # expected in the middle: (5.5, 13.5)
    error = position_error(spread, torch.tensor([[5.5, 10.5]]), (12, 28))
    assert error.item() == pytest.approx(3, abs=1e-4)


def test_a_map_that_is_right_covers_the_truth_as_often_as_it_says() -> None:
    assert covered(5.0, 5.0) == pytest.approx(LEVELS, abs=0.02)


def test_an_overconfident_map_covers_less_and_an_underconfident_one_more() -> None:
    # Of a round Gaussian, the region of level q has the radius s sqrt(-2 ln(1 - q)): half the
    # spread holds 1 - (1 - q)^(1/4).
    assert covered(2.5, 5.0) == pytest.approx([1 - 0.5**0.25, 1 - 0.1**0.25], abs=0.03)
    assert covered(10.0, 5.0) == pytest.approx([1 - 0.5**4, 1 - 0.1**4], abs=0.03)


def test_coarse_cells_count_in_part_so_that_the_mean_is_exact() -> None:
    maps = torch.tensor([[0.6, 0.3], [0.1, 0.0]])
    places = torch.tensor([[0.0, 0.0], [0.0, 3.0], [3.0, 0.0], [3.0, 3.0]])
    found = coverage(maps.expand(4, -1, -1), places, (4, 4), LEVELS)
    # level 0.5: 5/6 of the first cell. Level 0.9: all of the first and the second.
    assert found[0].tolist() == pytest.approx([5 / 6, 0, 0, 0], abs=1e-5)
    assert found[1].tolist() == pytest.approx([1, 1, 0, 0], abs=1e-5)
    assert (found * maps.flatten()).sum(-1).tolist() == pytest.approx(LEVELS, abs=1e-5)


def test_a_flat_map_covers_every_place_alike() -> None:
    flat = torch.full((3, 1, 4, 4), 1 / 16)
    # also beyond the border
    places = torch.tensor([[[0.0, 0.0]], [[5.0, 1.0]], [[99.0, -3.0]]])
    assert coverage(flat, places, (8, 8), (0.25,)).tolist() == [[[pytest.approx(0.25)]] * 3]
