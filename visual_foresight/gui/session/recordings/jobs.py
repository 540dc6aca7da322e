"""The jobs of a session on recorded data: open an episode, and imagine from one of its frames.

No world is made for them. What the recording does not have, such as a judge, nobody asks for.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from visual_foresight.control.config import (
    PERSISTENCE,
    SIMULATOR,
    WITHOUT_CHECKPOINT,
    WITHOUT_MODEL,
    controller_of,
    load_predictor,
)
from visual_foresight.control.loop import CLIP_FRAMES, clip_of
from visual_foresight.control.replay import imagine
from visual_foresight.control.trial import Trial
from visual_foresight.env_info import EnvInfo
from visual_foresight.episodes.info import DatasetInfo
from visual_foresight.episodes.opening import open_episodes
from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.gui.session.goals import Draft
from visual_foresight.gui.session.no_goal import NoGoal
from visual_foresight.gui.session.recordings.actions import stretches_of
from visual_foresight.gui.session.recordings.errors import errors_of, points_at
from visual_foresight.gui.session.recordings.recording import Recording
from visual_foresight.gui.session.settings import Settings, installed_models
from visual_foresight.gui.session.state import State
from visual_foresight.gui.session.workbench import NUM_RUNNERS_UP, misfit
from visual_foresight.interfaces import Predictor
from visual_foresight.predictors.checkpoints import resolve, seen_by
from visual_foresight.system.devices import find_device
from visual_foresight.types import (
    Clip,
    Episode,
    Pixel,
    Plan,
    UserError,
    Workspace,
)
from visual_foresight.vision.arm_path import ArmView

OWNER = "the recording"


class RecordingJobs:
    """Owns the data and the episode that is open.

    Args:
        data: a folder of episodes, or a dataset of another format.
        read: returns the session's present state.
        publish: changes fields of it.
        stop: set when a search is to be broken off.

    Raises:
        UserError: there are no episodes, or the first one cannot be read.
    """

    def __init__(
        self,
        data: Path,
        read: Callable[[], State],
        publish: Callable[..., None],
        stop: threading.Event,
    ) -> None:
        self._source = open_episodes(data)
        self._read = read
        self._publish = publish
        self._stop = stop
        self._info = _robot(self._source.info)
        self._episode = self._source.packed(0)
        numbers = self._source.numbers
        self.first = _opened(
            Recording(str(data), numbers, self._info.action_size), 0, self._episode
        )
        """What is shown first."""

    # --- which frame --------------------------------------------------------------------------

    def begin(self, settings: Settings) -> None:
        """Show the first frame of the first episode.

        Where the model of the settings does not fit the data, the baseline takes its place.
        """
        arm = ArmView(self._info.view, self._info.limits)
        self._publish(
            unfit_models=self.unfit_models(installed_models()),
            scene_arm=arm,
            recorded_arm=arm,
        )
        self._show(self.first)
        reason = self.why_unfit(settings.model)
        if reason:
            chosen = replace(settings, model=PERSISTENCE)
            self._publish(
                settings=chosen,
                choices=chosen,
                message=f"{settings.model} cannot imagine here ({reason}): "
                f"{PERSISTENCE} takes its place",
            )

    def open(self, position: int) -> None:
        """Show the first frame of an episode; if it cannot be read, the one before stays."""
        episode = self._source.packed(position)
        recording = _opened(self._recording, position, episode)
        self._episode = episode
        self._show(recording)

    def go_to(self, step: int) -> None:
        """Show the frame after so many actions: what is imagined starts there."""
        last = len(self._episode.actions)
        self._show(replace(self._recording, step=min(max(step, 0), last)))

    def _show(self, recording: Recording) -> None:
        step = recording.step
        places = self._episode.tracks[step].tolist()
        points = tuple(Pixel(row, col) for row, col in places)
        shown = replace(recording, points=points, errors=None)
        changes = {**self.nothing_imagined(), "recording": shown}
        self._publish(
            frame=self._episode.frames[step : step + 1][0],
            draft=Draft(),
            image_goal=None,
            **changes,
        )

    def nothing_imagined(self) -> dict[str, object]:
        """Return the changes of the state after which nothing imagined is shown."""
        state = self._read()
        return {
            "trial": None,
            "recording": replace(self._recording, errors=None),
            "is_recorded": False,
            "imagined_by": "",
            "run_number": state.run_number + 1,
        }

    def take_recorded(self) -> None:
        """Make the recorded actions from the shown frame on those that are changed by hand."""
        state = self._read()
        recording = self._recording
        stretches = stretches_of(self._recorded(state))
        actions = replace(recording.actions, kind="hand", stretches=stretches)
        self._publish(recording=replace(recording, actions=actions))

    @property
    def _recording(self) -> Recording:
        return self._read().recording or self.first

    # --- which model --------------------------------------------------------------------------

    def unfit_models(self, names: Iterable[str]) -> dict[str, str]:
        """Return the models that cannot imagine from these data -> why, in a few words."""
        reasons = {name: self.why_unfit(name) for name in names}
        return {name: reason for name, reason in reasons.items() if reason}

    def why_unfit(self, name: str) -> str:
        """Return why a model cannot imagine from these data; nothing if it can."""
        if name == SIMULATOR:
            return f"{OWNER} is no simulator"
        if name in WITHOUT_MODEL:
            return "it imagines nothing"
        if name in WITHOUT_CHECKPOINT:
            return ""
        try:
            seen = seen_by(resolve(name))
        except UserError:  # said when it is to imagine
            return ""
        if seen.frame_size != self._info.frame_size:
            has, wanted = _sides(self._info.frame_size), _sides(seen.frame_size)
            return f"{OWNER} has frames of {has}, not {wanted}"
        views = tuple(self._info.views)
        if seen.views and (seen.views[0] != views[0] or set(seen.views) - set(views)):
            return f"{OWNER} has the views {', '.join(views)}, not {', '.join(seen.views)}"
        return misfit(name, self._info, OWNER)

    def predictor(self, settings: Settings) -> Predictor:
        """Build the model of the settings.

        Raises:
            UserError: it does not fit the data, or cannot be loaded.
        """
        reason = self.why_unfit(settings.model)
        if reason:
            raise UserError(
                f"{settings.model} cannot imagine here ({reason}): choose another model"
            )
        device = find_device(settings.device)
        return load_predictor(settings.controller, self._info, device)

    # --- what is imagined ---------------------------------------------------------------------

    def imagine(self) -> None:
        """Imagine the chosen actions from the shown frame, and compare where that is possible."""
        state = self._read()
        recording = self._recording
        kind = recording.actions.kind
        predictor = self.predictor(state.settings)
        sources = tuple(pair.source for pair in state.draft.pairs)
        if kind == "planned":
            plan = self._planned(state, predictor)
        else:
            by_hand = recording.actions.by_hand() if kind == "hand" else None
            actions = self._recorded(state) if by_hand is None else by_hand
            plan = self._imagined(predictor, actions, sources, is_clipped=kind == "hand")
        if self._stop.is_set():
            return
        if not plan.prediction.frames.isfinite().all():
            raise UserError(
                f"{state.settings.model} imagines frames that are not finite: choose another model"
            )
        num_compared = len(plan.actions) if kind == "recorded" else 0
        episode = self._cut(recording.step, num_compared)
        points = points_at(episode, sources)
        known = [point for point in points if point is not None]
        errors = errors_of(plan.prediction, episode, points) if num_compared else None
        episode = replace(episode, tracks=episode.tracks[:, known])
        goal = NoGoal(sources) if state.goal is None else state.goal
        self._publish(
            trial=Trial(goal=goal, episode=episode, plans=(plan,), distances=()),
            run_number=state.run_number + 1,
            imagined_by=state.settings.model,
            is_recorded=True,
            is_imagined_now=True,
            recording=replace(recording, errors=errors),
            message=self._remark(predictor, plan),
        )

    def _recorded(self, state: State) -> np.ndarray:
        """Return the recorded actions from the shown frame on, at most as many as chosen."""
        step = self._recording.step
        actions = self._episode.actions[step : step + state.settings.num_steps]
        if not len(actions):
            raise UserError(
                "no action was recorded after this frame: choose an earlier one, or make actions "
                "by hand"
            )
        return actions

    def _imagined(
        self,
        predictor: Predictor,
        actions: np.ndarray,
        sources: tuple[Pixel, ...],
        is_clipped: bool,
    ) -> Plan:
        """Return what the model makes of some actions.

        Args:
            predictor: the model.
            actions: "t a".
            sources: pixels that are followed.
            is_clipped: whether the actions are cut to what the robot would carry out.
        """
        start_s = time.perf_counter()
        clip = self.clip()
        taken = torch.from_numpy(np.array(actions, np.float32))[None]
        if is_clipped:
            taken = self._info.limits.clip(clip.states[0, -1], taken)
        prediction = imagine(predictor, clip, taken, [sources])
        seconds = time.perf_counter() - start_s
        return Plan(taken[0], sources, replace(prediction, carry=None), (), seconds)

    def _planned(self, state: State, predictor: Predictor) -> Plan:
        """Return what the planner finds for the goal."""
        if state.goal is None:
            raise UserError(
                "there is no whole goal to plan for: click a pixel on an object, then click where "
                "it is to go"
            )
        controller = controller_of(
            state.settings.controller,
            self._info,
            predictor,
            decode_best=True,
            num_runners_up=NUM_RUNNERS_UP,
            stop=self._stop,
        )
        rng = torch.Generator().manual_seed(state.settings.seed % 2**63)
        plan = controller.plan(self.clip(), state.goal, None, rng)
        return replace(plan, prediction=replace(plan.prediction, carry=None), memory=None)

    def _remark(self, predictor: Predictor, plan: Plan) -> str:
        """Return what is to be known of what was imagined; mostly nothing."""
        recording = self._recording
        seen = recording.step + 1
        if seen < predictor.context:
            return (
                f"the model looks at {predictor.context} frames, and the recording has {seen} "
                "up to here: the first one was repeated"
            )
        if recording.actions.kind == "hand":
            asked = recording.actions.by_hand()
            if np.abs(asked - plan.actions.detach().cpu().numpy()).max() > 1e-6:
                return "the actions were cut to what the arm can carry out in its workspace"
        return ""

    def clip(self) -> Clip:
        """Return what was seen up to the shown frame."""
        step = self._recording.step
        first = max(step + 1 - CLIP_FRAMES, 0)
        episode = self._cut(first, step - first)
        seen = [episode.observation(each) for each in range(len(episode.frames))]
        return clip_of(seen, list(episode.actions), self._info.action_size)

    def _cut(self, first: int, num_actions: int) -> Episode:
        """Return a part of the open episode."""
        whole = self._episode
        actions = slice(first, first + num_actions)
        frames = slice(first, first + num_actions + 1)
        return Episode(
            actions=whole.actions[actions],
            frames=whole.frames[frames],
            states=whole.states[frames],
            tracks=whole.tracks[frames],
            other_views={name: each[frames] for name, each in whole.other_views.items()},
        )


def _robot(info: DatasetInfo) -> EnvInfo:
    """Return what the robot had that recorded the episodes."""
    workspace = info.workspace if isinstance(info.workspace, Workspace) else None
    return EnvInfo(
        views=info.views,
        action_size=info.action_size,
        state_size=info.state_size,
        workspace=workspace,
        renderer=info.renderer,
    )


def _opened(recording: Recording, position: int, episode: PackedEpisode) -> Recording:
    """Return a recording at the first frame of another episode."""
    return replace(
        recording,
        position=position,
        num_steps=len(episode.actions),
        step=0,
        errors=None,
    )


def _sides(frame_size: tuple[int, int]) -> str:
    return "x".join(map(str, frame_size))
