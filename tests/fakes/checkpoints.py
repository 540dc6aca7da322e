"""Checkpoints of any frame size, with a model that has learnt nothing."""

from pathlib import Path
from typing import Any

import torch

from visual_foresight.env_info import EnvInfo
from visual_foresight.envs.registry import make
from visual_foresight.predictors.checkpoints import save
from visual_foresight.predictors.registry import create


def untrained(
    folder: Path, frame_size: tuple[int, int], env: str = "dot", name: str = "dna"
) -> Path:
    """Write the checkpoint of a small new model for an env's frames, and return its folder."""
    world = make(env, frame_size)
    info: EnvInfo = world.info
    world.close()
    torch.manual_seed(0)
    model: Any = create(
        name,
        {
            "frame_size": frame_size,
            "action_size": info.action_size,
            "state_size": info.state_size,
            "homography": info.view.homography,
            "channels": 8,
        },
    )
    save(model, folder, {"env": env})
    return folder
