"""`train NAME`: what its groups of flags mean, beside the form without groups."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from visual_foresight import cli
from visual_foresight.predictors.models import FROM_DATA, Model, Recipe
from visual_foresight.predictors.registry import learned, model_of
from visual_foresight.training.config import TrainConfig, comparable, differences

PLACES = "--data there --out here"
FLAT = TrainConfig(Path("there"), Path("here"))


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[TrainConfig]]:
    """Keep the configurations that `train` was asked for, and train nothing."""
    configs: list[TrainConfig] = []

    def keep(config: TrainConfig) -> dict[str, bool]:
        configs.append(config)
        return {"done": True}

    monkeypatch.setattr("visual_foresight.cli.train_model", keep)
    yield configs
    assert configs


def test_a_name_alone_means_the_published_recipe(read: list[TrainConfig]) -> None:
    for name in learned():
        cli.main(["train", name, *PLACES.split()])
        config = read[-1]
        recipe = model_of(name).recipe
        assert (config.predictor, config.data, config.out) == (name, FLAT.data, FLAT.out)
        assert {field: getattr(config, field) for field in vars(recipe)} == vars(recipe)
        assert config.model == {} and config.member == "flow"


def test_groups_set_the_model_and_its_recipe(read: list[TrainConfig]) -> None:
    words = (
        "train flow --model.channels 48 --recipe.steps 5 --recipe.pixel-loss squared --seed 3"
    )
    cli.main([*words.split(), *PLACES.split()])
    (config,) = read
    assert config.model == {"channels": 48}
    assert (config.steps, config.single, config.pixel_loss) == (5, 0.65, "squared")
    assert config.seed == 3


def test_the_form_without_groups_means_what_it_meant(read: list[TrainConfig]) -> None:
    cli.main(["train", *PLACES.split()])
    cli.main(["train", "--predictor", "flow", "--single", "0.65", *PLACES.split()])
    assert read[0] == FLAT
    assert (read[0].predictor, read[0].steps, read[0].single) == ("rigid", 3600, 0.75)
    assert (read[1].predictor, read[1].steps, read[1].single) == ("flow", 3600, 0.65)


def test_both_forms_are_one_run(read: list[TrainConfig]) -> None:
    cli.main(["train", "ensemble", "--model.member", "dna", *PLACES.split()])
    cli.main(
        f"train --predictor ensemble --member dna --single 0.65 {PLACES}".split(),
    )
    assert differences(read[1], comparable(read[0])) == []
    assert comparable(read[0])["member"] == "dna" and comparable(read[0])["model"] == {}
    assert read[0].model_settings["member"] == read[1].model_settings["member"] == "dna"


def test_steps_count_only_without_minutes() -> None:
    longer = TrainConfig(Path(), Path(), steps=9, every=7)
    assert differences(FLAT, comparable(longer)) == ["steps"]
    timed = TrainConfig(Path(), Path(), minutes=1.0)
    assert (
        differences(timed, comparable(TrainConfig(Path(), Path(), minutes=1.0, steps=9))) == []
    )


@pytest.mark.parametrize("name", learned())
def test_help_has_the_models_own_flags(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["train", name, "--help"])
    assert caught.value.code == 0
    said = capfd.readouterr().out
    model = model_of(name)
    assert "--recipe.steps INT" in said and f"(default: {model.recipe.steps})" in said
    for field in vars(model.config()):  # type: ignore[misc]
        flag = field.replace("_", "-")
        is_shown = f"--model.{flag} " in said or f"--model.no-{flag} " in said
        assert is_shown == (field not in FROM_DATA)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("nobody", "there is no learned predictor 'nobody': choose one of cdna"),
        ("still", "there is no learned predictor 'still': choose one of cdna"),
        ("flow --recipe.ema 2", "ema is in [0, 1), got 2"),
        ("flow --recipe.steps 0", "steps, batch, horizon and every are 1 or more"),
        ("flow --model.frame-size 8 8", "--model.frame-size"),
        ("flow --predictor dna", "--predictor"),
    ],
)
def test_what_is_wrong_is_said(
    words: str, sentence: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(f"train {words} {PLACES}".split())
    assert caught.value.code == 2
    assert sentence in capfd.readouterr().err


def test_a_recipe_is_plain_json() -> None:
    recipe = Model(dict).recipe
    assert recipe == Recipe()
    assert Recipe(**json.loads(json.dumps(vars(recipe)))) == recipe
