"""Worlds that show frames. `make(name)` builds one; importing this module registers all of them with Gymnasium."""

from collections.abc import Callable
from functools import partial

import gymnasium

from visual_foresight.envs.dot import DotEnv
from visual_foresight.envs.push import PLANAR, SPATIAL, PushEnv
from visual_foresight.interfaces import Env
from visual_foresight.types import UserError

ENVS: dict[str, Callable[..., Env]] = {
    "push": partial(PushEnv, variant=PLANAR),
    "push4": partial(PushEnv, variant=SPATIAL),
    "dot": DotEnv,
}
GYMNASIUM_IDS = {"push": "Push-v0", "push4": "Push4-v0", "dot": "Dot-v0"}


def make(name: str, frame_size: tuple[int, int] = (64, 64), held_out: bool = False) -> Env:
    """Build an env.

    Args:
        name: a key of `ENVS`.
        frame_size: (height, width) in pixels.
        held_out: objects that no training data shows, where the env has such.

    Raises:
        UserError: the name is unknown.
    """
    if name not in ENVS:
        raise UserError(f"unknown env {name!r}: choose one of {', '.join(sorted(ENVS))}")
    return ENVS[name](frame_size=frame_size, held_out=held_out)


for _name, _id in GYMNASIUM_IDS.items():
    gymnasium.register(
        f"visual_foresight/{_id}",
        entry_point="visual_foresight.envs:make",
        kwargs={"name": _name},
        disable_env_checker=True,
    )
