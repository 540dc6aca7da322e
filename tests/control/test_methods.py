"""What identifies a method in stored results."""

import shutil
from pathlib import Path

import pytest

from tests.fakes.long_sighted import LongSighted, Sizes
from tests.fakes.packages import bring
from visual_foresight.control.config import ControllerConfig
from visual_foresight.control.methods import parse
from visual_foresight.control.protocols import PROTOCOLS
from visual_foresight.predictors.checkpoints import resolve, save
from visual_foresight.predictors.models import Model
from visual_foresight.types import UserError

FAST = ControllerConfig(preset="fast")


@pytest.mark.parametrize("part", sorted(PROTOCOLS))
def test_a_newer_version_of_the_code_has_another_key(
    monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    assert set(PROTOCOLS.values()) == {1}, "the published trials name no version"
    before = parse("still", FAST).key
    monkeypatch.setitem(PROTOCOLS, part, 2)  # type: ignore[arg-type]
    assert parse("still", FAST).key != before
    monkeypatch.undo()
    assert parse("still", FAST).key == before


def test_a_newer_version_of_a_model_has_another_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keys = []
    checkpoint = tmp_path / "checkpoint"
    for protocol in (1, 2):
        with monkeypatch.context() as patch:
            packages = tmp_path / f"packages{protocol}"
            packages.mkdir()
            model = Model(LongSighted, Sizes, protocol=protocol)
            bring(patch, packages, "predictors", "long", model)
            if protocol == 1:
                save(LongSighted(Sizes()), checkpoint, {})
            keys.append(parse(str(checkpoint), FAST).key)
    assert keys[0] != keys[1]


def test_what_was_chosen_makes_another_method() -> None:
    configs = (
        ControllerConfig(),
        ControllerConfig(cost="image_distance"),
        ControllerConfig(proposals="none"),
        ControllerConfig(final_weight=1.0),
        ControllerConfig(preset="fast"),
    )
    keys = [parse("still", config).key for config in configs]
    keys.append(parse("still@propagate", ControllerConfig()).key)
    assert len(set(keys)) == len(keys)
    assert parse("still", ControllerConfig(disagreement=1.0)).key == keys[0]  # one future


@pytest.mark.parametrize("folder", ["ann@lab.example/flow", "runs@home", "mine@2.0", "a@b@c/d"])
def test_a_path_may_have_an_at_sign(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(resolve("flow"), tmp_path / folder)
    for row, locator in ((folder, "track"), (f"{folder}@propagate", "propagate")):
        method = parse(row, FAST)
        assert (method.model, method.config.locator) == (folder, locator)
        assert method.key == parse(row.replace(folder, "flow"), FAST).key


def test_a_misspelt_locator_is_named() -> None:
    with pytest.raises(UserError, match="locator 'trak'"):
        parse("flow@trak", FAST)
