"""Links that open the page in a state: `?env=&objects=&seed=&model=&source=&goal=&run=`.

Pixels are written as on the command line, ROW,COL, and several with a semicolon between them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from visual_foresight.gui.session.goals import Draft, Pair
from visual_foresight.gui.session.settings import Settings
from visual_foresight.gui.session.state import State
from visual_foresight.system.seeds import parse_seed
from visual_foresight.types import Pixel, UserError

NAMES = ("env", "objects", "seed", "model", "source", "goal", "run")
"""The names that a link may have; others are not ours, and are passed over."""
MAX_LENGTH = 500
"""Characters of one value, at most."""


@dataclass(frozen=True)
class Link:
    """What a link asks for."""

    changes: Mapping[str, object]
    """Settings that it names -> their values."""
    draft: Draft
    run: str = ""
    """Name of a kept run."""

    @property
    def sets_scene(self) -> bool:
        """Return whether the scene is to be set anew for it."""
        return bool(self.draft.pairs) or bool(
            {"env", "seed", "num_objects"} & set(self.changes)
        )

    def choices(self, present: Settings) -> Settings:
        """Return the choices with what the link names.

        Raises:
            UserError: a value is not known.
        """
        return replace(present, **self.changes)  # type: ignore[arg-type]


def parse_link(query: Mapping[str, str], models: Sequence[str]) -> Link | None:
    """Return what the part of an address after "?" asks for; None if that is nothing.

    Args:
        query: name -> value, decoded.
        models: names of those that can be chosen.

    Raises:
        UserError: a value is not what was expected.
    """
    asked = {name: query[name] for name in NAMES if query.get(name)}
    if not asked:
        return None
    for name, text in asked.items():
        if len(text) > MAX_LENGTH:
            raise UserError(
                f"the link's {name} has {len(text)} characters, more than {MAX_LENGTH}: "
                "copy the link again"
            )
    changes: dict[str, object] = {}
    if "env" in asked:
        changes["env"] = asked["env"]
    if "seed" in asked:
        changes["seed"] = parse_seed(asked["seed"])
    if "objects" in asked:
        changes["num_objects"] = _count(asked["objects"])
    if "model" in asked:
        if asked["model"] not in models:
            raise UserError(
                f"the link names the model {asked['model']!r}, which is not installed here: "
                "choose one from the list"
            )
        changes["model"] = asked["model"]
    return Link(changes, _draft(asked), asked.get("run", ""))


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= len(text) * 10**6):
        raise UserError(
            f"a link's objects are a whole number of 1 or more, got {text!r}: change the link"
        )
    return int(text)


def _draft(asked: Mapping[str, str]) -> Draft:
    """Return the pairs of pixels of a link."""
    sources = _pixels(asked.get("source", ""))
    targets = _pixels(asked.get("goal", ""))
    if len(targets) > len(sources) or len(sources) > len(targets) + 1:
        raise UserError(
            f"the link names {len(sources)} pixels as source and {len(targets)} as goal: "
            "each needs its goal, in the same order"
        )
    pairs = [Pair(source, target) for source, target in zip(sources, targets, strict=False)]
    pairs += [Pair(source) for source in sources[len(targets) :]]
    return Draft(tuple(pairs))


def _pixels(text: str) -> list[Pixel]:
    return [_pixel(part) for part in text.split(";")] if text else []


def _pixel(text: str) -> Pixel:
    try:
        place = [float(number) for number in text.split(",")]
    except ValueError:
        place = []
    if len(place) != 2 or not all(map(math.isfinite, place)):
        raise UserError(
            f"a link's pixel is written ROW,COL, as in 40,20; got {text!r}: change it"
        )
    return Pixel(place[0], place[1])


def query_of(state: State) -> str:
    """Return the part after "?" of a link to a state: a kept run, or a scene with its goal.

    A scene that has moved cannot be opened again, so its run is named once there is one.
    """
    settings = state.settings
    named: dict[str, str] = {"model": settings.model}
    if _names_run(state):
        named["run"] = state.entry_name
        return urlencode(named)
    named |= {"env": settings.env, "seed": str(settings.seed)}
    if settings.num_objects is not None:
        named["objects"] = str(settings.num_objects)
    pairs = _pairs(state)
    if pairs:
        named["source"] = ";".join(_text(pair.source) for pair in pairs)
        targets = [pair.target for pair in pairs if pair.target is not None]
        named["goal"] = ";".join(_text(target) for target in targets)
    return urlencode(named, safe=",;/")


def sentence_of(state: State) -> str:
    """Return what the link of `query_of` opens, and what of the state it leaves out."""
    pairs = _pairs(state)
    left_out = "" if state.image_goal is None else ", without the goal image"
    if _names_run(state):
        opens = f"the run {state.entry_name}"
        left_out = ", without the goal made since" if pairs and not state.is_recorded else ""
    elif state.has_moved:
        opens = f"the scene{' and goal' if pairs else ''} as set, before anything was moved"
    else:
        opens = f"this scene{' and goal' if pairs else ''}"
    return f"The link was copied; on this machine it opens {opens}{left_out}"


def _pairs(state: State) -> tuple[Pair, ...]:
    """Return the pairs of the goal; a goal image has taken their place, and is in no link."""
    return state.draft.pairs if state.image_goal is None else ()


def _names_run(state: State) -> bool:
    """Tell whether a link to a state names a kept run."""
    return bool(state.entry_name) and (state.is_recorded or bool(state.num_moved))


def _text(pixel: Pixel) -> str:
    return f"{pixel.row:g},{pixel.col:g}"
