"""What the flagship sees of a step is the same wherever, and whichever way, the fingertip goes."""

import math

import pytest
import torch

from visual_foresight.pixel_maps import grid
from visual_foresight.predictors.motion import Points, sample
from visual_foresight.predictors.window import CELLS, Window

SIZE = (64, 48)
PIXELS = grid(SIZE, SIZE).permute(2, 0, 1)
HERE = torch.tensor([[30.0, 20.0]])


def test_the_middle_of_the_window_is_the_middle_of_the_way_and_its_rows_follow_it() -> None:
    cells = Window.between(HERE, HERE + torch.tensor([[0.0, 4.0]]), spacing_px=1.0).cells()[0]
    torch.testing.assert_close(cells.mean((0, 1)), torch.tensor([30.0, 22.0]), atol=1e-2, rtol=0)
    ahead, aside = cells[-1, 0] - cells[0, 0], cells[0, -1] - cells[0, 0]
    torch.testing.assert_close(ahead, torch.tensor([0.0, CELLS - 1.0]), atol=1e-2, rtol=0)  # to the right, as it goes
    torch.testing.assert_close(aside, torch.tensor([-(CELLS - 1.0), 0.0]), atol=1e-2, rtol=0)


@pytest.mark.parametrize("degrees", [0, 37, 90, 181, 300])
def test_a_scene_that_is_turned_with_the_way_looks_the_same(degrees: float) -> None:
    """Brightness falls with the distance from a place ahead and to one side of the fingertip."""
    turn = math.radians(degrees)
    along = torch.tensor([math.cos(turn), math.sin(turn)])
    across = torch.tensor([-along[1], along[0]])
    lamp = HERE[0] + 5 * along + 3 * across
    scene = (-(PIXELS - lamp[:, None, None]).square().sum(0) / 18).exp()[None, None]
    seen = sample(scene, Window.between(HERE, HERE + 3 * along, spacing_px=1.0).cells(), SIZE)[0, 0]
    row, col = divmod(int(seen.argmax()), CELLS)
    middle = (CELLS - 1) / 2
    assert abs(row - middle - 3.5) < 1  # five ahead of the start, three and a half ahead of the middle
    assert abs(col - middle - 3) < 1


@pytest.mark.parametrize("way", [(4.0, 0.0), (0.0, -3.0), (2.0, 2.0)])
def test_what_goes_along_goes_where_the_fingertip_goes(way: tuple[float, float]) -> None:
    """A share of 1 everywhere moves points and pixels near the fingertip by its own motion, and nothing far away."""
    step = torch.tensor([way])
    length = float(step.norm())
    window = Window.between(HERE, HERE + step, spacing_px=1.0)
    flows = torch.zeros(1, 4, CELLS // 2, CELLS // 2)
    flows[:, 0], flows[:, 2] = length, -length  # forward along, backward against it
    fields = window.fields(flows, SIZE)
    near, far = HERE + 1.3, torch.tensor([[60.0, 2.0]])
    moved = fields.steps(torch.stack([near, far], 1))[0]
    torch.testing.assert_close(moved, torch.cat([step, torch.zeros(1, 2)]), atol=1e-2, rtol=0)
    origin = fields.bring(PIXELS[None])[0]
    torch.testing.assert_close(origin[:, 31, 21], torch.tensor([31.0, 21.0]) - step[0], atol=1e-2, rtol=0)
    torch.testing.assert_close(origin[:, 60, 2], torch.tensor([60.0, 2.0]), atol=0, rtol=0)


def test_across_is_a_quarter_turn_from_along() -> None:
    window = Window.between(HERE, HERE + torch.tensor([[3.0, 0.0]]), spacing_px=1.0)
    flows = torch.zeros(1, 4, CELLS // 2, CELLS // 2)
    flows[:, 1] = 2.0
    moved = window.fields(flows, SIZE).steps(HERE[None])[0, 0]
    torch.testing.assert_close(moved, torch.tensor([0.0, 2.0]), atol=1e-2, rtol=0)


@pytest.mark.parametrize("corner", [(0.0, 0.0), (63.0, 47.0), (-40.0, 90.0)])
def test_at_the_border_the_flows_of_the_square_are_those_of_the_frame(corner: tuple[float, float]) -> None:
    torch.manual_seed(0)
    here = torch.tensor([corner])
    fields = Window.between(here, here + 2.5, spacing_px=1.0).fields(torch.randn(1, 4, 14, 14), SIZE)
    points = Points(torch.rand(1, 50, 2) * torch.tensor(SIZE), torch.ones(1, 1, 50))
    on_the_frame = points.moved(fields.dense()[:, :2], SIZE)
    in_the_square = points.shifted(fields.steps(points.places), SIZE)
    torch.testing.assert_close(in_the_square.places, on_the_frame.places)
    assert fields.dense().isfinite().all()
