"""What stands behind a page that shows recorded data: which episode, and which frame of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from visual_foresight.gui.session.recordings.actions import Actions
from visual_foresight.gui.session.recordings.errors import Errors
from visual_foresight.types import Pixel, UserError


@dataclass(frozen=True)
class Recording:
    """The episode that is open, the frame that is imagined from, and what is imagined."""

    name: str
    """Of the data, as the command line had it."""
    numbers: Sequence[int]
    """Of all episodes there."""
    action_size: int
    """How many numbers an action has."""
    position: int = 0
    """Of the open episode, among `numbers`."""
    num_steps: int = 0
    """How many actions it has."""
    step: int = 0
    """How many of them lie before the frame that is shown, and imagined from."""
    points: tuple[Pixel, ...] = ()
    """True places, in the shown frame, of points that were recorded: for people to compare with."""
    actions: Actions = Actions()
    errors: Errors | None = None
    """How far what was imagined is from the recording; None where nothing can be compared."""

    @property
    def number(self) -> int:
        """Return the number of the open episode."""
        return self.numbers[self.position]

    @property
    def num_left(self) -> int:
        """Return how many actions were recorded from the shown frame on."""
        return self.num_steps - self.step

    @property
    def text(self) -> str:
        """Return in a few words which episode this is, and how long."""
        which = f"{self.position + 1} of {len(self.numbers)}"
        points = f", {len(self.points)} recorded points" if self.points else ""
        return f"{which}: {self.num_steps} actions{points}"

    def position_of(self, number: int) -> int:
        """Return the position of the episode of a number.

        Raises:
            UserError: there is none.
        """
        if number not in self.numbers:
            first, last = self.numbers[0], self.numbers[-1]
            raise UserError(
                f"there is no episode {number} in {self.name}: "
                f"choose one of the {len(self.numbers)} from {first} to {last}"
            )
        return list(self.numbers).index(number)


def parse_number(text: str) -> int:
    """Return the number of an episode that somebody has typed.

    Raises:
        UserError: it is no whole number.
    """
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 20:
        raise UserError(
            f"an episode has a whole number of 0 or more, got {text[:20]!r}: type another"
        )
    return int(digits)
