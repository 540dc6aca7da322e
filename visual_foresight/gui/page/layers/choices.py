"""The layers that a person may switch on and off."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Layer:
    """Something that is drawn over the frames."""

    name: str
    """Its name in the browser's memory."""
    label: str
    hint: str
    is_usual: bool
    """Whether it is on until somebody switches it off."""


MAPS = Layer("maps", "Maps", "where the model expects each designated pixel, as heat", True)
REGIONS = Layer(
    "regions", "Regions", "the fewest cells that hold 50 and 90 % of each map", False
)
PATHS = Layer(
    "paths",
    "Paths",
    "the way that each designated pixel is expected to take, the arm's planned way, and its next "
    "action as an arrow",
    True,
)
PLANS = Layer(
    "plans",
    "Plans",
    "the arm's way in the next best plans, and the spread of the elites",
    False,
)
FLOW = Layer("flow", "Flow", "where the model expects things to move, as arrows", False)
THINGS = Layer("things", "Things", "what the model takes for things", False)
LAYERS = (MAPS, REGIONS, PATHS, PLANS, FLOW, THINGS)
USUAL = frozenset(layer.name for layer in LAYERS if layer.is_usual)


def written(names: Iterable[str]) -> str:
    """Return which layers are on as the browser keeps it; `read` returns them."""
    on = set(names)
    return ",".join(layer.name for layer in LAYERS if layer.name in on)


def read(text: object) -> frozenset[str]:
    """Return the layers of what a browser has kept; the usual ones if that is nothing."""
    if not isinstance(text, str):
        return USUAL
    return frozenset(text.split(",")) & {layer.name for layer in LAYERS}
