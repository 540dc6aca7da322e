"""Prediction figures, on episodes of the dot, where everything is known."""

import numpy as np
import pytest
import torch

from visual_foresight.envs.dot import STEP_PX, DotEnv
from visual_foresight.evaluation.prediction import evaluate_prediction
from visual_foresight.pixel_maps import splat
from visual_foresight.predictors.still import Still
from visual_foresight.types import Clip, Episode, Pixel, Prediction, UserError

SIZE = (32, 44)


def record(seed: int, actions: np.ndarray, kinds: tuple[str, ...] = ("object", "background")) -> Episode:
    env = DotEnv(SIZE)
    env.reset(seed=seed)
    row, col = env.project(env.truth()[0, :3]).row, env.project(env.truth()[0, :3]).col
    points = [env.pick(Pixel(row, col)), env.pick(Pixel(31, 43) if row < 16 else Pixel(0, 0))]
    seen, tracks = [env.observe()], [[env.where(point)[0] for point in points]]
    for action in actions:
        env.step(action)
        seen.append(env.observe())
        tracks.append([env.where(point)[0] for point in points])
    return Episode(
        actions=actions.astype(np.float32),
        frames=np.stack([each.frame for each in seen]),
        states=np.stack([each.state for each in seen]),
        tracks=np.array([[(pixel.row, pixel.col) for pixel in pixels] for pixels in tracks], np.float32),
        meta={"track_kinds": list(kinds)},
    )


class Knowing:
    """Knows what actions do to dots (away from the border), and draws nothing."""

    def __init__(self, context: int, share: float) -> None:
        self.context = context
        self.share = share
        self.clips: list[Clip] = []

    def observe(self, clip: Clip) -> torch.Tensor:
        self.clips.append(clip)
        return clip.frames[:, -1]

    def imagine(self, carry, actions, pixel_maps, decode=False) -> Prediction:
        grid = (pixel_maps.shape[2], pixel_maps.shape[3])
        moved = actions.cumsum(1) * STEP_PX * self.share
        rows = torch.einsum("nphw,h->np", pixel_maps, (torch.arange(grid[0]) + 0.5) * SIZE[0] / grid[0] - 0.5)
        cols = torch.einsum("nphw,w->np", pixel_maps, (torch.arange(grid[1]) + 0.5) * SIZE[1] / grid[1] - 0.5)
        maps = [
            torch.stack(
                [
                    splat(
                        tuple(
                            Pixel(float(row + down), float(col + right))
                            for row, col in zip(rows[n], cols[n], strict=True)
                        ),
                        grid,
                        SIZE,
                    )
                    for down, right in moved[n]
                ]
            )
            for n in range(len(actions))
        ]
        frames = carry[:, None].expand(-1, actions.shape[1], -1, -1, -1)
        return Prediction(frames, torch.stack(maps), torch.zeros(*moved.shape[:2], pixel_maps.shape[1]), None)


@pytest.fixture
def episodes() -> list[Episode]:
    down, right = np.array([0.3, 0.0]), np.array([0.0, 0.4])
    env = DotEnv(SIZE)
    found = []
    for seed in range(30):  # dots that have room to go
        env.reset(seed=seed)
        row, col = env.project(env.truth()[0, :3]).row, env.project(env.truth()[0, :3]).col
        if 8 < row < 15 and 8 < col < 26:
            found.append(record(seed, np.stack([down, right] * 4)))
    assert len(found) >= 2
    return found


def test_the_true_motion_has_no_error_and_half_of_it_half_of_stills(episodes: list[Episode]) -> None:
    right = evaluate_prediction(Knowing(2, 1.0), episodes, horizon=4)
    half = evaluate_prediction(Knowing(2, 0.5), episodes, horizon=4)
    assert right["clips"] == 2 * len(episodes) == right["points"]
    for step in ("1", "4"):
        assert right["steps"][step]["error_px"] == pytest.approx(0, abs=1e-3)
        assert half["steps"][step]["ratio"] == pytest.approx(0.5, abs=1e-3)
        assert half["steps"][step]["interval_ratio"] == pytest.approx([0.5, 0.5], abs=1e-3)
    # From frames 1 and 4: right, down, right, down and the other way round; 2.4 and 3.2 px in all.
    assert right["steps"]["4"]["still_px"] == pytest.approx(np.hypot(2.4, 3.2), abs=1e-4)


def test_still_is_its_own_floor(episodes: list[Episode]) -> None:
    for figures in evaluate_prediction(Still(), episodes, horizon=4)["steps"].values():
        assert figures["ratio"] == pytest.approx(1, abs=1e-4)
        assert figures["psnr"] == pytest.approx(figures["still_psnr"])
        assert figures["psnr"] < 40


def test_a_long_context_begins_with_a_world_that_stands_still(episodes: list[Episode]) -> None:
    predictor = Knowing(4, 1.0)
    figures = evaluate_prediction(predictor, episodes, horizon=4)
    assert figures["steps"]["4"]["error_px"] == pytest.approx(0, abs=1e-3)
    clip = predictor.clips[0]
    assert clip.frames.shape[1] == 4
    assert torch.equal(clip.frames[0, 0], clip.frames[0, 2]) and not clip.actions[0, :2].any()
    assert torch.equal(clip.actions[0, 2], torch.from_numpy(episodes[0].actions[0]))


def test_only_points_of_objects_that_move_count(episodes: list[Episode]) -> None:
    arm = [record(3, np.full((6, 2), 0.3), kinds=("arm", "background"))]
    at_rest = [record(3, np.zeros((6, 2)))]
    for unfit in (arm, at_rest):
        with pytest.raises(UserError, match="no tracked object moves"):
            evaluate_prediction(Still(), unfit, horizon=4)
    assert evaluate_prediction(Still(), [*episodes, *at_rest], horizon=4)["points"] == 2 * len(episodes)


def test_a_hidden_point_does_not_count(episodes: list[Episode]) -> None:
    first = episodes[0]
    frames = first.frames.copy()
    frames[4] = 0  # something black is in the way when the second window begins
    hidden = Episode(first.actions, frames, first.states, first.tracks, first.meta)
    assert evaluate_prediction(Still(), [hidden], horizon=4)["points"] == 1
