"""The scene of a session: the world that is set up, and what is seen of it."""

from collections.abc import Callable
from contextlib import ExitStack

from visual_foresight.control.world import PUBLISHED, World
from visual_foresight.gui.session.settings import Settings
from visual_foresight.gui.session.workbench import Workbench, world_for
from visual_foresight.interfaces import Drawable
from visual_foresight.types import UserError

RENDER_SCALE = 8
"""How many times larger than a frame the high-resolution render is."""


class Scene:
    """Owns the workbench. It belongs to the worker's thread, but for `needs_other_frames`.

    Args:
        publish: changes fields of the session's state.
    """

    def __init__(self, publish: Callable[..., None]) -> None:
        self._publish = publish
        self._workbench: Workbench | None = None
        self._renders = False

    @property
    def present(self) -> Workbench:
        """Return the workbench.

        Raises:
            UserError: there is none, because no env could be made.
        """
        if self._workbench is None:
            raise UserError(
                "there is no scene: choose an env that can be made, and press Reset"
            )
        return self._workbench

    def close(self) -> None:
        """Free the simulators."""
        if self._workbench is not None:
            self._workbench.close()

    def reset(self, settings: Settings) -> Workbench:
        """Set the scene anew, and return its workbench. If that fails, the old scene stays."""
        old = self._workbench
        world = self._world_for(settings)
        if old is not None and (old.env_name, old.world) == (settings.env, world):
            workbench = old
        else:
            workbench = Workbench(settings.env, world)
        with ExitStack() as on_error:
            if workbench is not old:
                on_error.callback(workbench.close)
            workbench.reset(settings)
            on_error.pop_all()
        if old is not None and workbench is not old:
            old.close()
        self._workbench = workbench
        return workbench

    def why_unfit(self, name: str) -> str:
        """Return why a model cannot plan here, in a few words; other threads may ask."""
        return "" if self._workbench is None else self._workbench.why_unfit(name)

    def needs_other_frames(self, settings: Settings) -> bool:
        """Tell whether the model of the settings has frames of another size than the scene's.

        Other threads may ask.
        """
        present = self._workbench
        return present is not None and self._world_for(settings) != present.world

    def _world_for(self, settings: Settings) -> World:
        present = self._workbench
        is_same_env = present is not None and present.env_name == settings.env
        return world_for(settings, present.world if present and is_same_env else PUBLISHED)

    def set_high_resolution(self, is_on: bool) -> None:
        """Switch the high-resolution render on or off."""
        self._renders = is_on
        self.publish_frame()

    def publish_frame(self) -> None:
        """Show what is seen now."""
        env = self.present.env
        render = None
        if self._renders and isinstance(env, Drawable):
            render = env.draw(RENDER_SCALE)
        self._publish(frame=env.observe().frame, render=render)
