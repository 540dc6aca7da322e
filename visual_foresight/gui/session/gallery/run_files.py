"""Where all that is kept of a run lies in the output folder, and how it is removed."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from visual_foresight.episodes.episode_files import episode_path
from visual_foresight.gui.session.kept_runs.run_notes import run_name

IMAGINED = "imagined"
"""The folder of what was imagined, a folder in it for each run."""
NOTES = "notes"
"""The folder of the notes that people write."""
PICTURES = "pictures"
"""The folder of the small pictures, which are made again when they are missing."""
ANIMATIONS = (".gif", ".mp4")
"""Suffixes of the animations that can be written."""


@dataclass(frozen=True)
class RunFiles:
    """The files of a run, whether they exist or not."""

    out: Path
    """The output folder."""
    folder: str
    """Name of the run's folder in it."""
    number: int

    @property
    def name(self) -> str:
        """Return the run's name, on the page and in file names."""
        return run_name(self.folder, self.number)

    @property
    def episode(self) -> Path:
        """Return the file of the episode."""
        return episode_path(self.out / self.folder, self.number)

    @property
    def imagined(self) -> Path:
        """Return the folder of what was imagined."""
        return self.out / IMAGINED / self.name

    @property
    def note(self) -> Path:
        """Return the file of the note."""
        return self.out / NOTES / f"{self.name}.txt"

    @property
    def picture(self) -> Path:
        """Return the file of the small picture."""
        return self.out / PICTURES / f"{self.name}.jpg"

    def animation(self, suffix: str) -> Path:
        """Return the file of an animation, one of `ANIMATIONS`."""
        return self.out / f"{self.name}{suffix}"

    def remove(self) -> None:
        """Remove them, the episode last: a run of which something is left can be removed again."""
        for suffix in ANIMATIONS:
            self.animation(suffix).unlink(missing_ok=True)
        self.picture.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)
        if self.imagined.exists():
            shutil.rmtree(self.imagined)
        self.episode.unlink(missing_ok=True)
