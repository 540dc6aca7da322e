"""The envs by their names.

An env is imported when it is built: its simulator takes a second to load, or is not installed.
"""

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any

import gymnasium

from visual_foresight.env_info import require_views
from visual_foresight.interfaces import Env
from visual_foresight.types import UserError

WITHOUT_BULLET = (
    "the pushing table needs PyBullet, which is not installed: use Python 3.11, for which it has "
    'wheels, or compile it with `pip install "visual-foresight[bullet]"` (many minutes, and a C++ '
    "compiler)"
)


def _push(actions: str, views: Sequence[str] = ("front",), **options: Any) -> Env:
    """Build a pushing table whose actions are PLANAR or SPATIAL."""
    from visual_foresight.envs.pushing import env as pushing

    return pushing.PushEnv(variant=getattr(pushing, actions), views=views, **options)


def _dot(**options: Any) -> Env:
    from visual_foresight.envs.dot import DotEnv

    return DotEnv(**options)


ENVS: dict[str, Callable[..., Env | gymnasium.Env[Any, Any]]] = {
    "push": partial(_push, "PLANAR"),
    "push4": partial(_push, "SPATIAL"),
    "dot": _dot,
}
"""Name -> what builds the env, given `frame_size` and `held_out` (see `make`), and `views` where
some are asked for and it has this parameter.

A plain Gymnasium env whose observation is {"frame", "state"} will do."""
OF_BULLET = ("push", "push4")
"""The envs that PyBullet simulates."""
GYMNASIUM_IDS = {"push": "Push-v0", "push4": "Push4-v0", "dot": "Dot-v0"}


def require(name: str) -> None:
    """Refuse an env that cannot be built here, without building it.

    Raises:
        UserError: the name is unknown, or the simulator of that env is not installed.
    """
    if name not in ENVS:
        raise UserError(f"unknown env {name!r}: choose one of {', '.join(sorted(ENVS))}")
    if name in OF_BULLET and find_spec("pybullet") is None:
        raise UserError(WITHOUT_BULLET)


def make(
    name: str,
    frame_size: tuple[int, int] = (64, 64),
    held_out: bool = False,
    views: Sequence[str] | None = None,
) -> Env:
    """Build an env.

    Args:
        name: a key of `ENVS`.
        frame_size: (height, width) in pixels.
        held_out: use objects that training episodes never show.
        views: names of its cameras, of which the first one gives the frames; None or none: as the
            env does by itself.

    Raises:
        UserError: the name is unknown, the frame size is not possible, it has no such views, the
            simulator of that env is not installed, or what is built is no env that a robot can be
            taken for.
    """
    require(name)
    build = ENVS[name]
    has_choice = "views" in inspect.signature(build).parameters
    chosen = {"views": tuple(views)} if views and has_choice else {}
    env = _as_env(build(frame_size=frame_size, held_out=held_out, **chosen))
    offered = tuple(env.info.views)
    if views and tuple(views) != offered:
        env.close()
        require_views(views, offered, f"the env {name!r}")
        raise UserError(f"the env {name!r} shows the views {', '.join(offered)}: name them so")
    return env


def _as_env(built: Env | gymnasium.Env[Any, Any]) -> Env:
    if isinstance(built, Env):
        return built
    from visual_foresight.envs.gymnasium_adapter import GymnasiumEnv

    return GymnasiumEnv(built)


def register() -> None:
    """Register all envs with Gymnasium, as "visual_foresight/Push-v0" for example."""
    for name, id_ in GYMNASIUM_IDS.items():
        gymnasium.register(
            f"visual_foresight/{id_}",
            entry_point="visual_foresight.envs.registry:make",
            kwargs={"name": name},
            disable_env_checker=True,
        )
