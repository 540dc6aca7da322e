"""What the worker does for the session: set scenes, drive the control loop, ask the model, keep
runs.

Everything here runs in the worker's thread, one thing at a time.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8

from visual_foresight.control.interruptible import InterruptibleController
from visual_foresight.control.judge import SUCCESS_M, designate
from visual_foresight.control.loop import Step, clip_of, finish, run_trial
from visual_foresight.control.replay import ReplayController, reimagine
from visual_foresight.gui.session.action_fan import spread_actions
from visual_foresight.gui.session.archive import Archive
from visual_foresight.gui.session.check import check
from visual_foresight.gui.session.choices import NO_PAST, Bench, Choice
from visual_foresight.gui.session.goals import Draft
from visual_foresight.gui.session.state import State
from visual_foresight.interfaces import Controller, Drawable, Predictor
from visual_foresight.planning.planners.presets import PRESETS
from visual_foresight.types import Goal, ImageGoal, PixelGoal, Plan, Trial, UserError

Frame = UInt8[np.ndarray, "h w 3"]
LARGE = 8
"""How many times larger than a frame the high-resolution render is."""


@dataclass
class OngoingTrial:
    """A trial under way. `what` says what it was, should nobody stop it."""

    goal: Goal
    steps: Iterator[Step]
    what: str
    seen: list[Step] = field(default_factory=list)

    def advance(self) -> Step:
        """Carry out the pending plan's first action, look, and plan again."""
        if self.seen and (plan := self.seen[-1].plan) is not None:
            self.seen[-1] = replace(self.seen[-1], plan=_chosen_only(plan))
        self.seen.append(next(self.steps))
        return self.seen[-1]


def _chosen_only(plan: Plan) -> Plan:
    """Return a plan without the imagination of its runners-up, which takes three quarters of the memory."""
    every = plan.prediction
    best = replace(
        every,
        frames=every.frames[:1].clone(),
        pixel_maps=every.pixel_maps[:1].clone(),
        lost=every.lost[:1],
    )
    return replace(
        plan, prediction=replace(best, carry=None, members=()), runners_up=plan.runners_up[:0]
    )


class SessionActions:
    """Owns the bench and the run.

    Args:
        archive: where runs are kept.
        read: returns the session's state now.
        publish: changes fields of it.
        stop: set when no further action may follow.
        pause: set when it is to wait after the step under way.
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
        self._read, self._publish = read, publish
        self._stop, self._pause = stop, pause
        self._bench: Bench | None = None
        self._run: OngoingTrial | None = None
        self._enlarged = False
        self._num_plans = 0

    @property
    def is_under_way(self) -> bool:
        """Return whether there is a run that can go on."""
        return self._run is not None

    def forget(self) -> None:
        """Drop a run that has not moved anything.

        The one verb that other threads call, while the worker rests.
        """
        self._run = None

    def close(self) -> None:
        """Free the simulators; a run under way is kept."""
        self.end("stopped")
        if self._bench is not None:
            self._bench.close()

    # --- scene --------------------------------------------------------------------------------

    def reset(self, choice: Choice) -> None:
        """Set the scene of a choice; goal and run go."""
        self.end("stopped")
        old = self._bench
        bench = old if old is not None and old.env_name == choice.env else Bench(choice.env)
        with ExitStack() as refused:
            if bench is not old:
                refused.callback(bench.close)
            bench.reset(choice)
            refused.pop_all()
        if old is not None and bench is not old:
            old.close()
        self._bench = bench
        self._num_plans = 0
        self._publish(
            choice=choice,
            draft=Draft(),
            image_goal=None,
            trial=None,
            pending=None,
            fan=None,
            check=None,
            is_recorded=False,
            shown="",
            can_enlarge=isinstance(self._bench.env, Drawable),
        )
        self._publish_frame()

    def enlarge(self, wanted: bool) -> None:
        """Switch the high-resolution render on or off."""
        self._enlarged = wanted
        self._publish_frame()

    def _publish_frame(self) -> None:
        env = self._present.env
        large = env.draw(LARGE) if self._enlarged and isinstance(env, Drawable) else None
        self._publish(frame=env.observe().frame, large=large)

    @property
    def _present(self) -> Bench:
        if self._bench is None:
            raise UserError(
                "there is no scene: choose an env that can be made, and press Reset"
            )
        return self._bench

    # --- the loop -----------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin a run for the goal: plan, and wait."""
        self._begin(self._goal(), "run", self._controller)
        self._advance(1)

    def advance(self, num_actions: int | None) -> None:
        """Carry out so many actions, or all; begin first, if need be."""
        if self._run is None:
            self.begin()
        if self._run is not None and not self._stop.is_set():
            self._advance(num_actions)

    def replay(self, number: int) -> None:
        """Carry out one future of the fan, as a run of its own."""
        fan = self._read().fan
        if fan is None:
            raise UserError("the scene has changed since: imagine futures again")
        goal = self._read().goal or ImageGoal(self._present.env.observe().frame)
        actions = fan.actions[number]

        def make(points: tuple[Any, ...]) -> Controller:
            return ReplayController(self._predictor(points), actions)

        self._begin(goal, f"fan {fan.names[number]}", make, len(actions))
        self._advance(None)

    def _goal(self) -> Goal:
        goal = self._read().goal
        if goal is None:
            raise UserError(
                "there is no whole goal yet: click a pixel on an object, then click where it is to go"
            )
        return goal

    def _controller(self, points: tuple[Any, ...]) -> Controller:
        return self._present.controller(self._read().choice, points, self._stop)

    def _predictor(self, points: tuple[Any, ...] = ()) -> Predictor:
        return self._present.predictor(self._read().choice, points, self._stop)

    def _begin(
        self,
        goal: Goal,
        what: str,
        make: Callable[[tuple[Any, ...]], Controller],
        num_steps: int | None = None,
    ) -> None:
        self.end("stopped")
        choice, env = self._read().choice, self._present.env
        points = designate(env, goal) if isinstance(goal, PixelGoal) else ()
        controller = InterruptibleController(make(points))
        rng = torch.Generator().manual_seed(1000 * choice.seed + self._num_plans)
        self._num_plans += 1
        self._run = OngoingTrial(
            goal,
            run_trial(env, controller, goal, points, rng, num_steps or choice.num_steps),
            what,
        )
        self._publish(
            fan=None, check=None, trial=None, pending=None, is_recorded=False, shown=""
        )

    def _advance(self, num_actions: int | None) -> None:
        """Drive the loop; one turn before the first action shows the first plan."""
        run, done = self._run, 0
        assert run is not None
        while not self._stop.is_set() and not self._pause.is_set() and done != num_actions:
            with ExitStack() as failed:
                failed.callback(self.end, "failed")
                step = run.advance()
                failed.pop_all()
            pending = None if self._stop.is_set() else step.plan
            self._publish(trial=finish(run.goal, run.seen), pending=pending)
            self._publish_frame()
            done += 1
            if step.plan is None:
                self.end(run.what)
                return
        if self._stop.is_set():
            self.end("stopped")

    def end(self, outcome: str) -> None:
        """End the run, if there is one; keep it, if it did anything."""
        run, self._run = self._run, None
        if run is None:
            return
        self._publish(pending=None)
        if len(run.seen) < 2:
            return
        choice = self._read().choice
        trial = finish(run.goal, run.seen)
        if outcome == "run":
            reached = isinstance(run.goal, PixelGoal) and trial.success(SUCCESS_M)
            outcome = (
                "reached"
                if reached
                else "not reached"
                if isinstance(run.goal, PixelGoal)
                else "done"
            )
        bench = self._present
        entry = self._archive.add(
            trial, bench.env_name, bench.env, {**asdict(choice), "outcome": outcome}
        )
        # The designated pixels are elsewhere now, so the goal is done with; a goal image stays
        # one.
        self._publish(
            trial=trial, shown=entry.name, entries=self._archive.entries, draft=Draft()
        )

    # --- asking the model ---------------------------------------------------------------------

    def spread_actions(self) -> None:
        """Imagine different actions from the present frame."""
        self.end("stopped")
        env, goal = self._present.env, self._read().goal
        clip = clip_of([env.observe()], [], len(env.workspace.step))
        sources, points = (
            (goal.sources, designate(env, goal)) if isinstance(goal, PixelGoal) else ((), ())
        )
        self._publish(fan=spread_actions(self._predictor(points), clip, env.workspace, sources))

    def check(self) -> None:
        """Judge the model on the shown run."""
        state = self._read()
        if state.trial is None or not len(state.trial.episode.actions):
            raise UserError("there is no run to check: carry something out, or open one")
        predictor = self._of_the_past()
        episode = state.trial.episode
        if not self._present.fits(episode):
            raise UserError(
                "this run is of another world than the scene: choose its world, press Reset, and open it again"
            )
        self._publish(check=check(predictor, episode, reimagine(predictor, episode, 1)))

    def _of_the_past(self) -> Predictor:
        model = self._read().choice.model
        if model in NO_PAST:
            raise UserError(
                f"{model!r} cannot be asked what it would have imagined: choose a model that learns, or still"
            )
        return self._predictor()

    def open(self, name: str) -> None:
        """Show a kept run; its plans are what the present model imagines of the actions carried out, if it can."""
        self.end("stopped")
        self._publish(
            trial=self._recorded(name),
            pending=None,
            is_recorded=True,
            shown=name,
            check=None,
            fan=None,
        )

    def _recorded(self, name: str) -> Trial:
        trial, choice = self._archive.open(name), self._read().choice
        if not self._present.fits(trial.episode) or choice.model in NO_PAST:
            return trial
        return replace(
            trial,
            plans=reimagine(self._predictor(), trial.episode, PRESETS[choice.preset].horizon),
        )

    def export(self, name: str, suffix: str) -> None:
        """Write the animation of a kept run; what is shown, or under way, stays as it is."""
        state = self._read()
        trial = (
            self._recorded(name) if state.shown != name or state.trial is None else state.trial
        )
        path = self._archive.export(name, trial, suffix)
        self._publish(
            message=f"Saved {path.name} in the output folder", is_error=False, saved=path
        )
