"""Frames of another size, through the real command line: no command needs a flag for them.

Only `collect` is told the size; the rest takes it from the data and from the checkpoint.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import pytest

from tests.fakes.checkpoints import untrained
from visual_foresight.envs.registry import make
from visual_foresight.interfaces import require_judge
from visual_foresight.predictors.checkpoints import read_config

SIZE = (96, 96)
SIDES = "96 96"


def run(folder: Path, words: str, code: int = 0) -> Any:
    """Run the program in a folder; return its figures, or what it complains of."""
    command = [sys.executable, "-m", "visual_foresight", *words.split()]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    assert done.returncode == code, done.stderr
    return done.stderr if code else json.loads(done.stdout)


@pytest.mark.slow
def test_the_dot_from_collecting_to_judging(tmp_path: Path) -> None:
    collect = "collect --env dot --explorer smooth --episodes 4 --steps 16 --workers 1 --json"
    run(tmp_path, f"{collect} --folder data --frame-size {SIDES}")
    run(
        tmp_path,
        "train flow --data data --out run --recipe.steps 2 --recipe.batch 2 --recipe.horizon 4 "
        "--recipe.single 0.5 --model.channels 8 "
        "--held-out-share 0.3 --json",
    )
    assert read_config(tmp_path / "run/checkpoint")["config"]["frame_size"] == [*SIZE]

    env = require_judge(make("dot", SIZE), "this test")
    env.reset(seed=1)
    place = env.project(env.truth()[0, :3])
    source = f"{place.row:g},{place.col:g}"
    plan = f"plan --env dot --preset fast --seed 1 --goal 90,90 --source {source} --json"
    figures = run(tmp_path, f"{plan} --model run/checkpoint --animation a.gif")
    assert figures["start_distance_cm"] > 0
    assert imageio.imread(tmp_path / "a.gif", index=0).shape[1] == 2 * 5 * 96 + 4

    prediction = "evaluate prediction --model run/checkpoint --horizon 4 --json --data"
    figures = run(tmp_path, f"{prediction} data")
    assert figures["protocol"]["frame_size"] == [*SIZE]

    run(tmp_path, f"{collect} --folder other --frame-size 48 80")
    said = run(tmp_path, f"{prediction} other", code=2)
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
    tmp_path: Path, words: str, figure: str
) -> None:
    untrained(tmp_path / "mine", (24, 32), "push")
    found = run(tmp_path, f"evaluate {words} --json")
    for name in figure.split():
        found = found[name]
    assert found or found == 0


@pytest.mark.slow
@pytest.mark.parametrize("model", ["flow", "dna"])
def test_a_size_that_no_network_divides_is_learnt_and_used(tmp_path: Path, model: str) -> None:
    collect = "collect --env dot --explorer smooth --episodes 3 --steps 6 --workers 1"
    run(tmp_path, f"{collect} --folder data --frame-size 51 70 --json")
    run(
        tmp_path,
        f"train {model} --data data --out run --recipe.steps 2 --recipe.batch 2 "
        "--recipe.horizon 3 --recipe.single 0.5 --model.channels 8 --held-out-share 0.4 --json",
    )
    assert read_config(tmp_path / "run/checkpoint")["config"]["frame_size"] == [51, 70]
    if model == "dna":  # a plan of it takes minutes
        judge = "evaluate prediction --model run/checkpoint --data data --horizon 3 --json"
        found = run(tmp_path, judge)
        assert found["protocol"]["frame_size"] == [51, 70]
        return
    env = require_judge(make("dot", (51, 70)), "this test")
    env.reset(seed=1)
    place = env.project(env.truth()[0, :3])
    source = f"{place.row:g},{place.col:g}"
    plan = f"plan --env dot --preset fast --seed 1 --goal 40,60 --source {source} --json"
    figures = run(tmp_path, f"{plan} --model run/checkpoint --animation a.gif")
    assert figures["start_distance_cm"] > 0
