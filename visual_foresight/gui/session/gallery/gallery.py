"""What any page may have of kept runs: pictures, exports and comparisons, in any thread.

The session's worker has no part in it, so that a run under way neither waits nor is waited for.
"""

import io
import logging
import threading
import zipfile
from collections.abc import Callable, Sequence

from visual_foresight.episodes.info import INFO_NAME
from visual_foresight.gui.session.archive import Archive
from visual_foresight.gui.session.exports.figures import figures_json
from visual_foresight.gui.session.exports.kept_run import KeptRun
from visual_foresight.gui.session.exports.report import report_html
from visual_foresight.gui.session.gallery.notes import read_note
from visual_foresight.gui.session.gallery.pictures import jpeg, run_picture
from visual_foresight.gui.session.gallery.run_files import ANIMATIONS
from visual_foresight.system.files import remedy, write_bytes
from visual_foresight.types import UserError

logger = logging.getLogger(__name__)
PICTURE = ".jpg"
"""Suffix of the small picture."""
EXPORTS = {
    ".html": "Report: pictures, charts and every step on one page (HTML)",
    ".json": "Figures (JSON)",
    ".zip": "Episode: a dataset of its own (HDF5)",
    ".gif": "Animation (GIF)",
    ".mp4": "Animation (MP4)",
}
"""Suffix of an export -> what it is."""
MOST_COMPARED = 6
"""Runs that are compared at once, at most."""


class Gallery:
    """Reads the runs of an archive."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._drawing = threading.Lock()
        self._exporting = threading.Lock()
        """Both keep to one at a time: a search on the same machine needs the cores."""

    def picture(self, name: str) -> bytes:
        """Return the small picture of a run, as a JPEG; the first time it is made.

        Raises:
            UserError: there is no run of this name, or it is damaged.
        """
        path = self._archive.files(name).picture
        try:
            return path.read_bytes()
        except OSError:
            pass
        with self._drawing:
            run = self.run(name)
            frames = run.trial.episode.frames
            content = jpeg(run_picture(frames[0], frames[-1], run.goal))
            try:
                write_bytes(path, content)
            except OSError as error:  # it is made again the next time
                logger.warning("the picture of %s is not kept: %s", name, error)
        return content

    def export(self, name: str, suffix: str) -> bytes:
        """Return an export of a run as the content of a file.

        Args:
            name: of the run.
            suffix: one of `EXPORTS`.

        Raises:
            UserError: there is no run of this name, it is damaged, or the disk is full.
        """
        makers: dict[str, Callable[[str], bytes]] = {
            ".html": lambda name: report_html(self.run(name)),
            ".json": lambda name: figures_json(self.run(name)),
            ".zip": self._dataset,
            **{each: lambda name: self._animation(name, suffix) for each in ANIMATIONS},
        }
        if suffix not in makers:
            raise UserError(
                f"a run is exported as one of {', '.join(makers)}, got {suffix!r}: choose one"
            )
        try:
            with self._exporting:
                return makers[suffix](name)
        except OSError as error:
            sentence = remedy(error)
            if not isinstance(error, FileNotFoundError) and sentence is None:
                raise
            raise UserError(
                sentence or f"the run {name} is not there any more: choose another"
            ) from error

    def compare(self, names: Sequence[str]) -> tuple[KeptRun, ...]:
        """Return runs to compare.

        Raises:
            UserError: there are too few or too many, one is not there, or is damaged.
        """
        if not 2 <= len(names) <= MOST_COMPARED:
            raise UserError(
                f"2 to {MOST_COMPARED} runs are compared at once, got {len(names)}: "
                "choose others"
            )
        return tuple(self.run(name) for name in names)

    def run(self, name: str) -> KeptRun:
        """Read a run (raises as `picture` does)."""
        files = self._archive.files(name)
        return KeptRun.of(
            self._archive.entry(name), self._archive.open(name), read_note(files.note)
        )

    def _dataset(self, name: str) -> bytes:
        """Return a run as a folder of episodes that has one, zipped."""
        episode = self._archive.files(name).episode
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for path in (episode.with_name(INFO_NAME), episode):
                archive.write(path, f"{name}/{path.name}")
        return content.getvalue()

    def _animation(self, name: str, suffix: str) -> bytes:
        return self._archive.export(name, self._archive.open(name), suffix).read_bytes()
