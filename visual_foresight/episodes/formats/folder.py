"""Our own folders: `dataset.json`, and a file for each episode (see `data/README.md`)."""

from pathlib import Path

from visual_foresight.episodes.dataset import Episodes
from visual_foresight.episodes.info import INFO_NAME


class Folder:
    """A `DatasetFormat`: the files in it may be of any `EpisodeFormat`."""

    def open(self, path: Path) -> Episodes | None:
        """Return the episodes of a folder that has a `dataset.json`."""
        return Episodes(path) if (path / INFO_NAME).is_file() else None
