"""The envs by their names: our own, and those that installed packages bring.

An env is imported when it is built: its simulator takes a second to load, or is not installed.
"""

import inspect
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import gymnasium

from visual_foresight.env_info import require_views
from visual_foresight.interfaces import Env
from visual_foresight.system.plugins import Registry
from visual_foresight.types import UserError

WITHOUT_BULLET = (
    "the pushing table needs PyBullet, which is not installed: use Python 3.11, for which it has "
    'wheels, or compile it with `pip install "visual-foresight[bullet]"` (many minutes, and a C++ '
    "compiler)"
)
WITHOUT_PYMUNK = (
    "the world 'pusht' needs pymunk, which is not installed: "
    '`pip install "visual-foresight[pusht]"`'
)
ROOM = "visual_foresight.envs"
ENVS = Registry(
    "env",
    "envs",
    {
        "push": f"{ROOM}.pushing.env:PushEnv",
        "push4": f"{ROOM}.pushing.env:SpatialPushEnv",
        "pusht": f"{ROOM}.pusht.env:PushTEnv",
        "dot": f"{ROOM}.dot:DotEnv",
    },
)
"""Name -> a class or function that builds the env: an `interfaces.Env`, or a plain Gymnasium env
whose observation is {"frame", "state"} (see `gymnasium_adapter`).

It is given those of the options `frame_size`, `held_out` and `views` that it has parameters for
(see `make`), and `views` only where some are asked for; all others must have defaults."""
SIMULATORS = {
    "push": ("pybullet", WITHOUT_BULLET),
    "push4": ("pybullet", WITHOUT_BULLET),
    "pusht": ("pymunk", WITHOUT_PYMUNK),
}
"""Env -> the module of its simulator, and what to say where that is not installed."""
GYMNASIUM_IDS = {
    "push": "Push-v0",
    "push4": "Push4-v0",
    "pusht": "PushT-v0",
    "dot": "Dot-v0",
}
"""Our own envs' names in Gymnasium; packages register theirs themselves."""
DEFAULT_OPTIONS: Mapping[str, Any] = {"frame_size": (64, 64), "held_out": False, "views": None}
"""What an env is built with where nothing is asked for: an env need not take these."""


def require(name: str) -> None:
    """Refuse an env that cannot be built here, without building it.

    Raises:
        UserError: the name is unknown, or the simulator of that env is not installed.
    """
    if name not in ENVS:
        raise UserError(f"unknown env {name!r}: choose one of {', '.join(sorted(ENVS))}")
    module, sentence = SIMULATORS.get(name, (None, ""))
    if module is not None and find_spec(module) is None:
        raise UserError(sentence)


def make(
    name: str,
    frame_size: tuple[int, int] = DEFAULT_OPTIONS["frame_size"],
    held_out: bool = DEFAULT_OPTIONS["held_out"],
    views: Sequence[str] | None = DEFAULT_OPTIONS["views"],
) -> Env:
    """Build an env.

    Args:
        name: a key of `ENVS`.
        frame_size: (height, width) in pixels. An env that does not take it has frames of one size.
        held_out: use objects that training episodes never show.
        views: names of its cameras, of which the first one gives the frames; None or none: as the
            env does by itself.

    Raises:
        UserError: the name is unknown, the frame size is not possible, it has no such views, the
            simulator of that env is not installed, it does not have what is asked for, or what is
            built is no env that a robot can be taken for.
    """
    require(name)
    asked = {"views": tuple(views)} if views else {}
    env = _build(name, {"frame_size": frame_size, "held_out": held_out, **asked})
    has_other_size = env.info.frame_size != frame_size
    if has_other_size and frame_size != DEFAULT_OPTIONS["frame_size"]:
        env.close()
        raise UserError(
            f"the env {name!r} has frames of {_sides(env.info.frame_size)} pixels, and "
            f"{_sides(frame_size)} were asked for: leave the frame size out, or choose its own"
        )
    offered = tuple(env.info.views)
    if views and tuple(views) != offered:
        env.close()
        require_views(views, offered, f"the env {name!r}")
        raise UserError(f"the env {name!r} shows the views {', '.join(offered)}: name them so")
    return env


def _build(name: str, options: Mapping[str, Any]) -> Env:
    """Build an env with those options that it takes; see `make`."""
    factory = ENVS[name]
    taken = _parameters(name, factory)
    if options["held_out"] and "held_out" not in taken:
        raise UserError(
            f"the env {name!r} has no held-out objects (it takes no `held_out`): do without, or "
            "choose another env"
        )
    built = factory(**{option: options[option] for option in options if option in taken})
    if isinstance(built, Env):
        return built
    if not isinstance(built, gymnasium.Env):
        ENVS.require(name, built, Env)
        raise UserError(
            f"the env {name!r} has no info, which says what cameras there are: give it an "
            "`env_info.EnvInfo`, or uninstall the package that brings it"
        )
    from visual_foresight.envs.gymnasium_adapter import GymnasiumEnv

    return GymnasiumEnv(built)


def _parameters(name: str, factory: Any) -> frozenset[str]:
    """Return the options that an env is built with.

    Raises:
        UserError: it cannot be built with them alone.
    """
    repair = "repair the package that brings it, or uninstall it"
    if not callable(factory):
        raise UserError(
            f"the env {name!r} is a {type(factory).__name__}, but its entry point must name a "
            f"class or a function that builds it: {repair}"
        )
    try:
        parameters = inspect.signature(factory).parameters.values()
    except ValueError:  # it is not written in Python, and takes nothing that we know of
        return frozenset()
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    named = [each for each in parameters if each.kind not in several]
    for each in named:
        is_known = (
            each.name in DEFAULT_OPTIONS and each.kind is not inspect.Parameter.POSITIONAL_ONLY
        )
        if not is_known and each.default is inspect.Parameter.empty:
            raise UserError(
                f"the env {name!r} cannot be built without {each.name!r}, and is given "
                f"{', '.join(DEFAULT_OPTIONS)} alone: {repair}"
            )
    return frozenset(each.name for each in named if each.name in DEFAULT_OPTIONS)


def _sides(frame_size: tuple[int, int]) -> str:
    return "x".join(map(str, frame_size))


def register() -> None:
    """Register our own envs with Gymnasium, as "visual_foresight/Push-v0" for example."""
    for name, id_ in GYMNASIUM_IDS.items():
        gymnasium.register(
            f"visual_foresight/{id_}",
            entry_point="visual_foresight.envs.registry:make",
            kwargs={"name": name},
            disable_env_checker=True,
        )
