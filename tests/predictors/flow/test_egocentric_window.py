"""The window shows the same whatever the place and the direction of the fingertip's step."""

import math

import pytest
import torch
from torch import Tensor

from visual_foresight.predictors.flow.egocentric_window import CELLS, EgocentricWindow
from visual_foresight.predictors.layers.point_maps import Points
from visual_foresight.predictors.layers.warping import sample
from visual_foresight.vision.pixel_maps import grid

SIZE, SIDE = (64, 48), 32
PIXELS = grid(SIZE, SIZE).permute(2, 0, 1)
HERE = torch.tensor([[30.0, 20.0]])
ABOVE = torch.eye(3)  # a camera that sees the table's places as pixels
# places of about 0 to 1
ASKEW = torch.tensor([[50.0, 4.0, 2.0], [-3.0, 40.0, 3.0], [0.1, -0.05, 1.0]])


def between(here: Tensor, there: Tensor, mirrored: bool = False) -> EgocentricWindow:
    return EgocentricWindow.between(
        here, there, 1.0, ABOVE, torch.tensor([mirrored] * len(here))
    )


def seen(homography: Tensor, places: Tensor) -> Tensor:
    there = torch.cat([places, torch.ones_like(places[..., :1])], -1) @ homography.T
    return there[..., :2] / there[..., 2:]


def test_the_middle_of_the_window_is_the_middle_of_the_step_and_its_rows_follow_it() -> None:
    cells = between(HERE, HERE + torch.tensor([[0.0, 4.0]])).in_frame.cells()[0]
    torch.testing.assert_close(
        cells.mean((0, 1)), torch.tensor([30.0, 22.0]), atol=1e-2, rtol=0
    )
    ahead, aside = cells[-1, 0] - cells[0, 0], cells[0, -1] - cells[0, 0]
    # to the right, as it goes
    torch.testing.assert_close(ahead, torch.tensor([0.0, CELLS - 1.0]), atol=1e-2, rtol=0)
    torch.testing.assert_close(aside, torch.tensor([-(CELLS - 1.0), 0.0]), atol=1e-2, rtol=0)


def test_a_mirrored_window_has_its_columns_the_other_way() -> None:
    there = HERE + torch.tensor([[2.0, 3.0]])
    plain, mirrored = between(HERE, there), between(HERE, there, mirrored=True)
    for axes, other in (
        (plain.in_frame, mirrored.in_frame),
        (plain.on_table, mirrored.on_table),
    ):
        torch.testing.assert_close(other.cells(), axes.cells().flip(2))


def test_an_askew_camera_sees_the_window_where_its_cells_lie_on_the_table() -> None:
    here = torch.tensor([[0.4, 0.6]])
    window = EgocentricWindow.between(here, here + torch.tensor([[0.05, 0.08]]), 0.02, ASKEW)
    near = slice(CELLS // 2 - 3, CELLS // 2 + 3)
    shown = window.in_frame.cells()
    true = seen(ASKEW, window.on_table.cells())
    torch.testing.assert_close(shown[:, near, near], true[:, near, near], atol=0.03, rtol=0)
    torch.testing.assert_close(shown, true, atol=0.8, rtol=0)
    steps = window.on_table.cells().diff(dim=1).norm(dim=-1)
    # squares on the table, whatever the camera
    torch.testing.assert_close(steps, torch.full_like(steps, 0.02))


@pytest.mark.parametrize("degrees", [0, 37, 90, 181, 300])
def test_a_scene_that_is_turned_with_the_way_looks_the_same(degrees: float) -> None:
    """Brightness falls with the distance from a place ahead and to one side of the fingertip."""
    turn = math.radians(degrees)
    along = torch.tensor([math.cos(turn), math.sin(turn)])
    across = torch.tensor([-along[1], along[0]])
    lamp = HERE[0] + 5 * along + 3 * across
    foreground = (-(PIXELS - lamp[:, None, None]).square().sum(0) / 18).exp()[None, None]
    looked_at = sample(foreground, between(HERE, HERE + 3 * along).in_frame.cells(), SIZE)[0, 0]
    row, col = divmod(int(looked_at.argmax()), CELLS)
    middle = (CELLS - 1) / 2
    # five ahead of the start, three and a half ahead of the middle
    assert abs(row - middle - 3.5) < 1
    assert abs(col - middle - 3) < 1


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("way", [(4.0, 0.0), (0.0, -3.0), (2.0, 2.0)])
def test_what_goes_along_goes_where_the_fingertip_goes(
    way: tuple[float, float], mirrored: bool
) -> None:
    """A share of 1 everywhere moves what is near the fingertip by its own motion, and no more."""
    step = torch.tensor([way])
    length = float(step.norm())
    window = between(HERE, HERE + step, mirrored)
    flows = torch.zeros(1, 4, CELLS // 2, CELLS // 2)
    flows[:, 0], flows[:, 2] = length, -length  # forward along, backward against it
    fields = window.fields(flows, SIDE, SIZE)
    near, far = HERE + 1.3, torch.tensor([[60.0, 2.0]])
    moved = fields.displacements(torch.stack([near, far], 1))[0]
    torch.testing.assert_close(moved, torch.cat([step, torch.zeros(1, 2)]), atol=1e-2, rtol=0)
    origin = fields.warp(PIXELS[None])[0]
    torch.testing.assert_close(
        origin[:, 31, 21], torch.tensor([31.0, 21.0]) - step[0], atol=1e-2, rtol=0
    )
    torch.testing.assert_close(origin[:, 60, 2], torch.tensor([60.0, 2.0]), atol=0, rtol=0)


def test_what_goes_along_under_an_askew_camera_goes_along_on_the_table() -> None:
    here, way = torch.tensor([[0.4, 0.6]]), torch.tensor([[0.03, 0.04]])
    flows = torch.zeros(1, 4, CELLS // 2, CELLS // 2)
    flows[:, 0] = 0.05 / 0.02  # cells
    fields = EgocentricWindow.between(here, here + way, 0.02, ASKEW).fields(flows, SIDE, SIZE)
    begin, end = seen(ASKEW, here), seen(ASKEW, here + way)
    torch.testing.assert_close(
        fields.displacements(begin[:, None])[:, 0], end - begin, atol=0.05, rtol=0
    )


@pytest.mark.parametrize(("mirrored", "across"), [(False, 2.0), (True, -2.0)])
def test_across_is_a_quarter_turn_from_along(mirrored: bool, across: float) -> None:
    window = between(HERE, HERE + torch.tensor([[3.0, 0.0]]), mirrored)
    flows = torch.zeros(1, 4, CELLS // 2, CELLS // 2)
    flows[:, 1] = 2.0
    moved = window.fields(flows, SIDE, SIZE).displacements(HERE[None])[0, 0]
    torch.testing.assert_close(moved, torch.tensor([0.0, across]), atol=1e-2, rtol=0)


@pytest.mark.parametrize("corner", [(0.0, 0.0), (63.0, 47.0), (-40.0, 90.0)])
def test_at_the_border_the_flows_of_the_square_are_those_of_the_frame(
    corner: tuple[float, float],
) -> None:
    torch.manual_seed(0)
    here = torch.tensor([corner])
    fields = between(here, here + 2.5).fields(torch.randn(1, 4, 14, 14), SIDE, SIZE)
    points = Points(torch.rand(1, 50, 2) * torch.tensor(SIZE), torch.ones(1, 1, 50))
    on_the_frame = points.moved(fields.dense()[:, :2], SIZE)
    in_the_square = points.shifted(fields.displacements(points.places), SIZE)
    torch.testing.assert_close(in_the_square.places, on_the_frame.places)
    assert fields.dense().isfinite().all()
