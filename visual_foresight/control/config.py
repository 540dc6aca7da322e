"""The methods that are compared in closed loop: their names, and how a controller is made of one.

A method is written `model` or `model@locator`: `random`, `scripted`, `still`, `flow`,
`models/mine@propagate`, `simulator`. The locator `truth` asks the simulator where the pixel is;
like the model `simulator` it is a ceiling, and labelled by its name.
"""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import torch

from visual_foresight.control.loop import CLIP_FRAMES
from visual_foresight.env_info import EnvInfo
from visual_foresight.interfaces import (
    Controller,
    Env,
    Judge,
    Locator,
    Predictor,
    require_judge,
    require_simulator,
)
from visual_foresight.planning.controllers.random import RandomController
from visual_foresight.planning.controllers.scripted import ScriptedController
from visual_foresight.planning.controllers.visual_mpc import VisualMPC
from visual_foresight.planning.localization.registry import LOCATORS
from visual_foresight.planning.planners.cem import CEMConfig
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

RANDOM = "random"
SCRIPTED = "scripted"
PERSISTENCE = "still"
SIMULATOR = "simulator"
TRUTH = "truth"
WITHOUT_MODEL = (RANDOM, SCRIPTED)
WITHOUT_CHECKPOINT = (*WITHOUT_MODEL, PERSISTENCE, SIMULATOR)
CPU = torch.device("cpu")


@dataclass(frozen=True)
class TruthLocator:
    """Knows where the designated pixels are: the ceiling of locators. For judges only."""

    env: Judge
    points: tuple[Any, ...]

    def locate(self, clip: Clip, goal: Goal, previous: Plan | None) -> tuple[Pixel, ...]:
        """Return the true places (see `interfaces.Locator`)."""
        return tuple(self.env.where(point)[0] for point in self.points)


@dataclass(frozen=True)
class Method:
    """What is compared: a model, a locator, and the settings of the search."""

    row: str
    """The name that it was given by, of a row in tables."""
    model: str
    locator: str
    preset: str
    weights: str
    """The model's name, or the hash of its checkpoint."""
    disagreement: float = 0.0
    """Weight of the disagreement among the model's members or samples in the cost (see
    `planning.costs.disagreement.DisagreementPenalty`)."""

    @property
    def key(self) -> str:
        """Return what identifies the method in stored results, wherever its checkpoint lies."""
        model = self.model if self.model in (*WITHOUT_MODEL, SIMULATOR) else self.weights
        locator = repr(LOCATORS[self.locator]()) if self.locator in LOCATORS else self.locator
        parts: list[Any] = [model, locator, asdict(PRESETS[self.preset]), asdict(PushConfig())]
        if self.disagreement:  # not always, since there are results from before it was added
            parts.append(self.disagreement)
        return fingerprint(parts)

    def generator(self, seed: int, index: int) -> torch.Generator:
        """Return the source of chance of one trial.

        All models have the same, so that they are compared on the same draws.
        """
        kind = self.model if self.model in WITHOUT_CHECKPOINT else "model"
        state = np.random.SeedSequence([seed, index, crc32(kind.encode())]).generate_state(
            1, np.uint64
        )
        return torch.Generator().manual_seed(int(state[0]) % 2**63)


def parse(row: str, preset: str, disagreement: float = 0.0) -> Method:
    """Return the method that is written so.

    Args:
        row: `model` or `model@locator`.
        preset: a name in `PRESETS`.
        disagreement: see `Method`; ignored where there is one future only.

    Raises:
        UserError: there is no such model, locator or preset, or the model's folder is no
            checkpoint.
    """
    model = row
    locator = "track"
    if "@" in row:
        model, _, locator = row.rpartition("@")
    known_locators = (*LOCATORS, TRUTH)
    if locator not in known_locators:
        raise UserError(
            f"unknown locator {locator!r} in {row!r}: choose one of {', '.join(known_locators)}"
        )
    if preset not in PRESETS:
        raise UserError(f"unknown preset {preset!r}: choose one of {', '.join(PRESETS)}")
    if model in WITHOUT_CHECKPOINT:
        return Method(row, model, locator, preset, weights=model)
    folder = resolve(model)
    read_config(folder)
    return Method(row, model, locator, preset, _hash_of(folder), disagreement)


def _hash_of(folder: Path) -> str:
    """Return a hash of what is in a checkpoint."""
    files = [folder / CONFIG_FILE, folder / WEIGHTS_FILE]
    content = b"".join(path.read_bytes() for path in files if path.is_file())
    return hashlib.sha256(content).hexdigest()[:16]


def build(
    method: Method, env: Env, mirror: Env, points: tuple[Any, ...], device: torch.device = CPU
) -> Controller:
    """Return the controller of a method for one trial.

    Args:
        method: what to build.
        env: where the trial takes place; only ceilings keep it.
        mirror: another env of the same kind, in which the simulator tries candidates.
        points: the designated points; only ceilings keep them.
        device: where its model computes; published figures were made on the CPU.

    Raises:
        UserError: the model does not fit the env, or cannot be loaded; or the method needs a
            calibration, a judge or snapshots, and the env has none.
    """
    config = PRESETS[method.preset]
    info = env.info
    if method.model == RANDOM:
        return RandomController(info.limits, config.horizon)
    locator: Locator
    if method.locator == TRUTH:
        locator = TruthLocator(require_judge(env, f"the locator {TRUTH!r}"), points)
    else:
        locator = LOCATORS[method.locator]()
    if method.model == SCRIPTED:
        user = f"the method {SCRIPTED!r}, which proposes pushes"
        workspace = info.require_workspace(user)
        return ScriptedController(workspace, _proposals(info, config, user), locator)
    predictor: Predictor
    if method.model == SIMULATOR:
        user = f"the model {SIMULATOR!r}"
        predictor = Simulator(
            require_simulator(env, user), require_simulator(mirror, user), points
        )
    else:
        predictor = _load(method.model, env, device)
    # Where pushes cannot be proposed, the search has no more than its own draws.
    can_propose = info.workspace is not None and info.view.homography is not None
    propose = _proposals(info, config, "proposed pushes") if can_propose else None
    return VisualMPC(
        predictor,
        info.limits,
        config,
        locator,
        disagreement_weight=method.disagreement,
        decode_best=False,
        propose=propose,
    )


def _proposals(info: EnvInfo, config: CEMConfig, user: str) -> PushProposals:
    """Return what proposes pushes, for somebody (see `View.calibration`)."""
    return PushProposals(info.require_workspace(user), info.view.calibration(user), config)


def _load(model: str, env: Env, device: torch.device) -> Predictor:
    """Return a predictor that moves pixels, computes on the device, and fits the env."""
    info = env.info
    predictor = with_tracker(
        load(
            model,
            device,
            info.frame_size,
            info.action_size,
            info.state_size,
            views=tuple(info.views),
        )
    )
    if predictor.context > CLIP_FRAMES:
        raise UserError(
            f"{model} wants {predictor.context} frames of context, but the control loop keeps "
            f"{CLIP_FRAMES}: choose another model, or train one that wants fewer"
        )
    return predictor if device == CPU else OnDevice(predictor, device)
