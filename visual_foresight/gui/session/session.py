"""The session: one scene, one goal, one trial at a time, and the thread that works on them.

Every method returns at once; what comes of it appears in `state`, a value that is replaced as a
whole. All pages show the same session, since there is one robot.
"""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.gui.session.archive import Archive
from visual_foresight.gui.session.gallery.gallery import Gallery
from visual_foresight.gui.session.gallery.run_editor import RunEditor
from visual_foresight.gui.session.goals import Draft
from visual_foresight.gui.session.guidance.seen import describe_pixel_in
from visual_foresight.gui.session.jobs import STOPPED, SessionJobs
from visual_foresight.gui.session.layers.answers import Wish
from visual_foresight.gui.session.layers.asked import AskedLayers
from visual_foresight.gui.session.questions.questions import Questions
from visual_foresight.gui.session.recordings.desk import RecordingDesk
from visual_foresight.gui.session.recordings.jobs import RecordingJobs
from visual_foresight.gui.session.settings import Settings, checkpoint_named
from visual_foresight.gui.session.shift import Shift
from visual_foresight.gui.session.state import State, Status
from visual_foresight.gui.session.trials.repeats import Repeats
from visual_foresight.gui.session.worker import CompilingHandler, Job
from visual_foresight.types import Pixel, UserError

EMPTY = Draft()
OF_WORLDS = (Status.STARTING, Status.RUNNING)
"""What nothing is in while a recording stands behind the page."""
NO_WORLD = "this page shows recorded data: nothing can be moved, or set anew"


class Session:
    """Owns the state and the worker.

    Args:
        settings: what to begin with.
        out: the folder for everything that is written.
        data: recorded episodes, to imagine from; None: a world is made, to plan in.

    Raises:
        UserError: the data cannot be opened, or their first episode cannot be read.
    """

    def __init__(self, settings: Settings, out: Path, data: Path | None = None) -> None:
        archive = Archive(out)
        self.state = State(settings, settings, entries=archive.entries)
        self._lock = threading.RLock()
        self._version = 0
        self._history: list[tuple[Draft, ImageGoal | None]] = []
        """Earlier goals of this scene, for `undo`."""
        self._stop = threading.Event()
        self._pause = threading.Event()
        self._jobs = SessionJobs(
            archive, lambda: self.state, self._publish, self._stop, self._pause
        )
        self.gallery = Gallery(archive)
        """Pictures and exports of the kept runs, which any thread may ask for."""
        self._run_editor = RunEditor(archive, lambda: self.state, self._publish)
        self._questions = Questions(self._jobs, lambda: self.state, self._publish)
        self._repeats = Repeats(self._jobs, lambda: self.state, self._publish, self._stop)
        self.recordings: RecordingDesk | None = None
        """What is done with recorded data; None where there is a world."""
        set_up = self._jobs.reset
        jobs = None
        if data is not None:
            jobs = RecordingJobs(data, lambda: self.state, self._publish, self._stop)
            self.state = replace(self.state, recording=jobs.first)
            self.recordings = RecordingDesk(
                jobs,
                lambda: self.state,
                self._publish,
                self._submit_with_choices,
                self._forget_goals,
            )
            set_up = jobs.begin
        self._layers = AskedLayers(self._jobs, lambda: self.state, self._publish, jobs)
        self._compiling = CompilingHandler(self._publish)
        self._shift = Shift(
            self._jobs,
            self._lock,
            self._publish,
            self._stop,
            (self._pause, self._questions.break_off),
        )
        self._shift.start(Status.STARTING, lambda: set_up(settings))

    @property
    def version(self) -> int:
        """Return a number that grows with every change of `state`."""
        return self._version

    def close(self) -> None:
        """Stop, and free everything."""
        self._stop.set()
        self._questions.break_off.set()
        self._shift.close()
        self._compiling.close()

    # --- goal and settings: changed at once, in the caller's thread ---------------------------

    def edit(self, draft: Draft, remember: bool = True) -> None:
        """Replace the pairs of pixels.

        Args:
            draft: the new pairs.
            remember: whether `undo` returns to the old ones (a drag is remembered once).
        """
        with self._lock:
            is_new = draft != self.state.draft or self.state.image_goal is not None
            if is_new and self._make_editable():
                if remember:
                    self._history.append((self.state.draft, self.state.image_goal))
                self._publish(draft=draft, image_goal=None)
                self._remark()

    def _remark(self) -> None:
        """Have the worker say what is wrong with the goal so far; it rests, so that is soon."""
        draft = self.state.draft
        if self.recordings is None:
            self._shift.add(lambda: self._jobs.remark(draft))

    def set_goal_image(self, image: ImageGoal) -> None:
        """Make an image the goal."""
        with self._lock:
            if self._make_editable():
                self._history.append((self.state.draft, self.state.image_goal))
                self._publish(image_goal=image)

    def undo(self) -> None:
        """Take back the last change of the goal."""
        with self._lock:
            if self._history and self._make_editable():
                draft, image_goal = self._history.pop()
                self._publish(draft=draft, image_goal=image_goal)
                self._remark()

    def choose(self, choices: Settings) -> bool:
        """Choose other settings, on all pages.

        Those of the scene take effect with `reset`, the others with the next plan. A model of other
        frames takes effect at once, so that a goal is made on its frames.

        Returns:
            Whether the scene stays; if not, the worker sets it anew.
        """
        with self._lock:
            is_other_model = choices.model != self.state.choices.model
            if choices != self.state.choices:
                self._publish(choices=choices)
            settings = choices.in_scene_of(self.state.settings)
            if not is_other_model or not self.state.is_editable:
                return True
            return not self._jobs.scene.needs_other_frames(settings) or self._take_choices()

    def choose_checkpoint(self, folder: str) -> bool:
        """Choose a model by its checkpoint's folder, on all pages; tell whether that was possible.

        If not, what is wrong with it is said.
        """
        try:
            name = checkpoint_named(folder)
            own = self.recordings or self._jobs.scene
            reason = own.why_unfit(name)
            if reason:
                raise UserError(f"{name} cannot plan here ({reason}): type another folder")
            choices = replace(self.state.choices, model=name)
        except UserError as error:
            self.show_message(str(error), is_error=True)
            return False
        self.show_message("")
        self.choose(choices)
        return True

    def _take_choices(self) -> bool:
        """Put the choices into effect, but for those of the scene; tell whether the scene stays.

        If not, what is asked for now must wait until the worker has set it anew.
        """
        with self._lock:
            settings = self.state.choices.in_scene_of(self.state.settings)
            if settings == self.state.settings or not self._make_editable():
                return True
            self._publish(settings=settings, fan=None)
            if not self._jobs.scene.needs_other_frames(settings):
                return True
            self._shift.start(Status.STARTING, lambda: self._change_frames(settings))
            return False

    def close_recording(self) -> None:
        """Return from a recording to the scene."""
        with self._lock:
            if self.state.is_recorded and self._make_editable():
                number = self.state.run_number + 1
                self._publish(trial=None, run_number=number, is_recorded=False, entry_name="")

    def describe_pixel(self, pixel: Pixel) -> str:
        """Return what a pixel of the present frame shows, as "an object"; "" if unknown."""
        return describe_pixel_in(self.state, pixel)

    def ask(self, wish: Wish) -> bool:
        """Have the worker ask the model about a plan, if it rests; tell whether it does.

        One question waits at a time, so that none keeps a run waiting for long. What comes of it
        appears in `state.answers`; nothing else changes.
        """
        with self._lock:
            may_ask = self.state.is_idle and not self._layers.is_asked
            if may_ask:
                self._layers.is_asked = True
                self._shift.add(lambda: self._layers.answer(wish))
            return may_ask

    def show_message(self, sentence: str, is_error: bool = False) -> None:
        """Show a sentence."""
        self._publish(message=sentence, is_error=is_error)

    def _make_editable(self) -> bool:
        """Tell whether goal and settings may change; if so, drop a plan not yet carried out."""
        if not self.state.is_editable:
            return False
        if self.state.status is Status.PAUSED:
            self._jobs.drop_trial()
            self._publish(status=Status.READY, trial=None, pending=None)
        if self.recordings is not None:
            self.recordings.forget_imagined()
        self._publish(message="", is_error=False)
        return True

    # --- what takes time: done by the worker --------------------------------------------------

    def reset(self, settings: Settings | None = None, draft: Draft = EMPTY) -> None:
        """Set the scene anew, as it is chosen.

        Args:
            settings: chosen first; None: those chosen before.
            draft: the goal to begin with.
        """
        with self._lock:
            if settings is not None:
                self._publish(choices=settings)
            chosen = self.state.choices

        def reset_scene() -> None:
            self._jobs.reset(chosen)
            self._forget_goals()
            self._jobs.set_draft(draft)

        self._submit(Status.STARTING, reset_scene)

    def _open_for(self, choices: Settings, name: str) -> None:
        """Show a kept run, in a scene of the frames of the model that is chosen."""
        settings = choices.in_scene_of(self.state.settings)
        if self._jobs.scene.needs_other_frames(settings):
            self._change_frames(settings)
        self._jobs.open(name)

    def _change_frames(self, settings: Settings) -> None:
        self._jobs.change_frames(settings)
        self._forget_goals()

    def _forget_goals(self) -> None:
        """Forget earlier goals, which were of another scene."""
        with self._lock:
            self._history.clear()
            self._publish()

    def plan(self) -> None:
        """Plan from the present frame, without moving."""
        self._submit_with_choices(Status.PLANNING, self._jobs.begin)

    def step(self) -> None:
        """Carry out one action."""
        self._submit_with_choices(Status.RUNNING, lambda: self._jobs.advance(1))

    def run(self) -> None:
        """Carry out action after action."""
        self._submit_with_choices(Status.RUNNING, lambda: self._jobs.advance(None))

    def again(self) -> None:
        """Do the last run again: the same scene and goal, with what is chosen now."""
        self._submit_with_choices(Status.RUNNING, self._repeats.again)

    def go_on(self) -> None:
        """Go on with the last run until it is nearer to its goal."""
        self._submit_with_choices(Status.RUNNING, self._repeats.go_on)

    def run_batch(self, num_scenes: int) -> None:
        """Run one scene after the other, each for a task that the benchmark draws."""

        def run_batch() -> None:
            try:
                self._repeats.run_batch(num_scenes)
            finally:
                self._forget_goals()

        self._submit_with_choices(Status.RUNNING, run_batch)

    def pause(self) -> None:
        """Wait after the step under way."""
        self._pause.set()

    def stop(self) -> None:
        """End the run: no action follows, and a search or an answer under way is broken off."""
        with self._lock:
            if self.state.status in (Status.PLANNING, Status.RUNNING, Status.WORKING):
                is_question = self.state.status is Status.WORKING
                event = self._questions.break_off if is_question else self._stop
                event.set()
                self._publish(status=Status.STOPPING)
            elif self.state.status is Status.PAUSED:
                self._submit(Status.STOPPING, lambda: self._jobs.end(STOPPED))

    def imagine_fan(self) -> None:
        """Imagine what different actions lead to from here."""
        self._submit_with_choices(Status.WORKING, self._questions.imagine_fan)

    def carry_out(self, number: int) -> None:
        """Carry out one sequence of the action fan."""
        self._submit(Status.RUNNING, lambda: self._jobs.carry_out(number))

    def check(self) -> None:
        """Compare the shown run with what the model imagines of it."""
        self._submit_with_choices(Status.WORKING, self._questions.check)

    def compare(self, other: str) -> None:
        """Have another model imagine the plan that is ready, which stays, or else the shown run."""
        with self._lock:
            submit = self._submit if self.state.pending else self._submit_with_choices
            submit(Status.WORKING, lambda: self._questions.compare(other))

    def imagine_now(self) -> None:
        """Show of a run from disk what the present model imagines of its actions."""
        self._submit_with_choices(Status.WORKING, self._questions.imagine_now)

    def open(self, name: str, choices: Settings | None = None) -> None:
        """Show a run that was kept.

        Args:
            name: of the run.
            choices: chosen first, with the scene set anew where the model needs other frames.
        """
        if choices is None:
            self._submit(Status.WORKING, lambda: self._jobs.open(name))
        else:
            self._publish(choices=choices)
            self._submit(Status.WORKING, lambda: self._open_for(choices, name))

    def export(self, name: str, suffix: str) -> None:
        """Write the animation of a run that was kept."""
        self._submit(Status.WORKING, lambda: self._jobs.export(name, suffix))

    def delete(self, name: str) -> None:
        """Delete a run that was kept, and what was made of it."""
        self._submit(Status.WORKING, lambda: self._run_editor.delete(name))

    def write_note(self, name: str, text: str) -> bool:
        """Write a note about a run, also while another one is under way; tell whether it is kept.

        It waits for the disk: call it in a thread.
        """
        return self._run_editor.write_note(name, text)

    def set_high_resolution(self, is_on: bool) -> None:
        """Switch the high-resolution render on or off."""
        self._submit(Status.WORKING, lambda: self._jobs.scene.set_high_resolution(is_on))

    def _submit(self, status: Status, job: Job) -> None:
        """Start a job, unless another page was quicker and the worker is busy."""
        with self._lock:
            if self.recordings is not None and status in OF_WORLDS:
                self.show_message(NO_WORLD, is_error=True)
            elif self.state.is_idle:
                self._shift.start(status, job)
            else:
                self.show_message("Something else is under way: wait for it, or stop it.")

    def _submit_with_choices(self, status: Status, job: Job) -> None:
        """Start a job that uses the choices; not if the scene has to be set anew for them."""
        with self._lock:
            if self._take_choices():
                self._submit(status, job)

    def _publish(self, **changes: Any) -> None:
        with self._lock:
            state = replace(self.state, **changes)
            if state.asked_about != self.state.asked_about:
                state = replace(state, check=None, comparison=None)
            if state.num_moved and not self.state.num_moved:
                self._history.clear()  # what was marked has moved away from there
            self.state = replace(state, can_undo=bool(self._history))
            self._version += 1
