"""The colours of what lies over the frames; several people in a hundred see red as green."""

PAIRS = ("#00e5ff", "#ff9f1c", "#8cff66", "#b79cff")
"""Of the designated pixels, in turn: their rings, maps, regions and paths."""
GOAL = "#ff40c8"
ARM = "#ffe45c"
"""Of the arm's planned path."""
FLOW = "#e6ffe9"
THING = "#d0b3ff"


def colour_of(number: int) -> str:
    """Return the colour of a designated pixel, counted from 0."""
    return PAIRS[number % len(PAIRS)]


def channels(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue, from 0 to 255, of "#rrggbb"."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
