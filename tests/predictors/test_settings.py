"""Numbers that no network can be built of are refused in a sentence, for every registered model."""

import dataclasses
import math
import warnings
from typing import Any, cast

import pytest

from visual_foresight import cli
from visual_foresight.predictors.models import FROM_DATA, Recipe, require_sound
from visual_foresight.predictors.registry import create, learned, model_of
from visual_foresight.training.config import TrainConfig
from visual_foresight.types import UserError

SIZE = (16, 24)


def cases() -> list[tuple[str, str, float]]:
    """Return models, their settings, and a number that may be none for them."""
    found: list[tuple[str, str, float]] = []
    for name in learned():
        for each in dataclasses.fields(cast(Any, model_of(name).config)):
            if each.name in FROM_DATA or isinstance(each.default, bool | str):
                continue
            is_whole = not isinstance(each.default, float)
            bad = (0, -1, 1, 10**9) if is_whole else (math.nan, math.inf, -1.0)
            found += [(name, each.name, number) for number in bad]
    return found


@pytest.mark.parametrize(("name", "setting", "number"), cases())
def test_a_model_is_made_or_refused(name: str, setting: str, number: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # layers without weights are warned of
        try:
            create(name, {setting: number, "frame_size": SIZE})
        except UserError as error:
            assert ": " in str(error)
        else:
            assert number in (0, 1), f"{name} was made with {setting} {number}"


@pytest.mark.parametrize("number", [-1, 0, 10**9])
def test_the_flag_is_named(capsys: pytest.CaptureFixture[str], number: int) -> None:
    with pytest.raises(UserError, match=f"--model.channels is a whole .* 4096, got {number}:"):
        create("dna", {"channels": number, "frame_size": SIZE})


def test_bounds_follow_from_the_defaults() -> None:
    @dataclasses.dataclass(frozen=True)
    class Config:
        layers: int = 2
        extra: int = 0
        shift: int = -3
        tilt: float = -0.5
        side: int = dataclasses.field(default=8, metadata={"least": 4, "most": 16})

    for fine in ({}, {"extra": 5}, {"shift": -9}, {"tilt": -2.0}, {"side": 16}):
        require_sound(Config(**fine))  # type: ignore[arg-type]
    for bad in ({"layers": 0}, {"extra": -1}, {"tilt": math.nan}, {"side": 3}, {"side": 17}):
        with pytest.raises(UserError, match=f"--model.{next(iter(bad))} is a"):
            require_sound(Config(**bad))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("setting", "number"),
    [
        (each.name, number)
        for each in dataclasses.fields(Recipe)
        for number in ((0, -1) if isinstance(each.default, int) else (math.nan, -1.0))
        if not isinstance(each.default, str)
    ],
)
def test_a_recipe_is_refused(tmp_path, setting: str, number: float) -> None:
    changes: dict[str, Any] = {setting: number}
    with pytest.raises(UserError, match=": "):
        TrainConfig(tmp_path / "data", tmp_path / "out", **changes)


def test_a_setting_that_there_is_not_is_no_flag(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["train", "dna", "--data", "a", "--out", "b", "--model.chanels", "4"])
    assert ended.value.code == 2
