"""Where a run may be written: not among episodes, which would be refused from then on."""

from visual_foresight.episodes.info import INFO_NAME
from visual_foresight.training.config import RunConfig
from visual_foresight.types import UserError


def require_places(config: RunConfig) -> None:
    """Refuse to write a run, or followed points, into a folder of episodes.

    Raises:
        UserError: `out` or `points` is the data's folder, or that of other episodes.
    """
    data = config.data.resolve()
    for flag, folder in (("out", config.out), ("points", config.points)):
        whole = folder.resolve()
        for each in (whole, *whole.parents):
            if each == data or (each / INFO_NAME).exists():
                raise UserError(
                    f"--{flag} {folder} is in {each}, a folder of episodes, which a run would "
                    "spoil: choose another place"
                )
