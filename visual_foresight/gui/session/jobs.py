"""The jobs of a session: set the scene, drive the control loop, ask the model, keep runs.

They run in the worker's thread, one at a time.
"""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, replace
from typing import Any

import torch

from visual_foresight.control.judge import TrialJudge, designate
from visual_foresight.control.loop import run_trial
from visual_foresight.control.replay import ReplayController
from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.gui.session.archive import Archive
from visual_foresight.gui.session.goals import Draft
from visual_foresight.gui.session.guidance.pixels import SeenThings
from visual_foresight.gui.session.guidance.remarks import remark_on
from visual_foresight.gui.session.no_goal import HAS_GOAL
from visual_foresight.gui.session.ongoing_trial import Earlier, EndedTrial, OngoingTrial
from visual_foresight.gui.session.scene import Scene
from visual_foresight.gui.session.settings import Settings, installed_models
from visual_foresight.gui.session.state import State
from visual_foresight.gui.session.trials.verdict import (
    StopRule,
    outcome_of,
)
from visual_foresight.interfaces import Controller, Drawable, Predictor, Snapshots
from visual_foresight.system.seeds import NUM_SEEDS
from visual_foresight.types import Goal, UserError
from visual_foresight.vision.arm_path import ArmView

STOPPED = "stopped"
"""Outcome of a run that somebody stopped."""
FAILED = "failed"
"""Outcome of a run that an error ended."""
MakeController = Callable[[tuple[Any, ...]], Controller]
"""Builds a controller for the physical points behind the designated pixels."""


class SessionJobs:
    """Owns the scene and the trial under way.

    Args:
        archive: where runs are kept.
        read: returns the session's present state.
        publish: changes fields of it.
        stop: set when no further action may follow.
        pause: set when the loop is to wait after the step under way.
    """

    def __init__(
        self,
        archive: Archive,
        read: Callable[[], State],
        publish: Callable[..., None],
        stop: threading.Event,
        pause: threading.Event,
    ) -> None:
        self._archive = archive
        self._read = read
        self._publish = publish
        self._stop = stop
        self._pause = pause
        self.scene = Scene(publish)
        self._ongoing: OngoingTrial | None = None
        self._ended: EndedTrial | None = None
        """The last run of this scene, to do it again or to go on with it."""
        self._num_trials = 0

    @property
    def is_under_way(self) -> bool:
        """Return whether there is a trial that can go on."""
        return self._ongoing is not None

    @property
    def points(self) -> tuple[Any, ...]:
        """Return the physical points behind the designated pixels of the trial under way."""
        return () if self._ongoing is None else self._ongoing.points

    def drop_trial(self) -> None:
        """Drop a trial that has not moved anything.

        The one method that other threads call; they do so while the worker rests.
        """
        if self._ongoing is not None:
            self._ongoing.run.remove()
        self._ongoing = None

    def close(self) -> None:
        """Free the simulators; a trial under way is kept."""
        with ExitStack() as at_end:
            at_end.callback(self.scene.close)
            at_end.callback(self._archive.close)
            self.end(STOPPED)

    # --- scene --------------------------------------------------------------------------------

    def reset(self, settings: Settings) -> None:
        """Set the scene anew; goal and trial are dropped. If that fails, the old scene stays."""
        self.end(STOPPED)
        workbench = self.scene.reset(settings)
        self._num_trials = 0
        self._ended = None
        self._publish(
            settings=settings,
            draft=Draft(),
            remark="",
            image_goal=None,
            trial=None,
            pending=None,
            fan=None,
            check=None,
            run_number=self._another_run(),
            has_moved=False,
            is_recorded=False,
            entry_name="",
            verdict=None,
            can_render=isinstance(workbench.env, Drawable),
            scene_arm=ArmView(workbench.env.info.view, workbench.env.info.limits),
            unfit_models=workbench.unfit_models(installed_models()),
            comparable_models=workbench.comparable_models(installed_models()),
            things=SeenThings.of(self.scene.present.env),
        )
        self.scene.publish_frame()

    def change_frames(self, settings: Settings) -> None:
        """Set the scene anew in the frames of the settings' model, and say so."""
        self.reset(settings)
        world = self.scene.present.world
        seen = f"frames of {world.size_text} pixels"
        if world.views:
            seen += f" from {' and '.join(world.views)}"
        self._publish(
            message=f"{settings.model} has {seen}: "
            "the scene was set anew for it, and goal and run were cleared"
        )

    def set_draft(self, draft: Draft) -> None:
        """Show a goal that is not made by hand.

        Raises:
            UserError: a pixel of it is outside the frame.
        """
        for pair in draft.pairs:
            PixelGoal((pair.source,), (pair.target or pair.source,)).check(
                self.scene.present.env.info.frame_size
            )
        self._publish(draft=draft)
        self.remark(draft)

    def remark(self, draft: Draft) -> None:
        """Say what is wrong with a goal that is being made, unless it has changed since."""
        remark = remark_on(self.scene.present.env, draft)
        if self._read().draft == draft and self._read().remark != remark:
            self._publish(remark=remark)

    # --- the control loop ---------------------------------------------------------------------

    def begin(self) -> None:
        """Begin a trial for the goal: plan, and wait."""
        self._begin_for_goal()
        self._advance(1)

    def _begin_for_goal(self) -> None:
        """Make a trial for the goal, if there is one."""
        goal = self._read().goal
        if goal is None:
            raise UserError(
                "there is no whole goal yet: "
                "click a pixel on an object, then click where it is to go"
            )
        self._begin(goal, self._controller)

    def advance(self, num_actions: int | None) -> None:
        """Carry out so many actions, or all (None); begin a trial first if there is none."""
        num_turns = num_actions
        if self._ongoing is None:
            self._begin_for_goal()
            num_turns = None if num_actions is None else 1 + num_actions  # the first only plans
        self._advance(num_turns)

    def start(self, goal: Goal, earlier: Earlier | None = None) -> None:
        """Run a trial for a goal to its end, as it is chosen (arguments as in `_begin`)."""
        self._begin(goal, self._controller, earlier=earlier)
        self._advance(None)

    @property
    def last_run(self) -> EndedTrial:
        """Return the last run of this scene.

        Raises:
            UserError: there is none.
        """
        if self._ended is None:
            raise UserError("there is no run of this scene: make a goal and press Run")
        return self._ended

    def carry_out(self, number: int) -> None:
        """Carry out one sequence of the action fan, as a trial of its own, which has no goal."""
        fan = self._read().fan
        if fan is None:
            raise UserError("the scene has changed since: imagine futures again")
        nothing = ImageGoal(self.scene.present.env.observe().frame)  # the loop wants some goal
        actions = fan.actions[number]

        def make_controller(points: tuple[Any, ...]) -> Controller:
            return ReplayController(self.predictor(points), actions)

        self._begin(nothing, make_controller, len(actions), f"fan: {fan.names[number]}")
        self._advance(None)

    def _controller(self, points: tuple[Any, ...]) -> Controller:
        return self.scene.present.controller(self._read().settings, points, self._stop)

    def predictor(self, points: tuple[Any, ...] = (), name: str = "") -> Predictor:
        """Build a model.

        Args:
            points: the physical points behind designated pixels.
            name: of the model; that of the settings by default.
        """
        settings = self._read().settings
        settings = replace(settings, model=name or settings.model)
        return self.scene.present.predictor(settings, points)

    def _begin(
        self,
        goal: Goal,
        make_controller: MakeController,
        num_steps: int | None = None,
        label: str | None = None,
        earlier: Earlier | None = None,
    ) -> None:
        """Make a trial, whose loop has not run yet.

        Args:
            goal: what is to be reached.
            make_controller: builds what plans.
            num_steps: how many actions; None: as chosen.
            label: the outcome to record; None where the final distance decides.
            earlier: what is taken over from an earlier run, if anything.
        """
        self.end(STOPPED)
        settings = self._read().settings
        env = self.scene.present.env
        points = designate(env, goal) if earlier is None else earlier.points
        rule = StopRule.of(settings) if earlier is None else earlier.rule
        controller = make_controller(points)
        if earlier is not None and earlier.start is not None:
            self._restore(earlier.start)
        number = (1000 * settings.seed + self._num_trials) % NUM_SEEDS
        rng = torch.Generator().manual_seed(number)
        self._num_trials += 1
        judge = TrialJudge.of(env, goal, points)
        run_length = num_steps or settings.num_steps
        steps = run_trial(env, controller, goal, judge, rng, run_length)
        start = env.save() if isinstance(env, Snapshots) else None
        present = self.scene.present
        notes = {**asdict(settings), HAS_GOAL: label is None}
        run = self._archive.begin(goal, present.env_name, env, notes, present.world)
        self._ongoing = OngoingTrial(
            goal, steps, controller, points, start, rule, run, settings.model, label
        )
        self._ended = None  # the world may be elsewhere from now on
        self._publish(
            fan=None,
            check=None,
            trial=None,
            pending=None,
            verdict=None,
            run_number=self._another_run(),
            run_length=run_length,
            imagined_by=settings.model,
            is_recorded=False,
            entry_name="",
            entries=self._archive.entries,
        )

    def _restore(self, start: Any) -> None:
        env = self.scene.present.env
        assert isinstance(env, Snapshots), "only such a world was saved"
        env.restore(start)
        self.scene.publish_frame()

    def _another_run(self) -> int:
        return self._read().run_number + 1

    def _advance(self, num_turns: int | None) -> None:
        """Turn the loop so many times, or to its end; the first turn only plans."""
        ongoing = self._ongoing
        assert ongoing is not None
        turns = 0
        while not self._stop.is_set() and not self._pause.is_set() and turns != num_turns:
            with ExitStack() as on_error:
                on_error.callback(self.end, FAILED)
                on_error.callback(self.scene.publish_frame)  # something may have moved
                step = ongoing.advance()
                on_error.pop_all()
            pending = None if self._stop.is_set() else ongoing.pending
            has_moved = self._read().has_moved or step.index > 0
            self._publish(trial=ongoing.trial(), pending=pending, has_moved=has_moved)
            self.scene.publish_frame()
            turns += 1
            view = self.scene.present.env.info.view
            if step.plan is None or ongoing.rule.is_met(view, ongoing.goal, step):
                self.end()
                return
        if self._stop.is_set():
            self.end(STOPPED)

    def end(self, outcome: str | None = None) -> None:
        """End the trial, if there is one; keep it, if it moved anything.

        Args:
            outcome: how it ended; None when it came to its end.
        """
        ongoing = self._ongoing
        self._ongoing = None
        if ongoing is None:
            return
        self._publish(pending=None)
        if len(ongoing.taken) < 2:
            ongoing.run.remove()
            return
        trial = ongoing.trial()
        # What was designated has moved, so the draft is dropped. A goal image stays.
        self._publish(trial=trial, draft=Draft(), remark="", has_moved=True)
        result = outcome or ongoing.label or outcome_of(trial)
        if not ongoing.label and outcome != FAILED:
            view = self.scene.present.env.info.view
            self._ended = EndedTrial.of(ongoing, trial, result, view)
            self._publish(verdict=self._ended.verdict)
        with ExitStack() as at_end:
            at_end.callback(self._publish_things)
            notes = asdict(self._read().settings)
            notes |= {HAS_GOAL: ongoing.label is None, "outcome": result}
            entry = self._archive.finish(ongoing.run, trial, notes)
            self._publish(entry_name=entry.name, entries=self._archive.entries)

    def _publish_things(self) -> None:
        self._publish(things=SeenThings.of(self.scene.present.env))

    # --- the archive --------------------------------------------------------------------------

    def open(self, name: str) -> None:
        """Show a kept run, with what was imagined when it was made."""
        trial = self._archive.open(name)
        self.end(STOPPED)
        self._publish(
            trial=trial,
            pending=None,
            run_number=self._another_run(),
            imagined_by=str(trial.episode.meta.get("model", "")),
            is_imagined_now=False,
            is_recorded=True,
            recorded_arm=self._archive.arm(name),
            entry_name=name,
            check=None,
            fan=None,
        )

    def export(self, name: str, suffix: str) -> None:
        """Write the animation of a kept run, with what was imagined when it was made.

        What is shown, or under way, stays as it is.
        """
        path = self._archive.export(name, self._archive.open(name), suffix)
        self._publish(
            message=f"Saved {path.name} in the output folder", is_error=False, animation=path
        )
