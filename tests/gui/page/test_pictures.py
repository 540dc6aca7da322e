"""What is drawn for the page is drawn beside a search, which must not wait for it."""

import subprocess
import sys

import pytest

COUNT = """
import os, cv2, numpy as np, torch
from visual_foresight.gui.page import pictures, tabs_panel
from visual_foresight.types import Pixel, Plan, Prediction

def tasks():
    return len(os.listdir("/proc/self/task"))

frame = np.zeros((64, 64, 3), np.uint8)
future = Prediction(torch.rand(5, 12, 3, 64, 64), torch.rand(5, 12, 1, 32, 32), torch.rand(5, 12, 1), None, (64, 64))
plan = Plan(torch.zeros(12, 2), (Pixel(3, 4),), future, (torch.rand(312),), 0.5, torch.zeros(3, 64, 64))
torch.set_num_threads(2)  # also where there is one core
cv2.resize(frame, (512, 512))  # OpenCV has helpers of its own
before = tasks()
pictures.address(pictures.believed(plan, 3, frame, number=1))
tabs_panel._search(plan, "px")
print(tasks() - before)
torch.rand(1_000_000) + 1
print(tasks() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_drawing_a_plan_starts_no_threads_of_torch() -> None:
    """Two pools of threads on two cores make every search a fifth slower.

    The second figure shows that one would be seen.
    """
    done = subprocess.run(
        [sys.executable, "-c", COUNT], capture_output=True, text=True, check=True
    )
    drawn, computed = (int(line) for line in done.stdout.split())
    assert drawn == 0
    assert computed > 0
