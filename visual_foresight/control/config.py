"""The rows of the control benchmark: which controller each stands for, and what identifies it.

A row is written `model` or `model@locator`: `random`, `scripted`, `still`, `flow`,
`models/mine@propagate`, `simulator`. The locator `truth` asks the simulator where the pixel is;
like the model `simulator` it is a ceiling, and labelled by its name.
"""

import hashlib
from dataclasses import asdict, dataclass
from typing import Any
from zlib import crc32

import numpy as np
import torch

from visual_foresight.interfaces import Controller, Env, Locator
from visual_foresight.planning.controllers.random import RandomController
from visual_foresight.planning.controllers.scripted import ScriptedController
from visual_foresight.planning.controllers.visual_mpc import VisualMPC
from visual_foresight.planning.localization.registry import LOCATORS
from visual_foresight.planning.planners.presets import PRESETS
from visual_foresight.planning.planners.push_proposals import PushConfig, PushProposals
from visual_foresight.predictors.baselines.simulator import Simulator
from visual_foresight.predictors.checkpoints import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    load,
    read_config,
    resolve,
)
from visual_foresight.predictors.wrappers.on_device import OnDevice
from visual_foresight.predictors.wrappers.tracked_frames import with_tracker
from visual_foresight.system.fingerprint import fingerprint
from visual_foresight.types import Clip, Goal, Pixel, Plan, UserError

RANDOM, SCRIPTED, STILL, SIMULATOR, TRUTH = "random", "scripted", "still", "simulator", "truth"
WITHOUT_MODEL = (RANDOM, SCRIPTED)
CPU = torch.device("cpu")


@dataclass(frozen=True)
class TruthLocator:
    """Knows where the designated pixels are: a ceiling for locators. Judges only."""

    env: Env
    points: tuple[Any, ...]

    def locate(self, clip: Clip, goal: Goal, previous: Plan | None) -> tuple[Pixel, ...]:
        """Return the true places (see `interfaces.Locator`)."""
        return tuple(self.env.where(point)[0] for point in self.points)


@dataclass(frozen=True)
class Method:
    """A row of the benchmark.

    Its fields decide what it does, `weights` standing for what is in the checkpoint.
    """

    row: str
    model: str
    locator: str
    preset: str
    weights: str
    disagreement: float = 0.0
    """What it costs that the model's members, or samples, disagree (see
    `planning.costs.DisagreementPenalty`)."""

    @property
    def key(self) -> str:
        """Return what identifies the method, wherever its checkpoint lies."""
        model = self.model if self.model in (*WITHOUT_MODEL, SIMULATOR) else self.weights
        locating = repr(LOCATORS[self.locator]()) if self.locator in LOCATORS else self.locator
        # results without it are older than it
        caution = [self.disagreement] if self.disagreement else []
        return fingerprint(
            [model, locating, asdict(PRESETS[self.preset]), asdict(PushConfig()), *caution]
        )

    def generator(self, seed: int, index: int) -> torch.Generator:
        """Return the chance of one trial.

        Models share theirs, so that they are compared on the same draws.
        """
        kind = self.model if self.model in (*WITHOUT_MODEL, STILL, SIMULATOR) else "model"
        state = np.random.SeedSequence([seed, index, crc32(kind.encode())]).generate_state(
            1, np.uint64
        )
        return torch.Generator().manual_seed(int(state[0]) % 2**63)


def parse(row: str, preset: str, disagreement: float = 0.0) -> Method:
    """Return the method that a row's name stands for.

    Raises:
        UserError: there is no such model, locator or preset, or the model's folder is no
            checkpoint.
    """
    model, _, locator = row.rpartition("@") if "@" in row else (row, "", "track")
    if locator not in (*LOCATORS, TRUTH):
        raise UserError(
            f"unknown locator {locator!r} in {row!r}: choose one of {', '.join((*LOCATORS, TRUTH))}"
        )
    if preset not in PRESETS:
        raise UserError(f"unknown preset {preset!r}: choose one of {', '.join(PRESETS)}")
    # these know one future: there is nothing to disagree about
    if model in (*WITHOUT_MODEL, STILL, SIMULATOR):
        return Method(row, model, locator, preset, model)
    folder = resolve(model)
    read_config(folder)
    content = b"".join(
        path.read_bytes()
        for path in (folder / CONFIG_FILE, folder / WEIGHTS_FILE)
        if path.is_file()
    )
    return Method(
        row, model, locator, preset, hashlib.sha256(content).hexdigest()[:16], disagreement
    )


def build(
    method: Method, env: Env, mirror: Env, points: tuple[Any, ...], device: torch.device = CPU
) -> Controller:
    """Return the controller of a method for one trial.

    Args:
        method: which.
        env: where the trial takes place; only ceilings keep it.
        mirror: another env of the same kind, for the simulator to try things out.
        points: the designated points.
        device: where its model computes; the benchmark stays where its published figures were made.

    Raises:
        UserError: the model does not fit the env, or cannot be loaded.
    """
    config = PRESETS[method.preset]
    if method.model == RANDOM:
        return RandomController(env.workspace, config.horizon)
    locator: Locator = (
        TruthLocator(env, points) if method.locator == TRUTH else LOCATORS[method.locator]()
    )
    propose = PushProposals(env.workspace, env.homography, config)
    if method.model == SCRIPTED:
        return ScriptedController(env.workspace, propose, locator)
    if method.model == SIMULATOR:
        simulator = Simulator(env, mirror, points)
        return VisualMPC(
            simulator, env.workspace, config, locator, decode_best=False, propose=propose
        )
    predictor = with_tracker(
        load(method.model, device, env.frame_size, len(env.workspace.step), env.state_size)
    )
    if device != CPU:
        predictor = OnDevice(predictor, device)
    return VisualMPC(
        predictor,
        env.workspace,
        config,
        locator,
        disagreement_weight=method.disagreement,
        decode_best=False,
        propose=propose,
    )
