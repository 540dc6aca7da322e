"""The runs of a session on disk: which there are, and where.

Each run that moved something is kept as an episode in our format (`<out>/<env>/episode_*.hdf5`,
a dataset like any other), with its goal and outcome among its notes. What was seen in frames of
another size, or from other cameras, has a folder of its own, as `<out>/<env>-96x96`. What was
imagined is in `<out>/imagined/<run>/`, written turn by turn while the run goes on; of a run whose
program was killed, the next program makes the episode. Animations are written beside these folders
when they are asked for.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from visual_foresight.control.animation import trial_animation
from visual_foresight.control.trial import Trial
from visual_foresight.control.world import PUBLISHED, World
from visual_foresight.envs.registry import ENVS
from visual_foresight.episodes.episode_files import (
    episode_number,
    episode_path,
    half_written,
    read_episode,
    read_meta,
    write_episode,
)
from visual_foresight.episodes.info import INFO_NAME, describe, read_info, write_info
from visual_foresight.goals.registry import goal_from_json, goal_to_json
from visual_foresight.gui.session.gallery.entry import DATE, Entry, entry_of
from visual_foresight.gui.session.gallery.run_files import ANIMATIONS, IMAGINED, RunFiles
from visual_foresight.gui.session.kept_runs.episode_notes import (
    distances_m_of,
    distances_of,
    name_of_distances,
    refusing_foreign_notes,
)
from visual_foresight.gui.session.kept_runs.kept_plans import KeptPlans, reader
from visual_foresight.gui.session.kept_runs.run_folder import RunFolder, turn_path
from visual_foresight.gui.session.kept_runs.run_notes import (
    NOTES_NAME,
    RunNotes,
    read_notes,
    run_name,
)
from visual_foresight.gui.session.kept_runs.turns import read_plan, without_prediction
from visual_foresight.gui.session.no_goal import goal_of
from visual_foresight.gui.session.ongoing_trial import trial_of
from visual_foresight.interfaces import Env
from visual_foresight.system.files import write_bytes
from visual_foresight.types import Episode, Goal, Plan, UserError
from visual_foresight.vision.arm_path import ArmView
from visual_foresight.vision.drawing import write_animation

logger = logging.getLogger(__name__)
RECORDED_HERE = {"recorded_by": "gui"}
"""What the info file of a folder says when the page wrote its episodes."""
CUT_OFF = "cut off"
"""Outcome of a run whose program was killed."""
MAX_GLIMPSES = 80
"""Imagined frames in an animation, over all of its plans: more take gigabytes."""
GLIMPSES_PER_PLAN = 4
"""Imagined frames of one plan in an animation, at most."""


@dataclass(frozen=True)
class _Unwritten:
    """A run that has ended, and that could not be written (arguments as in `Archive.finish`)."""

    run: RunFolder
    trial: Trial
    notes: Mapping[str, Any]


class Archive:
    """The runs kept in a folder, including those of earlier sessions.

    Raises:
        UserError: the folder holds episodes that were collected, not recorded here.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self._entries: dict[str, Entry] = {}
        self._unwritten: list[_Unwritten] = []
        """Runs that have ended, and could not be written."""
        self._removed: list[Entry] = []
        """Whose numbers are not given again: links and pictures of them may still be about."""
        for name in self._names_of_folders():
            self._refuse_collected(self._folder / name)
            for path in sorted((self._folder / name).glob("episode_*")):
                number = episode_number(path)
                if number is not None:
                    self._add_file(name, number, path)
        for folder in sorted((self._folder / IMAGINED).glob("*-*")):
            try:
                self._finish_cut_off(folder)
            except (UserError, OSError) as error:  # another program writes it, or it is damaged
                logger.warning("%s is left as it is: %s", folder, error)

    def _names_of_folders(self) -> list[str]:
        """Return the names that folders of runs have or may get, env by env."""
        there = sorted(path.name for path in self._folder.glob("*-*x*"))
        found = []
        for env in ENVS:
            other_worlds = re.compile(rf"{re.escape(env)}-\d+x\d+(-.+)?")
            found += [env, *(name for name in there if other_worlds.fullmatch(name))]
        return found

    @staticmethod
    def _refuse_collected(folder: Path) -> None:
        if not (folder / INFO_NAME).exists():
            return
        if read_info(folder).collection != RECORDED_HERE:
            raise UserError(
                f"{folder} holds episodes that `collect` gathered: give another folder as --out"
            )

    def _add_file(self, folder: str, number: int, path: Path) -> None:
        try:
            entry = entry_of(folder, number, read_meta(path))
        except UserError as error:  # it is damaged, or was collected
            logger.warning("%s is no run of this page and is not listed: %s", path, error)
            return
        date = entry.date or _iso(path.stat().st_mtime)  # older runs do not say
        self._entries[entry.name] = replace(entry, date=date)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Return the runs: those found at the start env by env, those added since at the end."""
        return tuple(self._entries.values())

    def begin(
        self,
        goal: Goal,
        env_name: str,
        env: Env,
        notes: Mapping[str, Any],
        world: World = PUBLISHED,
    ) -> RunFolder:
        """Make the folder of a run that begins, for its turns.

        Args:
            goal: what the run is for.
            env_name: name of the env.
            env: where it takes place.
            notes: plain JSON values: model, seed, ...
            world: how the env was made.
        """
        self.write_unwritten()
        name = env_name if world == PUBLISHED else f"{env_name}-{world.text}"
        number, run = self._take_number(name)
        with ExitStack() as on_error:
            on_error.callback(run.remove)
            dated = {**notes, DATE: _iso(datetime.now(UTC).timestamp())}
            RunNotes(name, number, goal_to_json(goal), dated).write(run.folder)
            info = describe(env_name, env, RECORDED_HERE, is_own_view=not world.views)
            write_info(run.folder, info)
            on_error.pop_all()
        return run

    def finish(self, run: RunFolder, trial: Trial, notes: Mapping[str, Any]) -> Entry:
        """Write the episode of a run that has ended, and let go of its folder.

        If that fails, for want of room for example, it is tried again (`write_unwritten`).

        Args:
            run: of `begin`.
            trial: with one action or more.
            notes: plain JSON values: model, outcome, seed, ...
        """
        with ExitStack() as on_error:
            on_error.callback(self._unwritten.append, _Unwritten(run, trial, notes))
            entry = self._write(run, trial, notes)
            on_error.pop_all()
        return entry

    def write_unwritten(self) -> None:
        """Write the runs that could not be written when they ended."""
        unwritten = self._unwritten
        self._unwritten = []
        for each in unwritten:
            try:
                self.finish(each.run, each.trial, each.notes)
            except (UserError, OSError) as error:
                logger.warning("%s is not written yet: %s", each.run.folder, error)

    def close(self) -> None:
        """Write what can be written now, and let go of the rest: the next start finishes it."""
        self.write_unwritten()
        for each in self._unwritten:
            each.run.close()

    def _write(self, run: RunFolder, trial: Trial, notes: Mapping[str, Any]) -> Entry:
        begun = run.notes()
        folder = self._folder / begun.folder
        if not (folder / INFO_NAME).exists():
            read_info(run.folder)  # a damaged one would keep the next program from starting
            write_bytes(folder / INFO_NAME, (run.folder / INFO_NAME).read_bytes())
        meta = {
            DATE: begun.notes.get(DATE, ""),
            **notes,
            **trial.episode.meta,
            "goal": goal_to_json(trial.goal),
            "num_actions": len(trial.episode.actions),
            "distances_m": list(trial.distances_m),
            name_of_distances(trial.goal): list(trial.distances),
            "track_kinds": ["designated"] * trial.episode.tracks.shape[1],
        }
        if trial.is_believed:
            meta["believed"] = True
        write_episode(folder, begun.number, replace(trial.episode, meta=meta))
        replace(begun, finished=True).write(run.folder)
        run.close()
        entry = entry_of(begun.folder, begun.number, meta)
        self._entries[entry.name] = entry
        return entry

    def _finish_cut_off(self, folder: Path) -> None:
        """Make the episode of a run whose program was killed; remove one that moved nothing."""
        if (folder / NOTES_NAME).exists() and read_notes(folder).finished:
            return
        run = RunFolder(folder)
        try:
            self._finish(run)
        finally:
            run.close()

    def _finish(self, run: RunFolder) -> None:
        run.remove_leftovers()
        if run.is_empty:
            run.remove()
            return
        begun = run.notes()
        goal = goal_from_json(begun.goal)
        if (self._folder / begun.folder).is_dir():
            for path in half_written(self._folder / begun.folder):
                path.unlink(missing_ok=True)
        steps = run.steps()
        if episode_path(self._folder / begun.folder, begun.number).exists():
            replace(begun, finished=True).write(run.folder)  # only that note was missing
        elif len(steps) < 2:
            run.remove()
        else:
            trial = trial_of(goal, steps, begun.has_goal)
            self._write(run, trial, {**begun.notes, "outcome": CUT_OFF})

    def _imagined(self, name: str, number: int) -> Path:
        return self._folder / IMAGINED / run_name(name, number)

    def _take_number(self, folder: str) -> tuple[int, RunFolder]:
        """Return the number of a new run, and its folder, which is this program's own."""
        while True:
            number = self._free_number(folder)
            try:
                return number, RunFolder(self._imagined(folder, number))
            except UserError:  # another program has just taken it
                logger.info("%s was taken by another program", run_name(folder, number))

    def _free_number(self, folder: str) -> int:
        """Return the next number that no file has, whether it is listed or not."""
        seen = (*self.entries, *self._removed)
        listed = [entry.number for entry in seen if entry.folder == folder]
        number = max(listed, default=-1) + 1
        while (
            episode_path(self._folder / folder, number).exists()
            or self._imagined(folder, number).exists()
        ):
            number += 1
        return number

    def open(self, name: str) -> Trial:
        """Read a run back; its plans, where they were kept, are read when they are asked for.

        Raises:
            UserError: there is no run of this name, or it is damaged.
        """
        entry = self.entry(name)
        episode = read_episode(episode_path(self._folder / entry.folder, entry.number))
        meta = {**episode.meta, "num_actions": len(episode.actions)}
        with refusing_foreign_notes():
            goal = goal_from_json(meta["goal"])
            return Trial(
                goal=goal,
                episode=episode,
                plans=self._plans(entry, episode),
                distances=distances_of(goal, meta),
                distances_m=distances_m_of(goal, meta),
                is_believed=bool(meta.get("believed")),
            )

    def arm(self, name: str) -> ArmView:
        """Return where in the frames of a run actions took the arm.

        Raises:
            UserError: there is no run of this name, or its folder says nothing of it.
        """
        info = read_info(self._folder / self.entry(name).folder)
        return ArmView(info.view, info.workspace)

    def _plans(self, entry: Entry, episode: Episode) -> Sequence[Plan]:
        """Return what was imagined when the run was made; nothing if none of it was kept."""
        folder = self._imagined(entry.folder, entry.number)
        if not turn_path(folder, 0).exists():
            return ()
        actions = torch.from_numpy(episode.actions)
        frame_size = (episode.frames.shape[1], episode.frames.shape[2])

        def action_alone(step: int) -> Plan:
            return without_prediction(actions[step : step + 1], frame_size)

        read = reader(lambda step: read_plan(turn_path(folder, step)), action_alone)
        return KeptPlans(read, len(actions))

    def export(self, name: str, trial: Trial, suffix: str) -> Path:
        """Write the animation of a run, and return its path.

        Raises:
            UserError: there is no run of this name, or the suffix is not one of `ANIMATIONS`.
        """
        if suffix not in ANIMATIONS:
            raise UserError(
                f"an animation is one of {', '.join(ANIMATIONS)}, got {suffix!r}: choose one"
            )
        path = self._folder / f"{self.entry(name).name}{suffix}"
        share = max(MAX_GLIMPSES // max(len(trial.episode.actions), 1), 1)
        animation = trial_animation(
            replace(trial, goal=goal_of(trial)), num_glimpses=min(GLIMPSES_PER_PLAN, share)
        )
        write_animation(path, animation)
        return path

    def files(self, name: str) -> RunFiles:
        """Return where a run lies.

        Raises:
            UserError: there is no run of this name.
        """
        entry = self.entry(name)
        return RunFiles(self._folder, entry.folder, entry.number)

    def remove(self, name: str) -> None:
        """Remove a run, and what was made of it.

        Raises:
            UserError: there is no run of this name.
        """
        self.files(name).remove()
        self._removed.append(self._entries.pop(name))

    def entry(self, name: str) -> Entry:
        """Return a run.

        Raises:
            UserError: there is no run of this name.
        """
        if name not in self._entries:
            raise UserError(
                f"there is no run {name!r} in this session's folder: choose another"
            )
        return self._entries[name]


def _iso(seconds: float) -> str:
    """Return a time of the clock as ISO 8601 writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
