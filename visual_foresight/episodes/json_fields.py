"""Fields of a JSON file that people edit: each is checked, and a wrong one is named."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from visual_foresight.env_info import Homography
from visual_foresight.types import UserError


@dataclass(frozen=True)
class Fields:
    """An object of a JSON file.

    Raises:
        UserError: it is none; every method raises one where a field is missing or wrong.
    """

    content: Any
    """A mapping, or it is refused."""
    path: Path
    """Of the file, for the sentence."""
    place: str = ""
    """Of this object in it, for the sentence."""

    def __post_init__(self) -> None:
        if not isinstance(self.content, Mapping):
            name = f"field `{self.place}`" if self.place else "content"
            self._refuse(name, "an object in braces", self.content)

    def has(self, name: str) -> bool:
        """Tell whether a field is there, and not null."""
        return self.content.get(name) is not None

    def refuse(self, name: str, expected: str, found: Any) -> NoReturn:
        """Refuse the content of a field.

        Args:
            name: of the field.
            expected: what ought to be there, in words.
            found: what is.
        """
        self._refuse(f"field `{self._full(name)}`", expected, found)

    def _refuse(self, what: str, expected: str, found: Any) -> NoReturn:
        raise UserError(
            f"the {what} of {self.path} is wrong: {expected} was expected, found {found!r:.80}; "
            "correct it there"
        )

    def _full(self, name: str) -> str:
        return f"{self.place}.{name}" if self.place else name

    def _get(self, name: str) -> Any:
        if name not in self.content:
            raise UserError(
                f"{self.path} has no field `{self._full(name)}`: add it, as data/README.md "
                "describes it"
            )
        return self.content[name]

    def inside(self, name: str) -> "Fields":
        """Return an object in a field."""
        value = self._get(name)
        if not isinstance(value, Mapping):
            self.refuse(name, "an object in braces", value)
        return Fields(value, self.path, self._full(name))

    def text(self, name: str) -> str:
        """Return a text."""
        value = self._get(name)
        if not isinstance(value, str):
            self.refuse(name, "a text", value)
        return value

    def whole(self, name: str, minimum: int) -> int:
        """Return a whole number."""
        value = self._get(name)
        if type(value) is not int or value < minimum:
            self.refuse(name, f"a whole number of {minimum} or more", value)
        return value

    def numbers(self, name: str) -> tuple[float, ...]:
        """Return a list of finite numbers."""
        value = self._get(name)
        if not isinstance(value, list):
            self.refuse(name, "a list of numbers", value)
        return self._finite(name, value)

    def frame_size(self, name: str) -> tuple[int, int]:
        """Return height and width in pixels."""
        value = self._get(name)
        expected = "[height, width] in pixels, two whole numbers of 1 or more,"
        if not isinstance(value, list) or len(value) != 2:
            self.refuse(name, expected, value)
        height, width = value
        if type(height) is not int or type(width) is not int or min(height, width) < 1:
            self.refuse(name, expected, value)
        return height, width

    def homography(self, name: str) -> Homography | None:
        """Return three rows of three numbers that can be inverted; None for null."""
        value = self._get(name)
        if value is None:
            return None
        expected = "three rows of three numbers, or null,"
        if not isinstance(value, list) or len(value) != 3:
            self.refuse(name, expected, value)
        for row in value:
            if not isinstance(row, list) or len(row) != 3:
                self.refuse(name, expected, value)
        rows = tuple(self._finite(f"{name}[{each}]", row) for each, row in enumerate(value))
        matrix = np.array(rows, np.float64)
        scale = np.abs(matrix).max()
        if not scale or np.linalg.matrix_rank(matrix / scale) < 3:
            self.refuse(name, "a homography, which can be inverted,", value)
        return rows

    def _finite(self, name: str, values: list[Any]) -> tuple[float, ...]:
        """Return numbers, if they are."""
        for place, value in enumerate(values):
            # A NaN is not at most anything.
            if type(value) not in (int, float) or not abs(value) <= sys.float_info.max:
                self.refuse(f"{name}[{place}]", "a number", value)
        return tuple(values)
