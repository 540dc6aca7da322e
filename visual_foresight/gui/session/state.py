"""What there is to show at one moment.

A frozen value that the session replaces and every page draws.
"""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from visual_foresight.gui.session.action_fan import ActionFan
from visual_foresight.gui.session.archive import Entry
from visual_foresight.gui.session.check import Check
from visual_foresight.gui.session.choices import Choice
from visual_foresight.gui.session.goals import Draft
from visual_foresight.types import Goal, ImageGoal, Plan, Trial


class Status(Enum):
    """What the worker does. The value is shown."""

    STARTING = "setting the scene"
    READY = "ready"
    PLANNING = "planning"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    WORKING = "working"


IDLE = (Status.READY, Status.PAUSED)


@dataclass(frozen=True)
class State:
    """Everything a page shows that is not its own (sliders, zoom, tabs)."""

    choice: Choice
    status: Status = Status.STARTING
    message: str = ""
    """What went wrong, or what was done, in one sentence."""
    is_error: bool = False
    frame: UInt8[np.ndarray, "h w 3"] | None = None
    """The newest one."""
    large: UInt8[np.ndarray, "drawn_h drawn_w 3"] | None = None
    """The same scene at high resolution, where that is switched on."""
    can_enlarge: bool = False
    draft: Draft = Draft()
    image_goal: UInt8[np.ndarray, "h w 3"] | None = None
    trial: Trial | None = None
    """The run under way, or the last one, or one that was opened."""
    pending: Plan | None = None
    """The plan for the newest frame, none of which has been carried out."""
    is_recorded: bool = False
    """Whether the trial was opened from disk: its plans are what the present model imagines of
    it."""
    shown: str = ""
    """Name of the kept run that `trial` is, if it is one."""
    saved: Path | None = None
    """The animation written last."""
    fan: ActionFan | None = None
    check: Check | None = None
    entries: tuple[Entry, ...] = ()

    @property
    def is_idle(self) -> bool:
        """Return whether the worker waits for something to do."""
        return self.status in IDLE

    @property
    def is_free(self) -> bool:
        """Return whether goal and settings may change.

        Nothing is under way, or nothing has moved yet.
        """
        moved = self.trial is not None and len(self.trial.episode.actions) > 0
        return self.status is Status.READY or (self.status is Status.PAUSED and not moved)

    @property
    def goal(self) -> Goal | None:
        """Return the goal as it is now, if it is complete."""
        return self.draft.goal if self.image_goal is None else ImageGoal(self.image_goal)

    @property
    def plans(self) -> tuple[Plan, ...]:
        """Return the plans to show, one per step, the pending one last."""
        done = () if self.trial is None else self.trial.plans
        return done if self.pending is None else (*done, self.pending)
