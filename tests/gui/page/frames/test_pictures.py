"""Markers lie on their pixels, and the page draws beside a search, which must not wait for it."""

import re
import subprocess
import sys

import pytest

from visual_foresight.gui.page.frames.pictures import markers
from visual_foresight.gui.session.goals import Draft
from visual_foresight.types import Pixel

COUNT = """
import os, cv2, numpy as np, torch
from visual_foresight.gui.page import charts
from visual_foresight.gui.page.frames import pictures
from visual_foresight.gui.page.tabs import plans
from visual_foresight.env_info import View
from visual_foresight.gui.page.layers import doubt_sign, intent, pixel_shapes
from visual_foresight.types import Pixel, Plan, Prediction, Workspace, to_uint8
from visual_foresight.vision.arm_path import ArmView

ARM = ArmView(
    View((64, 64), ((0.01, 0, 0), (0, 0.01, 0), (0, 0, 1))), Workspace((0, 0), (1, 1), (0.1, 0.1))
)

def threads():
    return len(os.listdir("/proc/self/task"))

frame = np.zeros((64, 64, 3), np.uint8)
future = Prediction(
    torch.rand(5, 12, 3, 64, 64), torch.rand(5, 12, 1, 32, 32), torch.rand(5, 12, 1), None, (64, 64)
)
costs = (torch.rand(312),)
others = torch.rand(12, 12, 2)
plan = Plan(
    torch.zeros(12, 2), (Pixel(3, 4),), future, costs, 0.5,
    runners_up=others[:4], elites=others,
)
torch.set_num_threads(2)  # also where there is one core
cv2.resize(frame, (512, 512))  # OpenCV has helpers of its own
before = threads()
pictures.data_url(pictures.prediction_picture(plan, 3, frame, rank=1))
layers = {"maps", "regions", "paths", "plans"}
pixel_shapes.pixel_shapes(plan, 3, 1, layers)
intent.intent_shapes(ARM, np.array([0.2, 0.2]), plan, 3, 1, layers)
doubt_sign.doubt_of(plan, 3, 1, None)
charts.chart_options("Cost", "px", plans.costs_of(plan))
charts.chart_options("Lost mass", "", {"lost": plans.lost_mass(plan)})
to_uint8(future.frames[:, -1])
print(threads() - before)
torch.rand(1_000_000) + 1
print(threads() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_drawing_a_plan_starts_no_threads_of_torch() -> None:
    """A second pool of threads on two cores makes every search a fifth slower.

    The second figure shows that the test would see one.
    """
    done = subprocess.run(
        [sys.executable, "-c", COUNT], capture_output=True, text=True, check=True
    )
    lines = done.stdout.split()
    assert int(lines[0]) == 0, "drawing started threads"
    assert int(lines[1]) > 0, "a large computation starts some"


@pytest.mark.parametrize(
    ("frame_size", "extent"),
    [((64, 64), (1000, 1000)), ((48, 80), (1000, 600)), ((80, 40), (500, 1000))],
)
def test_markers_have_the_shape_of_the_frame_and_lie_on_their_pixels(
    frame_size: tuple[int, int], extent: tuple[int, int]
) -> None:
    height, width = frame_size
    draft = Draft().clicked(Pixel(0, 0)).clicked(Pixel(9, 9)).clicked(Pixel(height - 1, 0))
    svg = markers(draft, None, frame_size)
    assert f'viewBox="0 0 {extent[0]} {extent[1]}"' in svg
    half_a_pixel = extent[0] / width / 2
    circles = [
        (float(x), float(y))
        for x, y in re.findall(r'class="mark source"[^>]*cx="([\d.]+)" cy="([\d.]+)"', svg)
    ]
    first, last = circles
    assert first == pytest.approx((half_a_pixel, half_a_pixel), abs=0.01)
    assert last == pytest.approx((half_a_pixel, extent[1] - half_a_pixel), abs=0.01)
