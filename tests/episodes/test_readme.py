"""The examples of `data/README.md` do what they say."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from visual_foresight.episodes.episode_files import read_episode
from visual_foresight.episodes.validation import validate
from visual_foresight.types import Observation

ROOT = Path(__file__).parents[2]


def run_example(place: int, /, **given: Any) -> dict[str, Any]:
    text = (ROOT / "data" / "README.md").read_text()
    code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[place]
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


def test_a_recording_is_written_as_it_comes(tmp_path: Path) -> None:
    class Robot:
        steps = 0

        def observe(self) -> Observation:
            return Observation.single(np.zeros((64, 64, 3), np.uint8), np.zeros(4, np.float32))

        def is_running(self) -> bool:
            return self.steps < 3

        def act(self) -> np.ndarray:
            self.steps += 1
            return np.zeros(2)

    run_example(2, folder=tmp_path, number=20_261_130, robot=Robot())
    assert len(read_episode(tmp_path / "episode_20261130.hdf5").actions) == 3
