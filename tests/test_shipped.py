"""What comes with a clone does roughly what its card says: models beat the persistence baseline."""

from pathlib import Path

import pytest
from torch import nn

from visual_foresight.episodes.episode_files import episode_path, read_episode, write_episode
from visual_foresight.episodes.info import INFO_NAME, read_info, write_info
from visual_foresight.episodes.validation import validate
from visual_foresight.evaluation.prediction.command import PredictionConfig, evaluate_model
from visual_foresight.predictors.checkpoints import load
from visual_foresight.predictors.registry import SHIPPED

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "data" / "sample"


def test_the_sample_is_sound_and_small() -> None:
    report = validate(SAMPLE)
    assert report.num_sound and not report.problems and not report.doubts
    assert sum(path.stat().st_size for path in SAMPLE.iterdir()) <= 3e6


def test_the_sample_is_written_as_it_was(tmp_path: Path) -> None:
    write_info(tmp_path, read_info(SAMPLE))
    for number in range(3):
        path = write_episode(tmp_path, number, read_episode(episode_path(SAMPLE, number)))
        assert path.read_bytes() == (SAMPLE / path.name).read_bytes()
    assert (tmp_path / INFO_NAME).read_bytes() == (SAMPLE / INFO_NAME).read_bytes()


@pytest.mark.parametrize("name", SHIPPED)
def test_the_models_are_small(name: str) -> None:
    model = load(name, frame_size=(64, 64), action_size=2)
    assert isinstance(model, nn.Module)
    assert sum(each.numel() for each in model.parameters()) <= 2e6


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_the_models_predict_better_than_the_persistence_baseline(name: str) -> None:
    steps = evaluate_model(PredictionConfig(SAMPLE, model=name, clips=24))["steps"]
    assert steps["5"]["ratio"] < 0.8 and steps["10"]["ratio"] < 0.8
    for step in ("1", "5", "10"):
        assert steps[step]["psnr"] > steps[step]["still_psnr"] + 2
        assert steps[step]["background"]["error_px"] < 2
