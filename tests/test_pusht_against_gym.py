"""The comparison of `pusht` with gym-pusht, as far as it goes without gym-pusht."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.pusht_against_gym import Settings, errors_after_touch, our_poses, scenes_of


def test_a_block_rests_where_the_scene_puts_it_until_it_is_touched():
    settings = Settings(Path("python"), scenes=6)
    for scene in scenes_of(settings):
        poses = np.array(our_poses(scene))
        assert poses.shape == (40, 3)
        np.testing.assert_allclose(poses[0], scene["block"], atol=1e-9)
        assert np.abs(poses[-1] - scene["block"]).max() > 1


def test_errors_are_counted_from_the_first_touch():
    starts = np.zeros((2, 3))
    ours = np.zeros((2, 30, 3))
    theirs = np.zeros((2, 30, 3))
    ours[0, 4:, 0] = 10.0 * np.arange(1, 27)  # touched in the fifth step
    theirs[0, 4:, 0] = ours[0, 4:, 0] + 0.5 * np.arange(1, 27)
    theirs[0, 4:, 2] = np.radians(2.0)
    theirs[1, :, 1] = 0.001  # not touched
    figures = errors_after_touch(ours, theirs, starts)
    assert (figures["scenes"], figures["touched"]) == (2, 1)
    assert figures["before"] == pytest.approx({"mm": 0.001, "degrees": 0})
    for steps in (1, 5, 10, 25):
        after = figures["after"][str(steps)]
        assert after["scenes"] == 1
        assert after["mm"] == pytest.approx([0.5 * steps] * 3)
        assert after["degrees"] == pytest.approx([2] * 3)
        assert after["moved_mm"] == pytest.approx([10.5 * steps] * 3)
