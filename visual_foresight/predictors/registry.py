"""Models that imagine frames, by their names. A predictor is imported when it is asked for.

The simulator behind the protocol is not listed: it needs an env, and only judges may use it.
"""

import dataclasses
import importlib
from collections.abc import Callable, Mapping
from typing import Any, cast

from torch import nn

from visual_foresight.types import UserError

SHIPPED = ("rigid", "flow")
"""Learned predictors whose name alone stands for a checkpoint: `models/NAME`, in the repository
or the wheel."""
FLAGSHIP = "rigid"
"""What is used where no predictor is named."""


def _lazy(
    module: str, predictor: str, config: str | None
) -> Callable[[], tuple[type, type | None]]:
    """Return a function that imports a predictor and returns its class and its configuration's."""

    def classes() -> tuple[type, type | None]:
        room = importlib.import_module(f"visual_foresight.predictors.{module}")
        return getattr(room, predictor), None if config is None else getattr(room, config)

    return classes


PREDICTORS: dict[str, Callable[[], tuple[type, type | None]]] = {
    "still": _lazy("baselines.persistence", "Persistence", None),
    "rigid": _lazy("rigid.model", "Rigid", "RigidConfig"),
    "flow": _lazy("flow.model", "Flow", "FlowConfig"),
    "dna": _lazy("advection.model", "NeuralAdvection", "DNAConfig"),
    "cdna": _lazy("advection.model", "NeuralAdvection", "CDNAConfig"),
    "stp": _lazy("advection.model", "NeuralAdvection", "STPConfig"),
    "sna": _lazy("advection.model", "NeuralAdvection", "SNAConfig"),
    "foresight": _lazy("advection.model", "NeuralAdvection", "ForesightConfig"),
    "stochastic": _lazy("stochastic.model", "Stochastic", "StochasticConfig"),
    "pixels": _lazy("pixels.model", "Pixels", "PixelsConfig"),
    "ensemble": _lazy("wrappers.ensemble", "Ensemble", "EnsembleConfig"),
}
"""Name -> a function that imports the predictor and returns its class and its configuration's
(None: it has no weights).

A learned predictor is a `torch.nn.Module` built from its frozen configuration alone, which it
keeps as `.config`. Names may share a class; the configuration's class tells them apart.
"""


def create(name: str, data: Mapping[str, Any]) -> nn.Module:
    """Build an untrained predictor for such data: what its configuration has in common with it,
    by name, is set.

    Args:
        name: a learned predictor's.
        data: what is known of the data: frame_size, action_size, state_size, homography (see
            `interfaces.Env.homography`), ...

    Raises:
        UserError: the name is unknown or stands for nothing that learns, or the predictor
            cannot be made for such frames.
    """
    learned = sorted(name for name, classes in PREDICTORS.items() if classes()[1] is not None)
    if name not in learned:
        raise UserError(
            f"there is no learned predictor {name!r}: choose one of {', '.join(learned)}"
        )
    predictor_class, config_class = PREDICTORS[name]()
    fields = {field.name for field in dataclasses.fields(cast(Any, config_class))}
    shared = {field: value for field, value in data.items() if field in fields}
    return cast(nn.Module, predictor_class(cast(Any, config_class)(**shared)))
