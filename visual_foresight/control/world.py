"""In which world a model plans: the frame size and the cameras that its checkpoint was trained on.

Whoever makes an env for a model goes through here: `plan`, the page, and every judge.
"""

from dataclasses import dataclass

from visual_foresight.control.config import WITHOUT_CHECKPOINT
from visual_foresight.envs.registry import make
from visual_foresight.interfaces import Env
from visual_foresight.predictors.checkpoints import resolve, seen_by
from visual_foresight.predictors.registry import PREDICTORS, model_of
from visual_foresight.types import UserError

FRAME_SIZE = (64, 64)
"""Height and width, in pixels, for what has no checkpoint: baselines, floors and the ceiling."""


@dataclass(frozen=True)
class World:
    """How an env is made for a model."""

    frame_size: tuple[int, int] = FRAME_SIZE
    """Height and width in pixels."""
    views: tuple[str, ...] = ()
    """Names of the cameras, that of the frames first; none: as the env does by itself."""

    @property
    def text(self) -> str:
        """Return what tells it from other worlds, as in names of folders: 48x80, 64x64-side."""
        return "-".join([self.size_text, *self.views])

    @property
    def size_text(self) -> str:
        """Return the frame size in words: 48x80."""
        height, width = self.frame_size
        return f"{height}x{width}"

    def make(self, env: str, held_out: bool = False) -> Env:
        """Build an env (see `envs.registry.make`)."""
        return make(env, self.frame_size, held_out, self.views)


PUBLISHED = World()
"""The world of the published figures, in which suites and banks are drawn."""


def require_one_view(world: World, user: str) -> None:
    """Refuse a world of several cameras.

    Args:
        world: of a model.
        user: what shows one camera only, for the sentence.

    Raises:
        UserError: there are several.
    """
    if len(world.views) > 1:
        raise UserError(
            f"{user} shows one view, and the model reads {', '.join(world.views)}: "
            "choose a model of one view"
        )


def world_of(model: str, default: World = PUBLISHED) -> World:
    """Return the world that a model was trained in.

    Args:
        model: of a method (see `control.config`): a predictor's name, a checkpoint's folder,
            `simulator`, `random`, ...
        default: for what has no checkpoint.

    Raises:
        UserError: there is no such model, or its checkpoint is damaged.
    """
    if model in WITHOUT_CHECKPOINT:
        return default
    if model in PREDICTORS and model_of(model).config is None:
        return default
    seen = seen_by(resolve(model))
    return World(seen.frame_size, seen.views)
