"""What there is to show: a frozen value that the session replaces and every page draws."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from visual_foresight.control.trial import Trial
from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.gui.session.gallery.entry import Entry
from visual_foresight.gui.session.goals import Draft
from visual_foresight.gui.session.guidance.pixels import SeenThings
from visual_foresight.gui.session.kept_runs.kept_plans import PlansThen
from visual_foresight.gui.session.layers.answers import Answer, Wish
from visual_foresight.gui.session.questions.action_fan import ActionFan
from visual_foresight.gui.session.questions.check import ModelCheck
from visual_foresight.gui.session.questions.compare import Comparison
from visual_foresight.gui.session.recordings.recording import Recording
from visual_foresight.gui.session.settings import SCENE_FIELDS, Settings
from visual_foresight.gui.session.trials.batch import Batch
from visual_foresight.gui.session.trials.verdict import Verdict
from visual_foresight.types import Goal, Plan
from visual_foresight.vision.arm_path import ArmView

Frame = UInt8[np.ndarray, "h w 3"]


class Status(Enum):
    """What the worker is doing; the value is the text that the page shows."""

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
    """Everything that all pages share; sliders, zoom and tabs are a page's own."""

    settings: Settings
    """What is in effect: the scene, and what plans in it."""
    choices: Settings
    """What is chosen: see `Session.choose`."""
    recording: Recording | None = None
    """What stands behind the page: an episode of recorded data, or None for a world. Then the trial
    is what was imagined from the recording's frame, beside what was recorded."""
    status: Status = Status.STARTING
    message: str = ""
    """What went wrong, or what was done, in one sentence."""
    is_error: bool = False
    """Whether the message says that something went wrong."""
    is_compiling: bool = False
    """Whether what is under way waits for code to be compiled, once after an installation."""
    frame: Frame | None = None
    """The newest frame."""
    render: UInt8[np.ndarray, "drawn_h drawn_w 3"] | None = None
    """The present scene at high resolution, while that is switched on."""
    can_render: bool = False
    """Whether the env can be shown at high resolution."""
    scene_arm: ArmView | None = None
    """Where in the frame actions take the arm of the scene."""
    recorded_arm: ArmView | None = None
    """The same for the arm of the run that was opened from disk."""
    things: SeenThings | None = None
    """What the frame shows, where the world can tell; of an older frame while a run moves it."""
    draft: Draft = Draft()
    """The designated pixels and goal pixels clicked so far."""
    remark: str = ""
    """What is wrong with the draft, in one sentence; nothing if it can be planned for."""
    can_undo: bool = False
    """Whether there is a change of the goal to take back."""
    image_goal: ImageGoal | None = None
    """The goal image, which takes the place of the draft."""
    trial: Trial | None = None
    """The run under way, or the last one, or one that was opened."""
    pending: Plan | None = None
    """The plan for the newest frame, of which nothing has been carried out."""
    run_number: int = 0
    """Another one for each run that is shown: tells one from another without holding it."""
    imagined_by: str = ""
    """The name of the model whose plans are shown."""
    run_length: int = 0
    """How many actions the run under way takes, unless it ends sooner."""
    has_moved: bool = False
    """Whether the robot has moved anything since the scene was set."""
    is_recorded: bool = False
    """Whether the trial was opened from disk."""
    is_imagined_now: bool = False
    """Whether the plans of a trial from disk are what a model was asked for since, of the actions
    carried out, not what was imagined when the run was made."""
    entry_name: str = ""
    """Name of the archive's entry that `trial` is, if it has been kept."""
    animation: Path | None = None
    """The animation written last."""
    verdict: Verdict | None = None
    """What became of the last run of this scene."""
    batch: Batch | None = None
    """The batch of runs under way, or the last one."""
    answers: Mapping[Wish, Answer] = field(default_factory=dict)
    """What models have said of plans that are shown, or were: see `Session.ask`."""
    fan: ActionFan | None = None
    check: ModelCheck | None = None
    """How wrong the model is about the shown run."""
    comparison: Comparison | None = None
    """What two models imagine of the shown plan or run."""
    unfit_models: Mapping[str, str] = field(default_factory=dict)
    """Installed models that cannot plan in the present world -> why, in a few words."""
    comparable_models: tuple[str, ...] = ()
    """Installed models that can imagine what is seen in the present world, in its frames."""
    entries: tuple[Entry, ...] = ()
    """The runs in the archive."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """Name of a run -> what somebody wrote about it."""
    is_view_only: bool = False
    """Whether the page that shows this steers nothing."""

    @property
    def is_idle(self) -> bool:
        """Return whether the worker waits for something to do."""
        return self.status in IDLE

    @property
    def is_editable(self) -> bool:
        """Return whether goal and settings may change: the worker rests, and no run has moved."""
        return self.status is Status.READY or (
            self.status is Status.PAUSED and not self.num_done
        )

    @property
    def can_start(self) -> bool:
        """Return whether the page that shows this can start something."""
        return self.is_idle and not self.is_view_only

    @property
    def can_edit(self) -> bool:
        """Return whether the page that shows this can change goal and settings."""
        return self.is_editable and not self.is_view_only

    @property
    def num_moved(self) -> int:
        """Return how many actions of a run in this scene are shown; 0 for a recording."""
        if self.trial is None or self.is_recorded:
            return 0
        return len(self.trial.episode.actions)

    @property
    def waits_for_reset(self) -> tuple[str, ...]:
        """Return the names of the scene's settings that are chosen, but not in effect yet."""
        return tuple(
            name
            for name in SCENE_FIELDS
            if getattr(self.choices, name) != getattr(self.settings, name)
        )

    @property
    def arm(self) -> ArmView | None:
        """Return where in the frame actions take the arm that is shown."""
        return self.recorded_arm if self.is_recorded else self.scene_arm

    @property
    def goal(self) -> Goal | None:
        """Return the goal as it is now, if it is complete."""
        return self.draft.goal if self.image_goal is None else self.image_goal

    @property
    def plans(self) -> Sequence[Plan]:
        """Return the plans to show, one per step, the pending one last."""
        done = () if self.trial is None else self.trial.plans
        return done if self.pending is None else PlansThen(done, self.pending)

    @property
    def num_done(self) -> int:
        """Return how many actions of the shown run have been carried out."""
        return 0 if self.trial is None else len(self.trial.episode.actions)

    @property
    def run_of_plans(self) -> tuple[int, str, bool]:
        """Return what tells the plans that are shown from those of other runs and models."""
        return (self.run_number, self.imagined_by, self.is_imagined_now)

    @property
    def run_shown(self) -> tuple[object, ...]:
        """Return what is equal as long as the shown run and its plans are the same."""
        has_plan = self.pending is not None
        return (*self.run_of_plans, self.trial is None, self.num_done, has_plan)

    @property
    def asked_about(self) -> tuple[object, ...]:
        """Return what is equal as long as what models were asked of the shown run is true of it."""
        has_plan = self.pending is not None
        run = (self.run_number, self.trial is None, self.num_done, has_plan)
        return (*run, self.settings.model)
