"""The flags of `train NAME`: those of every run, and in groups those of a model and its recipe.

`train --predictor NAME`, the form without groups, reads a `TrainConfig` as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from visual_foresight.predictors.models import FROM_DATA
from visual_foresight.predictors.registry import learned_model
from visual_foresight.training.config import RunConfig, TrainConfig


@dataclass(frozen=True)
class ModelFlags:
    """What `train NAME` reads."""

    predictor: str
    """Name of a learned predictor."""
    groups: Mapping[str, Any]
    """Name of a group -> an instance of a dataclass, whose fields are flags (`--model.channels`)
    and whose values are the defaults."""
    config: type = RunConfig
    """A dataclass whose fields are flags outside of the groups."""
    hidden: frozenset[str] = field(default=frozenset(FROM_DATA))
    """Fields of the groups that are no flags."""

    def build(self, values: Mapping[str, Any]) -> TrainConfig:
        """Return the configuration of the run.

        Args:
            values: by the names of the flags; those of a group are a mapping of their own.
        """
        single = dict(values)
        given = {name: single.pop(name) for name in self.groups}
        defaults = vars(self.groups["model"])
        changed = {
            name: value for name, value in given["model"].items() if value != defaults[name]
        }
        return TrainConfig(**single, **given["recipe"], predictor=self.predictor, model=changed)


def flags_of(predictor: str) -> ModelFlags:
    """Return the flags of `train NAME`, whose defaults are the model's published recipe.

    Raises:
        UserError: there is no learned predictor of this name.
    """
    model = learned_model(predictor)
    assert model.config is not None
    return ModelFlags(predictor, {"model": model.config(), "recipe": model.recipe})
