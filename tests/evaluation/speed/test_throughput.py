"""The benchmark of predictors, on a small scale."""

import json

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from visual_foresight import cli
from visual_foresight.evaluation.speed.throughput import ThroughputConfig, time_predictor
from visual_foresight.evaluation.speed.yardstick import VggYardstick
from visual_foresight.predictors.registry import FLAGSHIP
from visual_foresight.types import UserError


def test_the_yardstick_costs_what_svg_costs() -> None:
    network = VggYardstick().eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        assert network(torch.rand(1, 3, 64, 64)).shape == (1, 3, 64, 64)
    assert counter.get_total_flops() == pytest.approx(5.8e9, rel=0.03)


def test_a_predictor_is_timed_with_and_without_frames() -> None:
    figures = time_predictor("flow", ThroughputConfig(batch=3, horizon=2, repeats=1), threads=1)
    assert figures["frames_per_second"] > 0 and figures["gradient_steps_per_second"] > 0
    assert 0.005 < figures["gflop_per_frame"] < 0.5
    peaks = figures["peak_mb"]
    assert 50 < peaks["plan"] <= peaks["decode"] <= peaks["train"]


def test_the_command_sets_the_flagship_against_the_yardstick(capfd) -> None:
    words = (
        f"evaluate throughput --predictors {FLAGSHIP} --batch 2 --horizon 1 --repeats 1 --json"
    )
    cli.main(words.split())
    figures = json.loads(capfd.readouterr().out)
    flagship, yardstick = figures["predictors"][FLAGSHIP], figures["yardstick"]
    assert figures["flagship_over_yardstick"] == pytest.approx(
        flagship["frames_per_second"] / yardstick["frames_per_second"]
    )
    speed = flagship["frames_per_second"] * flagship["gflop_per_frame"]
    assert flagship["share_of_gemm"] == pytest.approx(speed / figures["gemm_gflops"])
    assert yardstick["gflop_per_frame"] == pytest.approx(5.8, rel=0.03)


def test_bad_settings_are_named() -> None:
    with pytest.raises(UserError, match="no learned predictor 'still'"):
        ThroughputConfig(predictors=("still",))
    with pytest.raises(UserError, match="repeat or more"):
        ThroughputConfig(repeats=0)
