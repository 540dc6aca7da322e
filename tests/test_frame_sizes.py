"""Frames of another size, through the command line: no command needs a flag for them.

Only `collect` is told the size; the rest takes it from the data and from the checkpoint.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import pytest

from tests.fakes.checkpoints import untrained
from tests.fakes.commands import run_here, shorten_trials
from visual_foresight.envs.registry import make
from visual_foresight.interfaces import require_judge
from visual_foresight.planning.planners.cem import CEM
from visual_foresight.predictors.checkpoints import read_config

SIZE = (96, 96)
SIDES = "96 96"
COLLECT = "collect --env dot --explorer smooth --workers 1 --folder"
SHORT = (
    "--data data --out run --recipe.steps 2 --recipe.batch 1 --recipe.single 0.5 "
    "--model.channels 8 --device cpu --precision float32"
)
"""A training that ends soon."""


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Any]:
    """Return what runs a command in the test's folder: its figures, or what it complains of."""
    monkeypatch.chdir(tmp_path)
    shorten_trials(monkeypatch)

    def run(words: str, code: int = 0) -> Any:
        figures, said = run_here(words, capsys, code)
        return said if code else figures

    return run


def of_the_dot(size: tuple[int, int]) -> str:
    """Return where the dot is in the scene of seed 1, as `--source` takes it."""
    env = require_judge(make("dot", size), "this test")
    env.reset(seed=1)
    place = env.project(env.truth()[0, :3])
    return f"{place.row:g},{place.col:g}"


@pytest.mark.slow
def test_the_dot_from_collecting_to_judging(run: Callable[..., Any]) -> None:
    run(f"{COLLECT} data --episodes 3 --steps 8 --frame-size {SIDES}")
    run(f"train flow {SHORT} --recipe.horizon 4 --held-out-share 0.3")
    assert read_config(Path("run/checkpoint"))["config"]["frame_size"] == [*SIZE]

    plan = f"plan --env dot --preset fast --seed 1 --goal 90,90 --source {of_the_dot(SIZE)}"
    figures = run(f"{plan} --model run/checkpoint --animation a.gif")
    assert figures["start_distance_cm"] > 0
    assert imageio.imread("a.gif", index=0).shape[1] == 2 * 5 * 96 + 4

    prediction = "evaluate prediction --model run/checkpoint --horizon 4 --data"
    assert run(f"{prediction} data")["protocol"]["frame_size"] == [*SIZE]

    run(f"{COLLECT} other --episodes 1 --steps 8 --frame-size 48 80")
    said = run(f"{prediction} other", code=2)
    assert "was trained on frames of (height, width) (96, 96), but (48, 80) was" in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "figure"),
    [
        ("control --methods mine --suites near --trials 1 --preset fast", "suites near mine"),
        ("ranking --model mine --states 1 --candidates 8 --horizon 4", "spearman"),
        ("speed --model mine --repeats 2", "presets fast seconds_median"),
        ("throughput --predictors mine --batch 2 --horizon 1 --repeats 1", "predictors mine"),
    ],
)
def test_every_judge_of_the_pushing_table_takes_the_size_of_the_checkpoint(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, words: str, figure: str
) -> None:
    monkeypatch.setattr("visual_foresight.evaluation.speed.throughput.YARDSTICK_BATCH", 1)
    for preset in CEM.presets:
        monkeypatch.setitem(CEM.presets, preset, CEM.presets["fast"])
    untrained(Path("mine"), (24, 32), "push")
    found = run(f"evaluate {words}")
    for name in figure.split():
        found = found[name]
    assert found or found == 0


@pytest.mark.slow
@pytest.mark.parametrize(("model", "size"), [("flow", (51, 70)), ("dna", (27, 38))])
def test_a_size_that_no_network_divides_is_learnt_and_used(
    run: Callable[..., Any], model: str, size: tuple[int, int]
) -> None:
    height, width = size
    run(f"{COLLECT} data --episodes 3 --steps 6 --frame-size {height} {width}")
    run(f"train {model} {SHORT} --recipe.horizon 3 --held-out-share 0.4")
    assert read_config(Path("run/checkpoint"))["config"]["frame_size"] == [*size]
    judge = "evaluate prediction --model run/checkpoint --data data --horizon 3"
    assert run(judge)["protocol"]["frame_size"] == [*size]
    pixels = f"--source {of_the_dot(size)} --goal {height - 8},{width - 8}"
    plan = f"plan --env dot --preset fast --seed 1 {pixels}"
    figures = run(f"{plan} --model run/checkpoint --animation a.gif")
    assert figures["start_distance_cm"] > 0
