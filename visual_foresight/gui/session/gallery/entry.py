"""One line of the list of runs: what is said of a run without reading its frames."""

from dataclasses import dataclass
from datetime import datetime

from visual_foresight.control.trial import distance_text


@dataclass(frozen=True)
class Entry:
    """A run that was kept: one line of the list of runs."""

    folder: str
    """Name of the run's folder: its env, and how that was made (`World.text`) if otherwise than by
    itself."""
    number: int
    model: str
    goal: str
    outcome: str
    num_steps: int
    distance: float | None
    """Final distance by the goal's own measure; None where it is not known."""
    unit: str
    """What that is in."""
    distance_m: float | None
    """The same in metres; None for a goal without designated pixels, and where it is not known."""
    is_believed: bool
    """Whether the distances are only what the locator believed."""
    date: str = ""
    """When it began, as ISO 8601 writes it, in UTC."""

    @property
    def date_text(self) -> str:
        """Return the date as people read it, in the time of this machine."""
        if not self.date:
            return ""
        return datetime.fromisoformat(self.date).astimezone().strftime("%Y-%m-%d %H:%M")

    @property
    def name(self) -> str:
        """Return the run's name, on the page and in file names."""
        return f"{self.folder}-{self.number:06d}"

    @property
    def distance_text(self) -> str:
        """Return the final distance in words; nothing where it is not known."""
        return distance_text(
            self.distance, self.unit, self.distance_m, self.is_believed, suffix=""
        )


def date_of(written: object) -> str:
    """Return the date that a run's notes say; nothing if it is none."""
    try:
        datetime.fromisoformat(str(written))
    except ValueError:
        return ""
    return str(written)
