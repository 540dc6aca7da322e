"""Checkpoints: saved, loaded, identical; anything wrong with one is said in one sentence."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn

from tests.fakes.packages import bring
from visual_foresight.predictors.baselines.persistence import Persistence
from visual_foresight.predictors.checkpoints import (
    Seen,
    load,
    read_config,
    resolve,
    save,
    seen_by,
)
from visual_foresight.predictors.models import Model, Recipe
from visual_foresight.predictors.registry import PREDICTORS, create, learned, model_of
from visual_foresight.types import UserError


@dataclass(frozen=True)
class TinyConfig:
    frame_size: tuple[int, int] = (4, 6)
    action_size: int = 2
    state_size: int = 3
    width: int = 3


class Tiny(nn.Module):
    """As a learned predictor looks from here: built from its configuration, which it keeps."""

    context = 2

    def __init__(self, config):
        super().__init__()
        if config.width < 1:
            raise ValueError("--model.width is a whole number from 1")
        self.config = config
        self.linear = nn.Linear(config.action_size, config.width)
        self.norm = nn.BatchNorm1d(config.width)

    def calibrate(self, clip):
        raise NotImplementedError

    def observe(self, clip):
        raise NotImplementedError

    def designate(self, carry, pixels):
        raise NotImplementedError

    def imagine(self, carry, actions, decode=False):
        raise NotImplementedError


@pytest.fixture
def tiny(monkeypatch, tmp_path_factory):
    folder = tmp_path_factory.mktemp("packages")
    bring(monkeypatch, folder, "predictors", "tiny", Model(Tiny, TinyConfig))
    return Tiny(TinyConfig(width=5))


@pytest.fixture
def folder(tiny, tmp_path):
    save(tiny, tmp_path / "tiny", {"env": "dot", "steps": 7})
    return tmp_path / "tiny"


def damage(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_save_and_load_give_the_same_predictor(tiny, folder):
    loaded: Any = load(folder, frame_size=(4, 6), action_size=2)
    assert loaded.config == tiny.config
    assert loaded.state_dict().keys() == tiny.state_dict().keys()
    for name, value in tiny.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)
    assert not loaded.training
    assert not any(weight.requires_grad for weight in loaded.parameters())


def test_a_checkpoint_is_two_files_and_carries_its_facts(folder):
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "weights.safetensors",
    ]
    assert read_config(folder)["meta"] == {"env": "dot", "steps": 7}


def test_saving_again_replaces(tiny, folder):
    with torch.no_grad():
        tiny.linear.bias.fill_(42)
    save(tiny, folder, {})
    loaded: Any = load(folder)
    assert (loaded.linear.bias == 42).all()


def test_weights_that_are_not_finite_are_not_saved(tiny, tmp_path):
    with torch.no_grad():
        tiny.linear.bias[1] = float("nan")
    with pytest.raises(ValueError, match="linear.bias"):
        save(tiny, tmp_path / "new", {})
    assert not (tmp_path / "new").exists()


def test_a_full_disk_keeps_the_old_checkpoint(tiny, folder, monkeypatch):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        save(tiny, folder, {"steps": 8})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_the_persistence_baseline_needs_no_checkpoint():
    assert isinstance(load("still", frame_size=(4, 6), action_size=9), Persistence)


def test_every_registered_predictor_can_be_imported():
    for name in PREDICTORS:
        config_class: Any = model_of(name).config
        if config_class is not None:
            fields = {field.name for field in dataclasses.fields(config_class)}
            assert {"frame_size", "action_size", "state_size"} <= fields


def test_recipes_are_what_the_published_models_were_trained_with():
    recipes = {name: model_of(name).recipe for name in learned()}
    assert recipes.pop("rigid") == Recipe(steps=3600, single=0.75, every=200)
    assert recipes.pop("flow") == Recipe(steps=11000, single=0.65, every=1000)
    assert set(recipes.values()) == {Recipe(steps=3600, single=0.65, every=200)}


@pytest.mark.parametrize(
    ("alternative", "sentence"),
    [
        (Tiny, r"the predictor 'odd' is a type, but the entry point names a .*models\.Model"),
        (Model(dict), r"the predictor 'odd' has no observe\(\)"),
        (Model(Persistence, TinyConfig), r"the predictor 'odd' has no calibrate\(\)"),
    ],
)
def test_a_package_that_brings_something_else_is_told(
    monkeypatch, tmp_path, alternative, sentence
):
    bring(monkeypatch, tmp_path, "predictors", "odd", alternative)
    with pytest.raises(UserError, match=sentence):
        load("odd")
    assert isinstance(load("still"), Persistence)


def test_a_package_may_bring_a_predictor_without_weights(monkeypatch, tmp_path):
    bring(monkeypatch, tmp_path, "predictors", "frozen", Model(Persistence))
    assert isinstance(load("frozen"), Persistence)
    with pytest.raises(UserError, match="no learned predictor 'frozen'"):
        create("frozen", {})


def test_create_takes_the_sizes_of_the_data(tiny):
    data = {"frame_size": (8, 10), "action_size": 4, "state_size": 7, "renderer": "none"}
    config: Any = create("tiny", data).config
    assert (config.frame_size, config.action_size, config.state_size) == ((8, 10), 4, 7)
    for name in ("still", "oracle"):
        with pytest.raises(
            UserError, match=f"no learned predictor '{name}': choose one of .*flow, .*tiny"
        ):
            create(name, data)


def nothing_there(folder):
    return folder / "nowhere"


def no_config(folder):
    (folder / "config.json").unlink()


def no_json(folder):
    (folder / "config.json").write_text('{"predictor": "ti')


def binary_config(folder):
    (folder / "config.json").write_bytes(b"\xff\xfe\x00")


def a_list(folder):
    (folder / "config.json").write_text("[]")


def unknown_predictor(folder):
    damage(folder, predictor="oracle")


def another_version(folder):
    damage(folder, config={"frame_size": [4, 6], "action_size": 2, "state_size": 3, "depth": 3})


def cannot_be_built(folder):
    damage(folder, config={"frame_size": [4, 6], "action_size": 2, "state_size": 3, "width": 0})


def no_weights_in_still(folder):
    damage(folder, predictor="still")


def no_weights(folder):
    (folder / "weights.safetensors").unlink()


def cut_weights(folder):
    path = folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-8])


def foreign_weights(folder):
    damage(folder, config={"frame_size": [4, 6], "action_size": 2, "state_size": 3, "width": 4})


def weights_not_finite(folder):
    path = folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-4] + torch.tensor([float("inf")]).numpy().tobytes())


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (nothing_there, "no predictor or checkpoint .*flow, rigid, still"),
        (no_config, "no checkpoint: it has no config.json"),
        (no_json, "config.json is damaged"),
        (binary_config, "config.json is damaged"),
        (a_list, "config.json is damaged"),
        (unknown_predictor, "unknown predictor 'oracle'.*flow.*still"),
        (another_version, "made by a newer version, .* does not know depth of"),
        (cannot_be_built, "--model.width is a whole number from 1"),
        (no_weights_in_still, "has no weights"),
        (no_weights, "has no weights.safetensors"),
        (cut_weights, "weights.safetensors is damaged"),
        (foreign_weights, r"for linear.bias, \(4,\) was expected, got \(5,\)"),
        (weights_not_finite, "not finite"),
    ],
)
def test_a_bad_checkpoint_is_named_in_one_sentence(folder, spoil, sentence):
    with pytest.raises(UserError, match=sentence) as caught:
        load(spoil(folder) or folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "sizes", [{"frame_size": (6, 4)}, {"action_size": 4}, {"state_size": 9}]
)
def test_a_checkpoint_for_other_sizes_is_refused(folder, sizes):
    with pytest.raises(UserError, match="was trained on .* was asked for"):
        load(folder, **sizes)


def test_a_name_stands_for_the_shipped_checkpoint(tmp_path, monkeypatch):
    package = tmp_path / "visual_foresight"
    monkeypatch.setattr("visual_foresight.__file__", str(package / "__init__.py"))
    with pytest.raises(UserError, match="models/flow, is missing"):
        resolve("flow")
    in_the_wheel = package / "shipped" / "models" / "flow"
    in_the_wheel.mkdir(parents=True)
    assert resolve("flow") == in_the_wheel
    in_the_tree = tmp_path / "models" / "flow"
    in_the_tree.mkdir(parents=True)
    assert resolve("flow") == in_the_tree


def test_a_checkpoint_says_what_it_looks_at(tiny, folder, tmp_path):
    assert seen_by(folder) == Seen((4, 6), ())
    save(tiny, tmp_path / "beside", {"views": ["side"]})
    assert seen_by(tmp_path / "beside") == Seen((4, 6), ("side",))
    assert seen_by(resolve("flow")) == Seen((64, 64), ())


@pytest.mark.parametrize(
    "changes", [{"config": {"frame_size": 4}}, {"meta": {"views": 5}}, {"meta": {"views": [5]}}]
)
def test_a_frame_size_or_views_that_are_none_are_damage(folder, changes):
    damage(folder, **changes)
    with pytest.raises(UserError, match="two numbers and names of views were expected"):
        seen_by(folder)


def test_a_world_without_the_cameras_of_a_checkpoint_is_refused(tiny, tmp_path):
    save(tiny, tmp_path / "beside", {"views": ["side"]})
    load(tmp_path / "beside", views=("side", "front"))
    with pytest.raises(UserError, match="reads the views side, .* shows front, side"):
        load(tmp_path / "beside", views=("front", "side"))
    with pytest.raises(UserError, match="shows front:"):
        load(tmp_path / "beside", views=("front",))
