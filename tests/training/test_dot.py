"""Models that move pixels learn in the dot's world, by the command line."""

import json
from pathlib import Path

import pytest

from visual_foresight.cli import main


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dot") / "data"
    words = f"collect --env dot --folder {folder} --episodes 8 --steps 6 --frame-size 24 32"
    main([*words.split(), "--workers", "1"])
    return folder


@pytest.mark.parametrize("teacher", [None, "rigid_tracks", "optical_flow", "none"])
@pytest.mark.parametrize("model", ["dna", "flow"])
def test_it_is_trained_with_any_teacher(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture, model: str, teacher: str | None
) -> None:
    words = (
        f"train {model} --data {data} --out {tmp_path / 'run'} --points {tmp_path / 'points'} "
    )
    recipe = "--recipe.steps 3 --recipe.batch 2 --recipe.horizon 3 --precision float32 "
    named = "" if teacher is None else f"--recipe.teacher {teacher} "
    capsys.readouterr()
    main((words + recipe + named + "--held-out-share 0.2 --device cpu --json").split())
    figures = json.loads(capsys.readouterr().out)
    assert figures["steps"] == 3 and figures["teacher"] == (teacher or "rigid_tracks")
