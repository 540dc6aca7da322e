"""The laws of an episode, in one list: applied when one is written, read and validated.

What breaks a law cannot be used. What is only doubtful, such as frames of one colour, is a remark
of `remarks.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from visual_foresight.episodes.causes import COLLECT_AGAIN
from visual_foresight.episodes.info import INFO_NAME, DatasetInfo
from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.types import Episode

TOLERANCE = 1e-3
"""By which an action may leave [-1, 1]: arms measure what they did."""
MEND = "correct it where it was recorded"
"""What to do about an episode that breaks a law, where there is nothing better to say."""
SCALE = "divide what the arm did by `workspace.step`, so that each number is in [-1, 1]"


@dataclass(frozen=True)
class Breach:
    """How an episode breaks a law."""

    what: str
    """In words that follow the name of the episode: "has a NaN in states"."""
    advice: str = MEND
    field: str = ""
    """The field of `dataset.json` that it does not fit; empty where its own content is wrong."""
    expected: Any = None
    """What that field says."""
    found: Any = None
    """What would fit the episode."""
    change: str = ""
    """How to make that field fit, where writing `found` there would not do."""

    def is_the_misfit_of(self, other: "Breach") -> bool:
        """Tell whether both do not fit the same field, and the same value would fit both."""
        return bool(self.field) and (self.field, self.found) == (other.field, other.found)


Law = Callable[[Episode | PackedEpisode, DatasetInfo | None], Breach | None]


def breach_of(
    episode: Episode | PackedEpisode, info: DatasetInfo | None = None
) -> Breach | None:
    """Return the first law that an episode breaks, or None if it is sound.

    Args:
        episode: as it is stored, or packed.
        info: what all episodes of its dataset have in common; None where that is not known yet.
    """
    return next((breach for law in LAWS if (breach := law(episode, info))), None)


def advice_on_misfit(breach: Breach, others: Sequence[Breach | None], info: DatasetInfo) -> str:
    """Return what to do about an episode that does not fit `dataset.json`.

    Args:
        breach: of the episode, with a field.
        others: of other episodes of the folder.
        info: of the folder.
    """
    correction = (
        f"correct `{breach.field}` in {INFO_NAME}, which says {breach.expected}, "
        f"to {breach.found}"
    )
    if breach.change:
        correction = f"in {INFO_NAME}, {breach.change}"
    if others and all(each and breach.is_the_misfit_of(each) for each in others):
        return f"so have others, so {correction}"
    if all(each and each.field for each in others):  # none of them fits it
        return f"{correction} if that is wrong, or else move the file elsewhere"
    if info.was_collected:
        return f"move it elsewhere and {COLLECT_AGAIN}"
    return f"others do fit {INFO_NAME}, so correct this one where it was recorded, or move it"


def _frames_fit(episode: Episode | PackedEpisode, info: DatasetInfo | None) -> Breach | None:
    """Frames have the size that `dataset.json` says."""
    if info is None:
        return None
    expected, found = (*info.frame_size, 3), tuple(episode.frames.shape[1:])
    if found == expected:
        return None
    return Breach(
        f"has frames of (height, width, channels) {found}, not {expected}",
        field="frame_size",
        expected=list(info.frame_size),
        found=list(found[:2]),
    )


def _views_fit(episode: Episode | PackedEpisode, info: DatasetInfo | None) -> Breach | None:
    """Further views have the names and sizes that `dataset.json` says."""
    if info is None:
        return None
    there, wanted = sorted(episode.other_views), sorted(info.other_views)
    if there != wanted:
        given, named = ", ".join(there) or "none", ", ".join(wanted) or "none"
        return Breach(
            f"has the further views {given}, not {named}",
            field="other_views",
            expected=wanted,
            found=there,
            change=f"describe these views in `other_views`, and no others: {given}",
        )
    for name, view in info.other_views.items():
        expected, found = (*view.frame_size, 3), tuple(episode.other_views[name].shape[1:])
        if found != expected:
            return Breach(
                f"has frames of {found} from the view {name!r}, not {expected}",
                field=f"other_views.{name}.frame_size",
                expected=list(view.frame_size),
                found=list(found[:2]),
            )
    return None


def _sizes_fit(episode: Episode | PackedEpisode, info: DatasetInfo | None) -> Breach | None:
    """Actions and states have the sizes that `dataset.json` says, tracks have two coordinates."""
    if episode.tracks.shape[2] != 2:
        return Breach(f"has track coordinates {episode.tracks.shape[2]}, not 2")
    if info is None:
        return None
    sizes = (
        ("actions", "workspace", episode.actions.shape[1], info.action_size),
        ("states", "state_size", episode.states.shape[1], info.state_size),
    )
    for what, field, found, expected in sizes:
        if found != expected:
            change = ""
            if what == "actions":
                change = (
                    f"give `low`, `high` and `step` of `workspace` {found} numbers each, or its "
                    f"`action_size` as {found}"
                )
            return Breach(
                f"has {what} of size {found}, not {expected}",
                field=field,
                expected=expected,
                found=found,
                change=change,
            )
    return None


def _is_finite(episode: Episode | PackedEpisode, info: DatasetInfo | None) -> Breach | None:
    """Actions, states and signals are numbers. Tracks may be unknown for a while."""
    signals = {f"the signal {name!r}": values for name, values in episode.signals.items()}
    for what, values, step in (
        ("actions", episode.actions, "action"),
        ("states", episode.states, "frame"),
        *((name, values, "action") for name, values in signals.items()),
    ):
        places = np.argwhere(~np.isfinite(values))
        if len(places):
            return Breach(f"has a NaN or an infinity in {what}, first at {step} {places[0][0]}")
    return None


def _actions_in_range(
    episode: Episode | PackedEpisode, info: DatasetInfo | None
) -> Breach | None:
    """Each number of an action is in [-1, 1]."""
    places = np.argwhere(np.abs(episode.actions) > 1 + TOLERANCE)
    if not len(places):
        return None
    low, high = episode.actions.min(), episode.actions.max()
    return Breach(
        f"has actions from {low:.4g} to {high:.4g} where [-1, 1] is promised, first at frame "
        f"{places[0][0]}",
        advice=SCALE,
    )


def _track_kinds_fit(
    episode: Episode | PackedEpisode, info: DatasetInfo | None
) -> Breach | None:
    """The notes say of each track what it follows, or of none."""
    if "track_kinds" not in episode.meta:
        return None
    kinds, num_tracks = episode.meta["track_kinds"], episode.tracks.shape[1]
    are_texts = isinstance(kinds, list | tuple) and all(isinstance(kind, str) for kind in kinds)
    if are_texts and len(kinds) == num_tracks:
        return None
    given = f"a list of {len(kinds)}" if are_texts else f"{kinds!r:.60}"
    return Breach(
        f"has {given} as `track_kinds` in its notes for {num_tracks} tracks",
        advice="write a list with a text for each track, or leave it out",
    )


def _object_moved_fits(
    episode: Episode | PackedEpisode, info: DatasetInfo | None
) -> Breach | None:
    """The notes say of each action whether an object moved, or of none."""
    if "object_moved" not in episode.meta:
        return None
    moved, num_steps = episode.meta["object_moved"], len(episode.actions)
    are_bools = isinstance(moved, list | tuple) and all(
        isinstance(each, bool) for each in moved
    )
    if are_bools and len(moved) == num_steps:
        return None
    given = f"a list of {len(moved)}" if are_bools else f"{moved!r:.60}"
    return Breach(
        f"has {given} as `object_moved` in its notes for {num_steps} actions",
        advice="write a list with true or false for each action, or leave it out",
    )


LAWS: tuple[Law, ...] = (
    _frames_fit,
    _views_fit,
    _sizes_fit,
    _is_finite,
    _actions_in_range,
    _track_kinds_fit,
    _object_moved_fits,
)
"""Every law that sound episodes keep, in the order in which they are looked at. (That t actions
join t+1 frames, an `Episode` sees to itself.)"""
