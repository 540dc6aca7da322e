"""The session's runs on disk, and the only code of this room that knows a path: everything
stays in one output folder.

Each run that did something is kept as an episode in our format (`<out>/<env>/episode_*.hdf5`, a
dataset like any other), its goal and outcome among its notes; animations are written beside the
folders when asked for.
"""

import base64
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8

from visual_foresight.envs.registry import ENVS
from visual_foresight.episodes.episode_files import (
    episode_number,
    episode_path,
    read_episode,
    read_meta,
    write_episode,
)
from visual_foresight.episodes.info import INFO_NAME, describe, read_info, write_info
from visual_foresight.interfaces import Env
from visual_foresight.types import Goal, ImageGoal, Pixel, PixelGoal, Trial, UserError
from visual_foresight.vision.drawing import trial_animation, write_animation

logger = logging.getLogger(__name__)
RECORDED_HERE = {"recorded_by": "gui"}
ANIMATIONS = (".gif", ".mp4")
MAX_GLIMPSES = 80
"""Moments of plans in an animation: more take gigabytes."""


@dataclass(frozen=True)
class Entry:
    """A run that was kept: one line of the list."""

    env: str
    number: int
    model: str
    goal: str
    outcome: str
    num_steps: int
    distance_m: float | None
    """Final distance; None for goal images."""

    @property
    def name(self) -> str:
        """Return what it is called on the page and in file names."""
        return f"{self.env}-{self.number:06d}"


class Archive:
    """The runs kept in a folder, those of earlier sessions included.

    Raises:
        UserError: there are episodes in it that were collected, not recorded here.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self._entries: dict[str, Entry] = {}
        for env in ENVS:
            if (self._folder / env / INFO_NAME).exists() and read_info(
                self._folder / env
            ).collection != RECORDED_HERE:
                raise UserError(
                    f"{self._folder / env} holds episodes that `collect` gathered: give another folder as --out"
                )
            for path in sorted((self._folder / env).glob("episode_*")):
                number = episode_number(path)
                if number is None:
                    continue
                try:
                    self._list(_entry(env, number, read_meta(path)))
                # damaged, or an episode that was collected
                except (UserError, KeyError) as error:
                    logger.warning(
                        "%s is no run of this page and is not listed: %r", path, error
                    )

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Return all of them, those of each env in their order.

        What this session adds comes last.
        """
        return tuple(self._entries.values())

    def _list(self, entry: Entry) -> Entry:
        self._entries[entry.name] = entry
        return entry

    def add(self, trial: Trial, env_name: str, env: Env, notes: Mapping[str, Any]) -> Entry:
        """Keep a run.

        Args:
            trial: with one action or more.
            env_name: of the env.
            env: where it took place.
            notes: plain JSON values: model, outcome, seed, ...
        """
        folder = self._folder / env_name
        number = (
            max((entry.number for entry in self.entries if entry.env == env_name), default=-1)
            + 1
        )
        # another program's, or one that is not listed
        while episode_path(folder, number).exists():
            number += 1
        if not (folder / INFO_NAME).exists():
            write_info(folder, describe(env_name, env, RECORDED_HERE))
        meta = {
            **notes,
            **trial.episode.meta,
            "goal": _written(trial.goal),
            "distances_m": list(trial.distances_m),
            "distances_px": list(trial.distances_px),
            "track_kinds": ["designated"] * trial.episode.tracks.shape[1],
        }
        write_episode(folder, number, replace(trial.episode, meta=meta))
        return self._list(_entry(env_name, number, meta))

    def open(self, name: str) -> Trial:
        """Read a run back; its plans are not kept.

        Raises:
            UserError: there is none of this name, or it is damaged.
        """
        entry = self._known(name)
        episode = read_episode(episode_path(self._folder / entry.env, entry.number))
        goal = _read(episode.meta["goal"])
        return Trial(
            goal,
            episode,
            (),
            tuple(episode.meta["distances_m"]),
            tuple(episode.meta["distances_px"]),
        )

    def export(self, name: str, trial: Trial, suffix: str) -> Path:
        """Write the animation of a run, and say where it is.

        Raises:
            UserError: there is none of this name, or the suffix is no animation's.
        """
        if suffix not in ANIMATIONS:
            raise UserError(f"an animation is one of {', '.join(ANIMATIONS)}, got {suffix!r}")
        path = self._folder / f"{self._known(name).name}{suffix}"
        glimpses = min(4, max(MAX_GLIMPSES // max(len(trial.plans), 1), 1))
        write_animation(path, trial_animation(trial, num_glimpses=glimpses))
        return path

    def _known(self, name: str) -> Entry:
        if name not in self._entries:
            raise UserError(f"there is no run {name!r} in this session's folder")
        return self._entries[name]


def _entry(env: str, number: int, meta: Mapping[str, Any]) -> Entry:
    goal = meta["goal"]
    moving = [pair for pair in goal["pixels"] if pair[0] != pair[1]] if "pixels" in goal else []
    still = len(goal.get("pixels", ())) - len(moving)
    parts = [f"({a[0]:g}, {a[1]:g}) → ({b[0]:g}, {b[1]:g})" for a, b in moving] + [
        f"{still} kept still"
    ] * (still > 0)
    return Entry(
        env=env,
        number=number,
        model=str(meta.get("model", "")),
        goal=", ".join(parts) or "an image",
        outcome=str(meta.get("outcome", "")),
        num_steps=len(meta["distances_m"]) - 1,
        distance_m=meta["distances_m"][-1] if "pixels" in goal else None,
    )


def _written(goal: Goal) -> dict[str, Any]:
    if isinstance(goal, PixelGoal):
        pairs = zip(goal.sources, goal.targets, strict=True)
        return {"pixels": [[[a.row, a.col], [b.row, b.col]] for a, b in pairs]}
    return {
        "png": base64.b64encode(
            cv2.imencode(".png", goal.frame[..., ::-1])[1].tobytes()
        ).decode()
    }


def _read(written: Mapping[str, Any]) -> Goal:
    if "pixels" in written:
        sources, targets = zip(
            *((Pixel(*a), Pixel(*b)) for a, b in written["pixels"]), strict=True
        )
        return PixelGoal(sources, targets)
    packed = np.frombuffer(base64.b64decode(written["png"]), np.uint8)
    frame: UInt8[np.ndarray, "h w 3"] = np.asarray(
        cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8
    )[..., ::-1]
    return ImageGoal(np.ascontiguousarray(frame))
