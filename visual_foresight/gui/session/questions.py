"""What a session asks its model: futures of other actions, and what it thinks of a run."""

from collections.abc import Callable
from dataclasses import replace

from visual_foresight.control.judge import designate
from visual_foresight.control.loop import clip_of
from visual_foresight.control.replay import reimagine
from visual_foresight.gui.session.action_fan import imagine_fan
from visual_foresight.gui.session.check import check_model
from visual_foresight.gui.session.jobs import STOPPED, SessionJobs
from visual_foresight.gui.session.kept_runs.kept_plans import in_memory
from visual_foresight.gui.session.settings import LIVE_ONLY
from visual_foresight.gui.session.state import State
from visual_foresight.planning.planners.registry import make_planner
from visual_foresight.types import Episode, UserError


class Questions:
    """More jobs of a session, done in the worker's thread (arguments as in `SessionJobs`)."""

    def __init__(
        self, jobs: SessionJobs, read: Callable[[], State], publish: Callable[..., None]
    ) -> None:
        self._jobs = jobs
        self._read = read
        self._publish = publish

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
        self._publish(check=check_model(predictor, episode, reimagine(predictor, episode, 1)))

    def imagine_now(self) -> None:
        """Show of the run that is shown what the present model imagines of its actions."""
        episode = self._episode_to_ask_about("imagine anew")
        state = self._read()
        settings = state.settings
        action_size = episode.actions.shape[1]
        horizon = make_planner(settings.planner, settings.preset, action_size).horizon
        plans = in_memory(
            reimagine(self._jobs.predictor(), episode, horizon),
            episode.observation(0),
            settings.model,
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
        if not self._jobs.scene.present.fits(state.trial.episode):
            raise UserError(
                "this run is of another world than the scene, or of frames of another size: "
                "choose its world and press Reset, or a model of its frames, and open it again"
            )
        return state.trial.episode
