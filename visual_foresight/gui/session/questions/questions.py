"""What a session asks its model: futures of other actions, and what it thinks of a run."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from visual_foresight.control.interruptible import StoppedError
from visual_foresight.control.judge import designate
from visual_foresight.control.loop import clip_of
from visual_foresight.control.replay import reimagine
from visual_foresight.gui.session.jobs import STOPPED, SessionJobs
from visual_foresight.gui.session.kept_runs.kept_plans import in_memory
from visual_foresight.gui.session.no_goal import goal_of
from visual_foresight.gui.session.questions.action_fan import imagine_fan
from visual_foresight.gui.session.questions.check import check_model
from visual_foresight.gui.session.questions.compare import (
    Comparison,
    Named,
    compare_plan,
    compare_run,
)
from visual_foresight.gui.session.settings import LIVE_ONLY
from visual_foresight.gui.session.state import State
from visual_foresight.planning.planners.registry import make_planner
from visual_foresight.types import Episode, Plan, UserError


class Questions:
    """More jobs of a session, done in the worker's thread (arguments as in `SessionJobs`)."""

    def __init__(
        self,
        jobs: SessionJobs,
        read: Callable[[], State],
        publish: Callable[..., None],
    ) -> None:
        self._jobs = jobs
        self._read = read
        self._publish = publish
        self.break_off = threading.Event()
        """Set when the answer under way is not wanted any more; then `StoppedError` ends it."""

    def imagine_fan(self) -> None:
        """Imagine different actions from the present frame."""
        self._jobs.end(STOPPED)
        env = self._jobs.scene.present.env
        goal = self._read().goal
        sources = () if goal is None else goal.sources
        points = () if goal is None else designate(env, goal)
        clip = clip_of([env.observe()], [], env.info.action_size)
        fan = imagine_fan(self._jobs.predictor(points), clip, env.info.limits, sources)
        self._publish(fan=fan)

    def check(self) -> None:
        """Compare the shown run with what the model imagines of it."""
        episode = self._episode_to_ask_about("check")
        predictor = self._jobs.predictor()
        plans = self._watched(reimagine(predictor, episode, 1))
        self._publish(check=check_model(predictor, episode, plans))

    def compare(self, other: str) -> None:
        """Have another model imagine the plan that is ready; or else both, the shown run.

        Args:
            other: its name.
        """
        state = self._read()
        named = f"{state.settings.model} with {other}"
        self._publish(message=f"Comparing {named}")
        if state.pending is None:
            comparison = self._compare_run(other)
        else:
            comparison = self._compare_plan(state.pending, other)
        self._publish(comparison=comparison, message=f"Compared {named}")

    def _compare_plan(self, plan: Plan, other: str) -> Comparison:
        """Have another model imagine the plan that is ready."""
        state = self._read()
        assert state.trial is not None, "a plan belongs to a trial"
        if not plan.prediction.gives:
            raise UserError(
                f"{state.settings.model!r} imagines nothing that could be compared: "
                "plan with a model"
            )
        episode = state.trial.episode
        seen = [episode.observation(step) for step in range(len(episode.frames))]
        clip = clip_of(seen, list(episode.actions), plan.actions.shape[-1])
        model = Named(other, self._jobs.predictor(self._jobs.points, other))
        goal = goal_of(state.trial)
        return compare_plan(plan, state.imagined_by, model, clip, goal, state.num_done)

    def _compare_run(self, other: str) -> Comparison:
        """Have two models imagine the actions that were carried out."""
        state = self._read()
        names = (state.settings.model, other)
        episode = self._episode_to_ask_about("compare", names)
        assert state.trial is not None
        return compare_run(
            (
                Named(names[0], self._jobs.predictor(name=names[0])),
                Named(names[1], self._jobs.predictor(name=names[1])),
            ),
            episode,
            goal_of(state.trial),
            self._horizon(episode),
            self._watched,
        )

    def _horizon(self, episode: Episode) -> int:
        """Return how many actions ahead the planner of the settings plans."""
        settings = self._read().settings
        action_size = episode.actions.shape[1]
        return make_planner(settings.planner, settings.preset, action_size).horizon

    def _watched(self, plans: Iterable[Plan]) -> Iterator[Plan]:
        """Hand plans on one by one, and break off when nobody wants more of them."""
        for plan in plans:
            if self.break_off.is_set():
                raise StoppedError
            yield plan

    def imagine_now(self) -> None:
        """Show of the run that is shown what the present model imagines of its actions."""
        episode = self._episode_to_ask_about("imagine anew")
        state = self._read()
        model = state.settings.model
        imagined = reimagine(self._jobs.predictor(), episode, self._horizon(episode))
        plans = in_memory(self._watched(imagined), episode.observation(0), model)
        assert state.trial is not None
        self._publish(
            trial=replace(state.trial, plans=plans),
            imagined_by=model,
            is_imagined_now=True,
        )

    def _episode_to_ask_about(self, wish: str, names: tuple[str, ...] = ()) -> Episode:
        """Return the episode of the shown run, if models can imagine of it.

        Args:
            wish: what is to be done with it, for the sentence.
            names: of the models; by default the one of the settings.
        """
        state = self._read()
        if state.trial is None or not state.num_done:
            raise UserError(f"there is no run to {wish}: carry something out, or open one")
        for name in names or (state.settings.model,):
            if name not in LIVE_ONLY:
                continue
            raise UserError(
                f"{name!r} cannot be asked what it would have imagined: "
                "choose a model that learns, or still"
            )
        if not self._jobs.scene.present.fits(state.trial.episode):
            raise UserError(
                "this run is of another world than the scene, or of frames of another size: "
                "choose its world and press Reset, or a model of its frames, and open it again"
            )
        return state.trial.episode
