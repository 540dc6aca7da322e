"""The predictors by their names. A predictor is imported when it is asked for.

The simulator as a predictor is not listed: it needs an env, and it is for judges only.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, cast, get_args, get_type_hints

from torch import nn

from visual_foresight.interfaces import Learner, Predictor
from visual_foresight.predictors.models import FROM_DATA, Model
from visual_foresight.predictors.padding import build
from visual_foresight.system.plugins import Registry
from visual_foresight.types import UserError

SHIPPED = ("rigid", "flow")
"""Learned predictors with a shipped checkpoint, `models/NAME` in the repository or the wheel."""
FLAGSHIP = "rigid"
"""The predictor that is used where none is named."""

ROOM = "visual_foresight.predictors"
PREDICTORS = Registry(
    "predictor",
    "predictors",
    {
        "still": f"{ROOM}.baselines.persistence:STILL",
        "rigid": f"{ROOM}.rigid.model:RIGID",
        "flow": f"{ROOM}.flow.model:FLOW",
        "dna": f"{ROOM}.advection.model:DNA",
        "cdna": f"{ROOM}.advection.model:CDNA",
        "stp": f"{ROOM}.advection.model:STP",
        "sna": f"{ROOM}.advection.model:SNA",
        "foresight": f"{ROOM}.advection.model:FORESIGHT",
        "stochastic": f"{ROOM}.stochastic.model:STOCHASTIC",
        "pixels": f"{ROOM}.pixels.model:PIXELS",
        "ensemble": f"{ROOM}.wrappers.ensemble:ENSEMBLE",
    },
    Predictor,
)
"""Name -> its `Model`: see `model_of`.

A learned predictor (`interfaces.Learner`) is built from its configuration alone, which it keeps as
`.config`. Names may share a class: the configuration's class tells them apart.
"""


def model_of(name: str) -> Model:
    """Return a registered predictor's class, configuration and recipe.

    Raises:
        UserError: there is none of this name, or the package that brings it is at fault.
    """
    model = PREDICTORS[name]
    if not isinstance(model, Model):
        raise UserError(
            f"the predictor {name!r} is a {type(model).__name__}, but the entry point names a "
            f"`visual_foresight.predictors.models.Model`: correct it, or uninstall its package"
        )
    PREDICTORS.require(name, model.predictor, Predictor if model.config is None else Learner)
    return model


def learned() -> tuple[str, ...]:
    """Return the names of the predictors that have weights."""
    return tuple(name for name in PREDICTORS if model_of(name).config is not None)


def learned_model(name: str) -> Model:
    """Return the model of a predictor that has weights.

    Raises:
        UserError: the name is unknown or stands for a predictor without weights.
    """
    if name not in PREDICTORS or model_of(name).config is None:
        known = ", ".join(sorted(learned()))
        raise UserError(f"there is no learned predictor {name!r}: choose one of {known}")
    return model_of(name)


def reads_views(name: str) -> bool:
    """Tell whether a learned predictor reads several views: its configuration has them then.

    The field "views" holds their names (`tuple[str, ...]`), that of the clip's frames first; the
    others are in `Clip.other_views`. It is empty where the data have one view without a name. A
    predictor whose configuration has no such field reads the first view alone.
    """
    config_class = cast(Any, learned_model(name).config)
    return "views" in {field.name for field in dataclasses.fields(config_class)}


def create(name: str, data: Mapping[str, Any]) -> nn.Module:
    """Build an untrained predictor for such data.

    Args:
        name: a learned predictor's.
        data: what is known of the data, by the names of the configuration's fields: frame_size,
            action_size, state_size, homography (see `env_info.Homography`), views (see
            `reads_views`), ... What the configuration does not have is ignored; fields that are not
            given keep their defaults.

    Raises:
        UserError: the name is unknown or stands for a predictor without weights, or the predictor
            cannot be made for such frames; or it needs a calibration, and the homography is None.
    """
    model = learned_model(name)
    config_class = cast(Any, model.config)
    fields = {field.name for field in dataclasses.fields(config_class)}
    if data.get("homography", ()) is None and _needs_calibration(config_class):
        raise UserError(
            f"the model {name!r}: this needs a calibrated camera, and there is no calibration; "
            "choose a model that does without, such as dna, cdna or pixels"
        )
    shared = {field: value for field, value in data.items() if field in fields}
    return build(model, config_class(**shared))


def require_settings(name: str, settings: Iterable[str]) -> None:
    """Refuse settings that the configuration of a learned predictor does not have.

    Raises:
        UserError: there is such a one; the sentence lists those that there are.
    """
    config_class = cast(Any, learned_model(name).config)
    known = [field.name for field in dataclasses.fields(config_class)]
    known = [field for field in known if field not in FROM_DATA]
    for setting in settings:
        if setting not in known:
            raise UserError(
                f"the model {name!r} has no setting {setting!r}: "
                f"choose from {', '.join(known) or 'none'}"
            )


def _needs_calibration(config_class: type) -> bool:
    """Tell whether a configuration has a homography that may not be None."""
    hints = get_type_hints(config_class)
    return "homography" in hints and type(None) not in get_args(hints["homography"])
