"""Which marks of the goal lie over a frame: while it is made, during a run, and after it."""

from collections.abc import Sequence
from dataclasses import dataclass

from visual_foresight.control.replay import places_at
from visual_foresight.gui.session.goals import Draft, Pair
from visual_foresight.gui.session.recordings.recording import Recording
from visual_foresight.gui.session.state import State
from visual_foresight.types import Pixel, Plan


@dataclass(frozen=True)
class Marks:
    """The marks of a goal over one frame."""

    draft: Draft = Draft()
    """The pairs, each designated pixel where it is in the frame."""
    targets: tuple[Pixel, ...] = ()
    """Goal pixels whose designated pixels are nowhere known in the frame."""
    points: tuple[Pixel, ...] = ()
    """True places that were recorded, for people to compare with."""
    is_past: bool = False
    """Whether they are of a run that has ended, and no goal to be planned for."""


def scene_marks(state: State, index: int | None) -> Marks:
    """Return the marks over what the camera saw.

    Args:
        state: what is shown.
        index: of the recorded frame; None for the present one.
    """
    trial = state.trial
    if state.recording is not None:
        return _recorded_marks(state, state.recording, index)
    if trial is None or not trial.goal.targets:
        return Marks(state.draft)
    if index is None and (state.draft.pairs or state.image_goal is not None):
        return Marks(state.draft)
    places = _places(state, state.num_done if index is None else index)
    is_past = state.is_editable and not state.is_recorded
    return _joined(places, trial.goal.targets, is_past)


def _recorded_marks(state: State, recording: Recording, index: int | None) -> Marks:
    """Return the marks over a recorded frame: later ones show what is truly known of the pixels."""
    if index is None or state.trial is None:
        return Marks(state.draft, points=recording.points)
    return Marks(Draft(tuple(Pair(place) for place in places_at(state.trial.episode, index))))


def imagined_marks(state: State, plan: Plan | None, step: int) -> Marks:
    """Return the marks over what is imagined: designated pixels where the plan began with them.

    Args:
        state: what is shown.
        plan: the one that is shown; None: nothing is imagined.
        step: of the run, at which it was made.
    """
    trial = state.trial
    if trial is None or not trial.goal.targets:
        return Marks(state.draft)
    sources = () if plan is None else plan.sources
    return _joined(sources or _places(state, step), trial.goal.targets)


def _joined(
    places: Sequence[Pixel], targets: tuple[Pixel, ...], is_past: bool = False
) -> Marks:
    if len(places) != len(targets):
        return Marks(targets=targets, is_past=is_past)
    pairs = zip(places, targets, strict=True)
    return Marks(Draft(tuple(Pair(place, target) for place, target in pairs)), is_past=is_past)


def _places(state: State, index: int) -> tuple[Pixel, ...]:
    """Return where the designated pixels of the shown run are in a frame; () if nobody knows.

    That is what the locator believed, where no judge knew better.
    """
    trial = state.trial
    assert trial is not None
    if state.pending is not None and index == state.num_done and state.pending.sources:
        return state.pending.sources
    if trial.is_believed:
        return trial.plans[index].sources if index < len(trial.plans) else ()
    if index >= len(trial.episode.tracks):
        return ()
    return tuple(Pixel(float(row), float(col)) for row, col in trial.episode.tracks[index])
