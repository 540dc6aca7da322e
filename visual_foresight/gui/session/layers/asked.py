"""Asks the model about a plan that is shown: only when a page wants it, and once for each plan."""

from collections.abc import Callable
from dataclasses import replace

from visual_foresight.control.loop import clip_of
from visual_foresight.gui.session.jobs import SessionJobs
from visual_foresight.gui.session.layers.answers import (
    Answer,
    NoAnswer,
    Wish,
    flow_of,
    things_of,
)
from visual_foresight.gui.session.recordings.jobs import RecordingJobs
from visual_foresight.gui.session.settings import LIVE_ONLY
from visual_foresight.gui.session.state import State
from visual_foresight.types import UserError

NUM_KEPT = 24
"""Answers that the session remembers, those found last; a flow has some 25 kB."""


class AskedLayers:
    """More jobs of a session, done in the worker's thread.

    Args:
        jobs: of a world.
        read: as in `SessionJobs`.
        publish: as in `SessionJobs`.
        recordings: the jobs of recorded data, where there is such data in place of a world.
    """

    def __init__(
        self,
        jobs: SessionJobs,
        read: Callable[[], State],
        publish: Callable[..., None],
        recordings: RecordingJobs | None = None,
    ) -> None:
        self._jobs = jobs
        self._recordings = recordings
        self._read = read
        self._publish = publish
        self.is_asked = False
        """Whether a question waits for its answer."""

    def answer(self, wish: Wish) -> None:
        """Find out what a page wishes to see, unless that is known, or shown no more."""
        try:
            self._answer(wish)
        finally:
            self.is_asked = False
            self._publish()  # so that pages ask on

    def _answer(self, wish: Wish) -> None:
        state = self._read()
        if wish in state.answers or wish.run != state.run_of_plans:
            return
        if wish.step >= len(state.plans):
            return
        try:
            answer = self._ask(wish, state)
        except UserError as error:
            answer = NoAnswer(str(error))
        kept = dict(list(state.answers.items())[1 - NUM_KEPT :])
        self._publish(answers={**kept, wish: answer})

    def _ask(self, wish: Wish, state: State) -> Answer:
        """Ask the model that imagined a plan.

        Raises:
            UserError: it cannot be asked, or cannot say.
        """
        model = state.imagined_by
        if model in LIVE_ONLY:
            raise UserError(f"{model} cannot be asked about a plan: choose a model that learns")
        assert state.trial is not None
        plan = state.plans[wish.step]
        if wish.rank > len(plan.runners_up):
            raise UserError("the search kept no other plan of this rank: choose another plan")
        actions = plan.runners_up[wish.rank - 1] if wish.rank else plan.actions
        ask = flow_of if wish.layer == "flow" else things_of
        if self._recordings is not None:
            clip = self._recordings.clip()
            predictor = self._recordings.predictor(replace(state.settings, model=model))
            return ask(predictor, clip, actions.to(clip.frames))
        episode = state.trial.episode
        present = self._jobs.scene.present
        if state.is_recorded and not present.fits(episode):
            raise UserError("this run is of another world than the scene: choose its world")
        clip = clip_of(
            [episode.observation(step) for step in range(wish.step + 1)],
            list(episode.actions[: wish.step]),
            present.env.info.action_size,
        )
        return ask(self._jobs.predictor(name=model), clip, actions.to(clip.frames))
