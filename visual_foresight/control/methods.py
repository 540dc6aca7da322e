"""The methods that are compared in closed loop: their names, and what identifies their results.

A method is written `model` or `model@locator`: `random`, `scripted`, `still`, `flow`,
`models/mine@propagate`, `simulator`. A path may have an `@` of its own. The locator `truth` asks
the simulator where the pixel is; like the model `simulator` it is a ceiling, and labelled by its
name.
"""

import hashlib
from dataclasses import asdict, dataclass, is_dataclass, replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import torch

from visual_foresight.control import protocols
from visual_foresight.control.config import (
    SIMULATOR,
    TRUTH,
    WITHOUT_CHECKPOINT,
    WITHOUT_MODEL,
    ControllerConfig,
)
from visual_foresight.planning.localization.registry import LOCATORS
from visual_foresight.planning.planners.cem import PROPOSED_SHARE
from visual_foresight.planning.planners.registry import settings_of
from visual_foresight.planning.proposals.pushes import PushConfig
from visual_foresight.predictors.checkpoints import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    read_config,
    resolve,
)
from visual_foresight.predictors.registry import model_of
from visual_foresight.system.fingerprint import fingerprint


@dataclass(frozen=True)
class Method:
    """What is compared: a row in tables, and what plans in it."""

    row: str
    """The name that it was given by."""
    config: ControllerConfig
    weights: str
    """The model's name, or a hash of its checkpoint and of the version of its code."""

    @property
    def model(self) -> str:
        """Return the model's name or folder."""
        return self.config.model

    @property
    def key(self) -> str:
        """Return what identifies the method in stored results, wherever its checkpoint lies."""
        config = self.config
        named = self.model in (*WITHOUT_MODEL, SIMULATOR)
        is_truth = config.locator == TRUTH
        pushes = {"share": PROPOSED_SHARE, **asdict(PushConfig())}
        parts: list[Any] = [
            self.model if named else self.weights,
            config.locator if is_truth else _settings_of(config.locator),
            asdict(settings_of(config.planner, config.preset)),
            pushes,
        ]
        # What follows is only there where it was chosen: there are results of before.
        if config.disagreement:
            parts.append(config.disagreement)
        plain = ControllerConfig()
        for part in ("planner", "cost", "proposals", "final_weight"):
            chosen = getattr(config, part)
            if chosen != getattr(plain, part):
                parts.append({part: chosen})
        if protocols.raised():
            parts.append(protocols.raised())
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


def _settings_of(locator: str) -> str:
    """Return a locator with its settings, in words; its name alone if it is no dataclass."""
    built = LOCATORS[locator]()
    return repr(built) if is_dataclass(built) else locator


def parse(row: str, config: ControllerConfig) -> Method:
    """Return the method that is written so.

    Args:
        row: `model` or `model@locator`.
        config: everything else; its model and its locator do not count.

    Raises:
        UserError: there is no such locator, or the model's folder is no checkpoint.
    """
    model = row
    locator = ControllerConfig.locator
    before, _, after = row.rpartition("@")
    if before and not _is_path(row, after):
        model, locator = before, after
    return method_of(replace(config, model=model, locator=locator), row)


def _is_path(row: str, after: str) -> bool:
    """Tell whether what follows the last `@` belongs to a path: /home/ann@lab.example/model."""
    if after in {*LOCATORS, TRUTH}:
        return False
    return "/" in after or "." in after or Path(row).is_dir()


def method_of(config: ControllerConfig, row: str | None = None) -> Method:
    """Return the method of a configuration.

    Args:
        config: floors and the ceiling have one future only, and ignore its disagreement.
        row: its name in tables.

    Raises:
        UserError: the model's folder is no checkpoint.
    """
    row = f"{config.model}@{config.locator}" if row is None else row
    if config.model in WITHOUT_CHECKPOINT:
        config = replace(config, disagreement=0.0)
    return Method(row, config, weights_of(config.model))


def weights_of(model: str) -> str:
    """Return a hash of a model's checkpoint, or the model's name if it has none.

    The version of the model's code counts from 2 on.

    Raises:
        UserError: the model's folder is no checkpoint.
    """
    if model in WITHOUT_CHECKPOINT:
        return model
    folder = resolve(model)
    protocol = model_of(read_config(folder)["predictor"]).protocol
    files = [folder / CONFIG_FILE, folder / WEIGHTS_FILE]
    content = b"".join(path.read_bytes() for path in files if path.is_file())
    version = "" if protocol == 1 else f"-{protocol}"
    return hashlib.sha256(content).hexdigest()[:16] + version
