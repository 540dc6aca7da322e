import pytest

from visual_foresight.evaluation.speed.replan import SpeedConfig, time_planning
from visual_foresight.types import UserError


def test_every_preset_is_timed_with_the_rollouts_that_it_has() -> None:
    figures = time_planning(SpeedConfig(model="still", repeats=2))
    presets = figures["presets"]
    assert {name: (row["rollouts"], row["horizon"]) for name, row in presets.items()} == {
        "fast": (97, 12),
        "default": (312, 12),
        "thorough": (600, 15),
        "plain": (312, 12),
    }
    for row in presets.values():
        assert row["frames_per_second"] == pytest.approx(
            row["rollouts"] * row["horizon"] / row["seconds_median"]
        )
    assert figures["gemm_gflops"] > 0


def test_one_replan_is_not_enough() -> None:
    with pytest.raises(UserError, match="2 replans or more"):
        SpeedConfig(repeats=1)
