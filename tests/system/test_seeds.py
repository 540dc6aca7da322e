"""Every configuration with a seed takes the same seeds, and refuses others at the door."""

import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest

from visual_foresight.cli import COMMANDS
from visual_foresight.gui.session.settings import Settings
from visual_foresight.types import UserError


def configured(config_class: Any, seed: int) -> Any:
    """Build a configuration with a seed, and with something for whatever it requires."""
    required = {
        name: ("rigid",) if name == "models" else Path(name)
        for name, each in inspect.signature(config_class).parameters.items()
        if each.default is inspect.Parameter.empty
    }
    return config_class(**required, seed=seed)


def with_a_seed() -> list[Any]:
    found = [Settings]
    for command in COMMANDS.values():
        module, _, name = command.config.partition(":")
        config_class = getattr(importlib.import_module(f"visual_foresight.{module}"), name)
        if "seed" in inspect.signature(config_class).parameters:
            found.append(config_class)
    return found


@pytest.mark.parametrize("config_class", with_a_seed())
def test_a_seed_has_64_bits(config_class: Any) -> None:
    for seed in (0, 2**64 - 1):
        assert configured(config_class, seed).seed == seed
    for seed in (-1, 2**64):
        with pytest.raises(UserError, match=rf"a seed is .* from 0 to 2\^64 - 1, got {seed}: "):
            configured(config_class, seed)


def test_all_that_have_one_are_found() -> None:
    assert len(with_a_seed()) >= 8
