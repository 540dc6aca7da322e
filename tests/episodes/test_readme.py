"""The examples of `data/README.md` do what they say."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from visual_foresight.episodes.validation import validate

ROOT = Path(__file__).parents[2]


def run_example(number: int, **given: Any) -> dict[str, Any]:
    text = (ROOT / "data" / "README.md").read_text()
    code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[number]
    exec(code, given)
    return given


def test_an_episode_is_read_without_this_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    found = run_example(0)
    assert found["frames"].shape == (21, 64, 64, 3)
    assert found["actions"].shape == (20, 2)


def test_recordings_of_ones_own_are_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run_example(
        1,
        actions=np.zeros((3, 2), np.float32),
        frames=np.zeros((4, 64, 64, 3), np.uint8),
        states=np.zeros((4, 4), np.float32),
        homography=np.eye(3),
    )
    report = validate(tmp_path / "data" / "robot")
    assert (report.num_sound, report.problems) == (1, ())
