"""The room that learns: examples from episodes, a curriculum, an objective, and one loop for every predictor."""

from visual_foresight.training.config import TrainConfig, batch_at, horizon_at
from visual_foresight.training.examples import Batch
from visual_foresight.training.loop import train
from visual_foresight.training.losses import objective
from visual_foresight.training.run import STATE_FILE

__all__ = ["STATE_FILE", "Batch", "TrainConfig", "batch_at", "horizon_at", "objective", "train"]
