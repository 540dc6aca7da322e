"""The predictors by their names. A predictor is imported when it is asked for.

The simulator as a predictor is not listed: it needs an env, and it is for judges only.
"""

import dataclasses
import importlib
from collections.abc import Callable, Mapping
from typing import Any, cast, get_args, get_type_hints

from torch import nn

from visual_foresight.types import UserError

SHIPPED = ("rigid", "flow")
"""Learned predictors with a shipped checkpoint, `models/NAME` in the repository or the wheel."""
FLAGSHIP = "rigid"
"""The predictor that is used where none is named."""


def _lazy(
    module: str, predictor: str, config: str | None
) -> Callable[[], tuple[type, type | None]]:
    """Return a function that imports a predictor and returns its class and its configuration's."""

    def classes() -> tuple[type, type | None]:
        imported = importlib.import_module(f"visual_foresight.predictors.{module}")
        config_class = None if config is None else getattr(imported, config)
        return getattr(imported, predictor), config_class

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
"""Name -> a function that imports the predictor and returns its class and its configuration's.

The latter is None for a predictor without weights. A learned predictor (`interfaces.Learner`) is
built from its configuration alone, which it keeps as `.config`. Names may share a class: the
configuration's class tells them apart.
"""


def learned() -> tuple[str, ...]:
    """Return the names of the predictors that have weights."""
    return tuple(name for name, classes in PREDICTORS.items() if classes()[1] is not None)


def create(name: str, data: Mapping[str, Any]) -> nn.Module:
    """Build an untrained predictor for such data.

    Args:
        name: a learned predictor's.
        data: what is known of the data, by the names of the configuration's fields: frame_size,
            action_size, state_size, homography (see `env_info.Homography`), ... What the
            configuration does not have is ignored; fields that are not given keep their defaults.

    Raises:
        UserError: the name is unknown or stands for a predictor without weights, or the predictor
            cannot be made for such frames; or it needs a calibration, and the homography is None.
    """
    known = sorted(learned())
    if name not in known:
        raise UserError(
            f"there is no learned predictor {name!r}: choose one of {', '.join(known)}"
        )
    predictor_class, config_class = PREDICTORS[name]()
    fields = {field.name for field in dataclasses.fields(cast(Any, config_class))}
    if data.get("homography", ()) is None and _needs_calibration(config_class):
        raise UserError(
            f"the model {name!r}: this needs a calibrated camera, and there is no calibration; "
            "choose a model that does without, such as dna, cdna or pixels"
        )
    shared = {field: value for field, value in data.items() if field in fields}
    config = cast(Any, config_class)(**shared)
    return cast(nn.Module, predictor_class(config))


def _needs_calibration(config_class: type | None) -> bool:
    """Tell whether a configuration has a homography that may not be None."""
    hints = get_type_hints(config_class)
    return "homography" in hints and type(None) not in get_args(hints["homography"])
