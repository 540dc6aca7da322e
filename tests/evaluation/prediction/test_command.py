"""Prediction figures, on episodes of the dot, where everything is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.fakes.dot_model import DotModel, FramesOnlyDotModel
from tests.fakes.episodes import dot_episode
from visual_foresight.envs.dot import STEP_PX, DotEnv
from visual_foresight.episodes.remarks import FULL_LENGTH
from visual_foresight.evaluation.prediction.command import (
    PredictionConfig,
    evaluate_episodes,
    evaluate_prediction,
    figures_of,
)
from visual_foresight.evaluation.prediction.perceptual import Perceptual
from visual_foresight.evaluation.prediction.segments import FIRST_START
from visual_foresight.predictors.baselines.persistence import Persistence
from visual_foresight.types import Episode, Prediction, UserError

SIZE = (32, 44)


@pytest.fixture
def episodes() -> list[Episode]:
    down, right = np.array([0.3, 0.0]), np.array([0.0, 0.4])
    env = DotEnv(SIZE)
    found = []
    for seed in range(30):
        env.reset(seed=seed)
        dot = env.project(env.truth()[0, :3])
        if 8 < dot.row < 15 and 8 < dot.col < 26:  # it has room to move
            found.append(dot_episode(seed, np.stack([down, right] * 4), SIZE))
    assert len(found) >= 2
    return found


def test_the_true_motion_has_no_error_and_half_of_it_half_of_the_baselines(
    episodes: list[Episode],
) -> None:
    right = evaluate_prediction(DotModel(STEP_PX, context=2), episodes, horizon=4)
    half = evaluate_prediction(DotModel(0.5 * STEP_PX, context=2), episodes, horizon=4)
    assert right["clips"] == 2 * len(episodes) == right["points"]
    for step in ("1", "4"):
        assert right["steps"][step]["error_px"] == pytest.approx(0, abs=1e-3)
        assert half["steps"][step]["ratio"] == pytest.approx(0.5, abs=1e-3)
        assert half["steps"][step]["interval_ratio"] == pytest.approx([0.5, 0.5], abs=1e-3)
    # From frames 1 and 4: right, down, right, down and the other way round; 2.4 and 3.2 px in
    # all.
    assert right["steps"]["4"]["still_px"] == pytest.approx(np.hypot(2.4, 3.2), abs=1e-4)


def test_the_persistence_baseline_is_its_own_floor(episodes: list[Episode]) -> None:
    for figures in evaluate_prediction(Persistence(), episodes, horizon=4)["steps"].values():
        assert figures["ratio"] == pytest.approx(1, abs=1e-4)
        assert figures["psnr"] == pytest.approx(figures["still_psnr"])
        assert figures["psnr"] < 40


def test_before_an_episode_begins_the_world_stands_still(episodes: list[Episode]) -> None:
    predictor = DotModel(STEP_PX, context=4)
    figures = evaluate_prediction(predictor, episodes, horizon=4)
    assert figures["steps"]["4"]["error_px"] == pytest.approx(0, abs=1e-3)
    clip = predictor.clips[0]
    assert clip.frames.shape[1] == 4
    assert torch.equal(clip.frames[0, 0], clip.frames[0, 2]) and not clip.actions[0, :2].any()
    assert torch.equal(clip.actions[0, 2], torch.from_numpy(episodes[0].actions[0]))


def test_only_points_of_objects_that_move_count(episodes: list[Episode]) -> None:
    at_rest = [dot_episode(3, np.zeros((6, 2)), SIZE)]
    figures = evaluate_prediction(Persistence(), at_rest, horizon=4)
    assert figures["points"] == 0 and "error_px" not in figures["steps"]["1"]
    assert any("there are no such points" in note for note in figures["notes"])
    assert evaluate_prediction(Persistence(), [*episodes, *at_rest], horizon=4)[
        "points"
    ] == 2 * len(episodes)


def test_occluded_points_are_those_that_come_back(episodes: list[Episode]) -> None:
    """A curtain hides the dot in frame 3: the segment from frame 1 counts it, that from 4 not."""

    def figures_behind(curtain: slice) -> dict:
        frames = episodes[0].frames.copy()
        row, col = episodes[0].tracks[3, 0].round().astype(int)
        frames[curtain, row - 4 : row + 5, col - 4 : col + 5] = (250, 0, 250)
        config = PredictionConfig(data=Path(), horizon=4, objects="occluded")
        hidden = replace(episodes[0], frames=frames)
        return figures_of(
            evaluate_episodes(DotModel(STEP_PX, context=2), [hidden], config, Perceptual()), 2
        )

    figures = figures_behind(slice(3, 4))
    assert figures["clips"] == 2 and figures["points"] == 1
    assert figures["steps"]["4"]["error_px"] == pytest.approx(0, abs=1e-3)
    assert "seen again" in figures["protocol"]["objects"]
    assert figures_behind(slice(0, 0))["points"] == 0


@pytest.mark.parametrize("kind", ["arm", "background"])
def test_kinds_of_points_have_figures_of_their_own(episodes: list[Episode], kind: str) -> None:
    renamed = [
        replace(episode, meta={"track_kinds": [kind, "unknown"]}) for episode in episodes
    ]
    figures = evaluate_prediction(DotModel(0.5 * STEP_PX, context=2), episodes, horizon=4)
    others = evaluate_prediction(DotModel(0.5 * STEP_PX, context=2), renamed, horizon=4)
    step = figures["steps"]["4"]
    other = others["steps"]["4"]
    assert other[kind]["error_px"] == pytest.approx(step["error_px"])
    assert other[kind]["still_px"] == pytest.approx(step["still_px"])
    assert other[kind].get("ratio") == (pytest.approx(0.5, abs=1e-3) if kind == "arm" else None)
    assert "error_px" not in other and "arm" not in step
    assert others["protocol"]["points"] == {
        "object": 0,
        "arm": 0,
        "background": 0,
        kind: figures["points"],
    }


def test_moving_pixels_are_those_that_the_persistence_baseline_gets_wrong(
    episodes: list[Episode],
) -> None:
    for step in evaluate_prediction(Persistence(), episodes, horizon=4)["steps"].values():
        assert step["psnr_moving"] < step["psnr"] - 5
        assert step["ssim_moving"] < step["ssim"] < 1
        low, high = step["interval_psnr_moving"]
        assert low <= step["psnr_moving"] <= high


def test_lost_and_made_mass_are_told_apart(episodes: list[Episode]) -> None:
    steps = evaluate_prediction(
        DotModel(STEP_PX, lost=(0.25, -0.5, 0.25, 0.25)), episodes, horizon=4
    )["steps"]
    assert (steps["1"]["lost"], steps["1"]["made"]) == pytest.approx((0.25, 0))
    assert (steps["2"]["lost"], steps["2"]["made"]) == pytest.approx((0, 0.5))
    assert steps["3"]["background"]["lost"] == pytest.approx(0.25)


def test_a_predictor_without_maps_has_figures_of_frames_only(episodes: list[Episode]) -> None:
    figures = evaluate_prediction(FramesOnlyDotModel(STEP_PX), episodes, horizon=4)
    beside = evaluate_prediction(DotModel(STEP_PX), episodes, horizon=4)
    step = figures["steps"]["4"]
    assert step["psnr"] == beside["steps"]["4"]["psnr"]
    assert not {"error_px", "arm", "lost", "coverage_50"} & step.keys()
    assert any("imagines frames only" in note for note in figures["notes"])


class Dice(Persistence):
    """Its third sample is that of the persistence baseline; the others are noise."""

    def __init__(self, num_samples: int = 1) -> None:
        self.num_samples = num_samples

    def resampled(self, num_samples: int) -> "Dice":
        return Dice(num_samples)

    def imagine(self, carry, actions, decode=False) -> Prediction:
        imagined = super().imagine(carry, actions, decode)
        rng = torch.Generator().manual_seed(0)
        noise = [
            torch.rand(imagined.frames.shape, generator=rng) for _ in range(self.num_samples)
        ]
        frames = [imagined.frames if number == 2 else each for number, each in enumerate(noise)]
        return Prediction.average([replace(imagined, frames=each) for each in frames])


def test_the_best_of_several_futures_counts(episodes: list[Episode]) -> None:
    figures = evaluate_prediction(Dice(), episodes, horizon=4)
    beside = evaluate_prediction(Persistence(), episodes, horizon=4)
    for name in ("psnr", "ssim", "psnr_moving", "error_px"):
        assert figures["steps"]["3"][name] >= beside["steps"]["3"][name] - 1e-6
    assert figures["steps"]["3"]["psnr"] == pytest.approx(beside["steps"]["3"]["psnr"])
    assert "best of 10" in figures["protocol"]["futures"]
    assert "free-running" in beside["protocol"]["futures"]


def test_a_predictor_that_diverges_is_named(episodes: list[Episode]) -> None:
    with pytest.raises(UserError, match="not finite"):
        evaluate_prediction(FramesOnlyDotModel(diverges=True), episodes, horizon=4)


def test_what_is_left_out_is_counted(episodes: list[Episode]) -> None:
    whole = evaluate_prediction(Persistence(), episodes, horizon=4)
    assert not [note for note in whole["notes"] if "left out" in note]
    tracks = episodes[1].tracks.copy()
    tracks[2, 1] = np.nan
    short = dot_episode(0, np.full((3, 2), 0.1), SIZE)
    lost = replace(episodes[1], tracks=tracks)
    figures = evaluate_prediction(Persistence(), [episodes[0], lost, short], horizon=4)
    left_out = [note for note in figures["notes"] if "left out" in note]
    assert left_out[0].startswith(
        "1 of 3 episodes are left out: they have fewer than 5 actions"
    )
    assert left_out[1].startswith("In 1 of 3 episodes, points")
    assert figures["protocol"]["episodes"] == 2


def test_episodes_are_short_where_validate_says_so() -> None:
    assert FIRST_START + PredictionConfig(data=Path()).horizon == FULL_LENGTH


def test_short_episodes_are_named(episodes: list[Episode]) -> None:
    with pytest.raises(
        UserError,
        match="a horizon of 9 actions needs episodes of 10 or more, the longest has 8",
    ):
        evaluate_prediction(Persistence(), episodes, horizon=9)


def test_fewer_clips_are_spread_over_the_episodes(episodes: list[Episode]) -> None:
    config = PredictionConfig(data=Path(), horizon=4, clips=2)
    evaluation = evaluate_episodes(Persistence(), episodes, config, Perceptual())
    assert [segment.episode for segment in evaluation.segments] == [0, len(episodes) - 1]


def test_a_hidden_point_does_not_count(episodes: list[Episode]) -> None:
    first = episodes[0]
    frames = first.frames.copy()
    frames[4] = 0  # something black is in the way when the second segment starts
    hidden = replace(first, frames=frames)
    assert evaluate_prediction(Persistence(), [hidden], horizon=4)["points"] == 1
