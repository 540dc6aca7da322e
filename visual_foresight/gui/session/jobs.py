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
from visual_foresight.control.loop import clip_of, run_trial
from visual_foresight.control.replay import ReplayController, reimagine
from visual_foresight.control.world import PUBLISHED, World
from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.gui.session.action_fan import imagine_fan
from visual_foresight.gui.session.archive import Archive
from visual_foresight.gui.session.check import check_model
from visual_foresight.gui.session.goals import Draft
from visual_foresight.gui.session.ongoing_trial import OngoingTrial, outcome_of
from visual_foresight.gui.session.kept_runs.kept_plans import in_memory
from visual_foresight.gui.session.settings import LIVE_ONLY, Settings
from visual_foresight.gui.session.state import State
from visual_foresight.gui.session.workbench import Workbench, world_for
from visual_foresight.interfaces import Controller, Drawable, Predictor
from visual_foresight.planning.planners.registry import make_planner
from visual_foresight.system.seeds import NUM_SEEDS
from visual_foresight.types import Episode, Goal, UserError

RENDER_SCALE = 8
"""How many times larger than a frame the high-resolution render is."""
STOPPED = "stopped"
"""Outcome of a run that somebody stopped."""
FAILED = "failed"
"""Outcome of a run that an error ended."""
MakeController = Callable[[tuple[Any, ...]], Controller]
"""Builds a controller for the physical points behind the designated pixels."""


class SessionJobs:
    """Owns the workbench and the trial under way.

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
        self._workbench: Workbench | None = None
        self._ongoing: OngoingTrial | None = None
        self._renders = False
        self._num_trials = 0

    @property
    def is_under_way(self) -> bool:
        """Return whether there is a trial that can go on."""
        return self._ongoing is not None

    def drop_trial(self) -> None:
        """Drop a trial that has not moved anything.

        The one method that other threads call; they do so while the worker rests.
        """
        self._ongoing = None

    def close(self) -> None:
        """Free the simulators; a trial under way is kept."""
        self.end(STOPPED)
        if self._workbench is not None:
            self._workbench.close()

    # --- scene --------------------------------------------------------------------------------

    def reset(self, settings: Settings) -> None:
        """Set the scene anew; goal and trial are dropped. If that fails, the old scene stays."""
        self.end(STOPPED)
        old = self._workbench
        world = self._world_for(settings)
        if old is not None and (old.env_name, old.world) == (settings.env, world):
            workbench = old
        else:
            workbench = Workbench(settings.env, world)
        with ExitStack() as on_error:
            if workbench is not old:
                on_error.callback(workbench.close)
            workbench.reset(settings)
            on_error.pop_all()
        if old is not None and workbench is not old:
            old.close()
        self._workbench = workbench
        self._num_trials = 0
        self._publish(
            settings=settings,
            draft=Draft(),
            image_goal=None,
            trial=None,
            pending=None,
            fan=None,
            check=None,
            run_number=self._another_run(),
            is_recorded=False,
            entry_name="",
            can_render=isinstance(workbench.env, Drawable),
        )
        self._publish_frame()

    def needs_other_frames(self, settings: Settings) -> bool:
        """Tell whether the model of the settings has frames of another size than the scene's.

        Other threads may ask.
        """
        present = self._workbench
        return present is not None and self._world_for(settings) != present.world

    def change_frames(self, settings: Settings) -> None:
        """Set the scene anew in the frames of the settings' model, and say so."""
        self.reset(settings)
        world = self._present.world
        seen = f"frames of {world.size_text} pixels"
        if world.views:
            seen += f" from {' and '.join(world.views)}"
        self._publish(
            message=f"{settings.model} has {seen}: "
            "the scene was set anew for it, and goal and run were cleared"
        )

    def _world_for(self, settings: Settings) -> World:
        present = self._workbench
        is_same_env = present is not None and present.env_name == settings.env
        return world_for(settings, present.world if present and is_same_env else PUBLISHED)

    def set_high_resolution(self, is_on: bool) -> None:
        """Switch the high-resolution render on or off."""
        self._renders = is_on
        self._publish_frame()

    def _publish_frame(self) -> None:
        env = self._present.env
        render = None
        if self._renders and isinstance(env, Drawable):
            render = env.draw(RENDER_SCALE)
        self._publish(frame=env.observe().frame, render=render)

    @property
    def _present(self) -> Workbench:
        if self._workbench is None:
            raise UserError(
                "there is no scene: choose an env that can be made, and press Reset"
            )
        return self._workbench

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

    def carry_out(self, number: int) -> None:
        """Carry out one sequence of the action fan, as a trial of its own."""
        fan = self._read().fan
        if fan is None:
            raise UserError("the scene has changed since: imagine futures again")
        goal = self._read().goal or ImageGoal(self._present.env.observe().frame)
        actions = fan.actions[number]

        def make_controller(points: tuple[Any, ...]) -> Controller:
            return ReplayController(self._predictor(points), actions)

        self._begin(goal, make_controller, len(actions), f"fan {fan.names[number]}")
        self._advance(None)

    def _controller(self, points: tuple[Any, ...]) -> Controller:
        return self._present.controller(self._read().settings, points, self._stop)

    def _predictor(self, points: tuple[Any, ...] = ()) -> Predictor:
        return self._present.predictor(self._read().settings, points)

    def _begin(
        self,
        goal: Goal,
        make_controller: MakeController,
        num_steps: int | None = None,
        label: str | None = None,
    ) -> None:
        """Make a trial, whose loop has not run yet."""
        self.end(STOPPED)
        settings = self._read().settings
        env = self._present.env
        points = designate(env, goal)
        controller = make_controller(points)
        number = (1000 * settings.seed + self._num_trials) % NUM_SEEDS
        rng = torch.Generator().manual_seed(number)
        self._num_trials += 1
        judge = TrialJudge.of(env, goal, points)
        steps = run_trial(env, controller, goal, judge, rng, num_steps or settings.num_steps)
        workbench = self._present
        notes = asdict(settings)
        run = self._archive.begin(goal, workbench.env_name, env, notes, workbench.world)
        self._ongoing = OngoingTrial(goal, steps, run, settings.model, label)
        self._publish(
            fan=None,
            check=None,
            trial=None,
            pending=None,
            run_number=self._another_run(),
            imagined_by=settings.model,
            is_recorded=False,
            entry_name="",
        )

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
                ongoing.advance()
                on_error.pop_all()
            pending = None if self._stop.is_set() else ongoing.pending
            self._publish(trial=ongoing.trial(), pending=pending)
            self._publish_frame()
            turns += 1
            if ongoing.pending is None:
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
        with ExitStack() as on_error:
            on_error.callback(ongoing.run.close)  # what is on disk is finished by the next start
            trial = ongoing.trial()
            notes = asdict(self._read().settings)
            notes["outcome"] = outcome or ongoing.label or outcome_of(trial)
            entry = self._archive.finish(ongoing.run, trial, notes)
            on_error.pop_all()
        # What was designated has moved, so the draft is dropped. A goal image stays.
        self._publish(
            trial=trial,
            entry_name=entry.name,
            entries=self._archive.entries,
            draft=Draft(),
        )

    # --- asking the model ---------------------------------------------------------------------

    def imagine_fan(self) -> None:
        """Imagine different actions from the present frame."""
        self.end(STOPPED)
        env = self._present.env
        goal = self._read().goal
        sources = () if goal is None else goal.sources
        points = () if goal is None else designate(env, goal)
        clip = clip_of([env.observe()], [], env.info.action_size)
        fan = imagine_fan(self._predictor(points), clip, env.info.limits, sources)
        self._publish(fan=fan)

    def check(self) -> None:
        """Compare the shown run with what the model imagines of it."""
        episode = self._episode_to_ask_about("check")
        predictor = self._predictor()
        self._publish(check=check_model(predictor, episode, reimagine(predictor, episode, 1)))

    def imagine_now(self) -> None:
        """Show of the run that is shown what the present model imagines of its actions."""
        episode = self._episode_to_ask_about("imagine anew")
        state = self._read()
        settings = state.settings
        action_size = episode.actions.shape[1]
        horizon = make_planner(settings.planner, settings.preset, action_size).horizon
        plans = in_memory(
            reimagine(self._predictor(), episode, horizon), episode.observation(0), settings.model
        )
        assert state.trial is not None
        self._publish(
            trial=replace(state.trial, plans=plans),
            imagined_by=settings.model,
            is_imagined_now=True,
        )

    def _episode_to_ask_about(self, wish: str) -> Episode:
        """Return the episode of the shown run, if the present model can imagine of it.

        Args:
            wish: what is to be done with it, for the sentence.
        """
        state = self._read()
        if state.trial is None or not state.num_done:
            raise UserError(f"there is no run to {wish}: carry something out, or open one")
        if state.settings.model in LIVE_ONLY:
            raise UserError(
                f"{state.settings.model!r} cannot be asked what it would have imagined: "
                "choose a model that learns, or still"
            )
        if not self._present.fits(state.trial.episode):
            raise UserError(
                "this run is of another world than the scene, or of frames of another size: "
                "choose its world and press Reset, or a model of its frames, and open it again"
            )
        return state.trial.episode

    # --- the archive --------------------------------------------------------------------------

    def open(self, name: str) -> None:
        """Show a kept run, with what was imagined when it was made."""
        self.end(STOPPED)
        trial = self._archive.open(name)
        self._publish(
            trial=trial,
            pending=None,
            run_number=self._another_run(),
            imagined_by=str(trial.episode.meta.get("model", "")),
            is_imagined_now=False,
            is_recorded=True,
            entry_name=name,
            check=None,
            fan=None,
        )

    def export(self, name: str, suffix: str) -> None:
        """Write the animation of a kept run; what is shown, or under way, stays as it is."""
        state = self._read()
        shown = state.trial if state.entry_name == name else None
        trial = shown or self._archive.open(name)
        path = self._archive.export(name, trial, suffix)
        self._publish(
            message=f"Saved {path.name} in the output folder", is_error=False, animation=path
        )
