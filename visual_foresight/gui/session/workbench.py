"""The env of a session, and the controllers and models built for it."""

from collections.abc import Iterable
from threading import Event
from typing import Any

from visual_foresight.control.config import (
    SCRIPTED,
    SIMULATOR,
    WITHOUT_CHECKPOINT,
    WITHOUT_MODEL,
    build,
    make_predictor,
)
from visual_foresight.control.world import World, world_of
from visual_foresight.env_info import EnvInfo
from visual_foresight.gui.session.settings import Settings
from visual_foresight.interfaces import Controller, Env, Predictor, SimulatedEnv
from visual_foresight.predictors.checkpoints import read_config, resolve
from visual_foresight.system.devices import find_device
from visual_foresight.types import Episode, UserError

NUM_RUNNERS_UP = 3
"""How many plans the page shows beside the best one."""


def world_for(settings: Settings, present: World) -> World:
    """Return the world in which the settings' model plans.

    What has no checkpoint plans in the present one, and so does a model that cannot be used: that
    is said when it is asked to plan.
    """
    try:
        return world_of(settings.model, present)
    except UserError:
        return present


def misfit(name: str, info: EnvInfo, owner: str = "this world") -> str:
    """Return why a model of other actions or states cannot plan, in a few words; nothing if it can.

    Args:
        name: a predictor's, or a checkpoint's folder.
        info: of what there is to plan in.
        owner: of the actions and states, for the words.
    """
    try:
        made_for = read_config(resolve(name))["config"]
    except UserError:
        return ""
    for what, size in (("actions", info.action_size), ("states", info.state_size)):
        wanted = made_for.get(f"{what[:-1]}_size", size)
        if wanted != size:
            return f"{owner} has {what} of size {size}, not {wanted}"
    return ""


class Workbench:
    """An env, and what is built for it.

    It belongs to one thread, because simulators may not be used from several.

    Args:
        env_name: a key of `ENVS`.
        world: in which frames.
    """

    def __init__(self, env_name: str, world: World) -> None:
        self.env_name = env_name
        self.world = world
        self.env: Env = world.make(env_name)
        self._mirror: Env | None = None
        """A second env, in which the model `simulator` tries actions out."""

    def reset(self, settings: Settings) -> None:
        """Lay out the scene of settings that name this env."""
        num_objects = settings.num_objects
        options = None if num_objects is None else {"num_objects": num_objects}
        self.env.reset(seed=settings.seed, options=options)

    def fits(self, episode: Episode) -> bool:
        """Tell whether an episode has this env's views, and its sizes of frame, action and state.

        Only then can a model for this env imagine from the episode.
        """
        sizes = (episode.frames.shape[1:3], episode.actions.shape[1], episode.states.shape[1])
        info = self.env.info
        has_views = episode.other_views.keys() == set(info.views) - {next(iter(info.views))}
        return has_views and sizes == (info.frame_size, info.action_size, info.state_size)

    def unfit_models(self, names: Iterable[str]) -> dict[str, str]:
        """Return the models that cannot plan in this world -> why, in a few words."""
        reasons = {name: self.why_unfit(name) for name in names}
        return {name: reason for name, reason in reasons.items() if reason}

    def comparable_models(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the models that can imagine what is seen in this world, in the same frames."""
        return tuple(
            name
            for name in names
            if name not in WITHOUT_MODEL
            and not self.why_unfit(name)
            and _is_of(self.world, name)
        )

    def why_unfit(self, name: str) -> str:
        """Return why a model cannot plan in this world, in a few words; nothing if it can.

        What is wrong with a checkpoint itself is said when it is to plan.
        """
        info = self.env.info
        if name == SIMULATOR:
            is_simulated = isinstance(self.env, SimulatedEnv)
            return "" if is_simulated else "this world is no simulator"
        if name == SCRIPTED:
            return "" if info.workspace else "this world has no known workspace"
        if name in WITHOUT_CHECKPOINT:
            return ""
        return misfit(name, info)

    def controller(
        self, settings: Settings, points: tuple[Any, ...], stop: Event
    ) -> Controller:
        """Build the controller of the settings. One with a model decodes the frames of its plans.

        Args:
            settings: model, preset, cost, locator and device.
            points: the physical points behind the designated pixels, for the model `simulator`.
            stop: breaks a search off when it is set.

        Raises:
            UserError: the model does not fit the env, or cannot be loaded.
        """
        return build(
            settings.controller,
            self.env,
            points,
            self._predictor(settings, points),
            decode_best=True,
            num_runners_up=NUM_RUNNERS_UP,
            stop=stop,
        )

    def predictor(self, settings: Settings, points: tuple[Any, ...]) -> Predictor:
        """Build the model of the settings (arguments as in `controller`).

        Raises:
            UserError: the settings name no model, or it cannot be loaded.
        """
        predictor = self._predictor(settings, points)
        if predictor is None:
            raise UserError(
                f"{settings.model!r} plans without a model and imagines nothing: choose a model"
            )
        return predictor

    def _predictor(self, settings: Settings, points: tuple[Any, ...]) -> Predictor | None:
        if settings.model == SIMULATOR and self._mirror is None:
            self._mirror = self.world.make(self.env_name)
        mirror = self._mirror or self.env
        device = find_device(settings.device)
        return make_predictor(settings.controller, self.env, mirror, points, device)

    def close(self) -> None:
        """Free the simulators."""
        self.env.close()
        if self._mirror is not None:
            self._mirror.close()


def _is_of(world: World, name: str) -> bool:
    """Tell whether a model plans in a world; not so one that cannot be used."""
    try:
        return world_of(name, world) == world
    except UserError:
        return False
