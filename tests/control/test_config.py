"""What is refused before a controller is built."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from tests.fakes.packages import bring
from visual_foresight.control.config import ControllerConfig, make_predictor
from visual_foresight.control.loop import CLIP_FRAMES
from visual_foresight.envs.dot import DotEnv
from visual_foresight.predictors.checkpoints import save
from visual_foresight.predictors.models import Model
from visual_foresight.types import UserError


@dataclass(frozen=True)
class Sizes:
    """What a checkpoint says that it was made for."""

    frame_size: tuple[int, int] = (16, 24)
    action_size: int = 2
    state_size: int = 2


class LongSighted(nn.Module):
    """Wants one frame more than the loop keeps."""

    context = CLIP_FRAMES + 1

    def __init__(self, config: Sizes) -> None:
        super().__init__()
        self.config = config
        self.layer = nn.Linear(1, 1)

    def observe(self, clip: Any) -> Any:
        raise AssertionError("nothing is imagined here")

    designate = observe
    calibrate = observe
    imagine = observe


def test_a_model_that_wants_more_frames_than_the_loop_keeps_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bring(monkeypatch, tmp_path / "packages", "predictors", "long", Model(LongSighted, Sizes))
    env = DotEnv((16, 24))
    checkpoint = tmp_path / "checkpoint"
    save(LongSighted(Sizes(state_size=env.info.state_size)), checkpoint, {})
    with pytest.raises(
        UserError, match="wants 9 frames of context, but the control loop keeps 8"
    ):
        make_predictor(ControllerConfig(model=str(checkpoint)), env, env, ())
