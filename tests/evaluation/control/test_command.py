"""The control benchmark on dots: free of workers and order, resumed, and never mixed up."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.checkpoints import untrained
from visual_foresight.control.config import ControllerConfig
from visual_foresight.control.methods import Method
from visual_foresight.control.methods import parse as parse_row
from visual_foresight.evaluation.control import command
from visual_foresight.evaluation.control.command import (
    ControlConfig,
    Job,
    ceiling_path,
    evaluate_control,
    run_job,
)
from visual_foresight.evaluation.control.outcomes import as_text, figures_of, figures_of_rows
from visual_foresight.evaluation.suites import Suite
from visual_foresight.predictors.registry import SHIPPED
from visual_foresight.types import UserError

DOTS = Suite("dots", 0.08, 0.2, env="dot", num_steps=3, behind_m=0.0)
SUITES = {"dots": DOTS}


def parse(row: str, preset: str) -> Method:
    return parse_row(row, ControllerConfig(preset=preset))


def config(folder: Path, **changes) -> ControlConfig:
    small = ControlConfig(
        methods=("random", "still"), suites=("dots",), trials=3, workers=1, out=folder, seed=7
    )
    return replace(small, **changes)


def test_workers_and_order_do_not_matter_and_an_interrupted_benchmark_goes_on(
    tmp_path: Path,
) -> None:
    whole = evaluate_control(config(tmp_path / "a", workers=2), SUITES)
    half = evaluate_control(config(tmp_path / "b", methods=("still",), trials=2), SUITES)
    assert half["suites"]["dots"]["still"]["trials"] == 2
    kept = tmp_path / "b/dots-7/still-fast/0001.json"
    written = kept.stat().st_mtime_ns
    rest = evaluate_control(config(tmp_path / "b", methods=("still", "random")), SUITES)
    assert kept.stat().st_mtime_ns == written
    for row in ("random", "still"):
        one = dict(whole["suites"]["dots"][row])
        other = dict(rest["suites"]["dots"][row])
        assert one.pop("plan_seconds") > 0 and other.pop("plan_seconds") > 0
        assert one == other
    assert whole["fingerprints"] == rest["fingerprints"] != half["fingerprints"]


def test_the_figures_have_the_agreed_names(tmp_path: Path) -> None:
    record = run_job(Job(DOTS, parse("random", "fast"), 7, 0, tmp_path / "0.json"))
    near = record | {"distances_m": [0.1, 0.04], "distances_px": [12.0, 5.0]}
    far = record | {"distances_m": [0.2, 0.12], "distances_px": [20.0, 15.0]}
    figures = figures_of([near, near, near, far])
    assert figures["trials"] == 4
    assert [figures[f"success_{radius}cm"] for radius in ("2.5", "5", "7.5")] == [0, 0.75, 0.75]
    low, high = figures["interval_5cm"]
    assert 0.2 < low < 0.75 < high < 1
    assert figures["start_distance_cm"] == pytest.approx(12.5)
    assert figures["final_distance_cm"] == pytest.approx(6)
    assert figures["final_distance_px"] == pytest.approx(7.5)
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures


def test_the_share_of_the_ceiling_is_of_its_own_trials() -> None:
    def trial(final_m: float) -> dict:
        return {
            "distances_m": [0.1, final_m],
            "distances_px": [9.0, 1.0],
            "plan_seconds": 0.5,
            "locator_errors_px": [],
        }

    near, far = trial(0.01), trial(0.09)
    rows = {
        "flow": {0: near, 1: far, 2: near, 3: near},
        "simulator": {0: near, 1: near, 2: near},
    }
    figures = figures_of_rows(rows, "simulator")
    assert figures["flow"]["success_5cm"] == 0.75
    assert figures["flow"]["of_ceiling_5cm"] == pytest.approx(2 / 3)
    low, high = figures["flow"]["interval_of_ceiling_5cm"]
    assert 0 <= low < 2 / 3 < high <= 1
    assert "of_ceiling_5cm" not in figures["simulator"]
    rows["flow"].pop(2)
    assert "of_ceiling_5cm" not in figures_of_rows(rows, "simulator")["flow"]
    text = as_text({"suites": {"near": figures}, "seed": 0, "preset": "fast"}).splitlines()
    assert len(text) == 4 and len({len(line) for line in text[1:]}) == 1
    assert "0.67 [" in text[2] and text[2].split()[:2] == ["flow", "4"]


@pytest.mark.slow
def test_every_row_runs_in_its_own_frames_and_the_rest_in_the_chosen_ones(
    tmp_path: Path,
) -> None:
    model = str(untrained(tmp_path / "mine", (48, 80), name="flow"))
    rows = (model, "still")
    mixed = config(tmp_path / "a", methods=rows, trials=1, trials_file=tmp_path / "a.json")
    result = evaluate_control(mixed, SUITES)
    assert list(result["suites"]["dots"]) == list(rows)
    mine, still = json.loads((tmp_path / "a.json").read_text())["trials"]
    assert mine["task"] != still["task"], "they differ in size, so the dot's worlds do, too"
    alone = evaluate_control(config(tmp_path / "a", methods=("still",), trials=1), SUITES)
    assert alone["fingerprints"] != result["fingerprints"]
    assert alone["suites"]["dots"]["still"] == result["suites"]["dots"]["still"]

    same = replace(mixed, frame_size=(48, 80))
    result = evaluate_control(same, SUITES)
    mine_again, still_there = json.loads((tmp_path / "a.json").read_text())["trials"]
    assert mine_again == mine and still_there["task"] == mine["task"]
    kept = sorted(path.name for path in (tmp_path / "a/dots-7").iterdir())
    assert [name.rpartition("-fast")[2] for name in kept] == ["-48x80", "", "-48x80"]


def test_a_result_of_another_task_or_planner_is_not_taken(tmp_path: Path) -> None:
    job = Job(DOTS, parse("random", "fast"), 7, 0, tmp_path / "0.json")
    record = run_job(job)
    marked = record | {"distances_m": [9.0]}
    job.path.write_text(json.dumps(marked))
    assert run_job(job) == marked
    job.path.write_text(json.dumps(marked | {"task": "another"}))
    assert run_job(job)["distances_m"] == record["distances_m"]
    job.path.write_text(json.dumps(marked))
    method = parse("random", "default")
    assert run_job(replace(job, method=method))["method"] == method.key
    job.path.write_text("{ damaged")
    assert run_job(job)["distances_m"] == record["distances_m"]


def ship(trials: list) -> None:
    content = {"suite": "dots", "preset": "fast", "seed": 0, "trials": trials}
    ceiling_path("dots", "fast").write_text(json.dumps(content))


def test_a_shipped_ceiling_is_checked_against_its_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "CEILING_FOLDER", tmp_path)
    task = run_job(Job(DOTS, parse("random", "fast"), 0, 0, tmp_path / "0.json"))["task"]
    best = {
        "index": 0,
        "task": task,
        "method": parse("simulator", "fast").key,
        "distances_m": [0.1, 0.01],
        "distances_px": [12.0, 1.0],
        "plan_seconds": 9.0,
        "locator_errors_px": [],
    }
    ship([best])
    rows = config(tmp_path / "a", methods=("random", "simulator"), seed=0)
    figures = evaluate_control(rows, SUITES)["suites"]["dots"]
    assert figures["simulator"]["trials"] == 1 and figures["simulator"]["success_2.5cm"] == 1
    assert figures["random"]["trials"] == 3 and figures["random"]["of_ceiling_5cm"] in (0, 1)
    ship([best | {"task": "of yesterday"}])
    with pytest.raises(UserError, match="recompute it with --ceiling publish"):
        evaluate_control(rows, SUITES)


def test_where_no_ceiling_is_shipped_its_row_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(command, "CEILING_FOLDER", tmp_path)
    result = evaluate_control(
        config(tmp_path, methods=("random", "simulator"), trials=1), SUITES
    )
    assert list(result["suites"]["dots"]) == ["random"]
    assert "no ceiling is shipped for suite dots, preset fast, seed 7" in caplog.text


def test_publishing_writes_what_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "CEILING_FOLDER", tmp_path)
    records = [{"index": 1, "task": "b"}, {"index": 0, "task": "a"}]
    command.publish("dots", config(tmp_path, seed=0), records)
    content = json.loads(ceiling_path("dots", "fast").read_text())
    assert content == {"suite": "dots", "preset": "fast", "seed": 0, "trials": records[::-1]}


def test_the_table_can_be_recomputed_from_the_trials_that_are_kept_in_one_file(
    tmp_path: Path,
) -> None:
    result = evaluate_control(
        config(tmp_path, workers=2, trials_file=tmp_path / "trials.json"), SUITES
    )
    kept = json.loads((tmp_path / "trials.json").read_text())
    trials = kept.pop("trials")
    assert kept == result
    assert [(trial["suite"], trial["row"], trial["index"]) for trial in trials] == [
        ("dots", row, index) for row in ("random", "still") for index in range(3)
    ]
    for row, figures in result["suites"]["dots"].items():
        assert figures_of([trial for trial in trials if trial["row"] == row]) == figures


@pytest.mark.parametrize("file", ["trials.json", "trials_default.json"])
@pytest.mark.parametrize("model", SHIPPED)
def test_the_shipped_trials_are_those_of_the_shipped_model_and_give_its_figures(
    model: str, file: str
) -> None:
    """When this fails, the model or the planner has changed.

    Measure again, and correct README and card.
    """
    kept = json.loads((Path(__file__).parents[3] / "models" / model / file).read_text())
    for suite, rows in kept["suites"].items():
        for row, figures in rows.items():
            trials = [
                trial
                for trial in kept["trials"]
                if (trial["suite"], trial["row"]) == (suite, row)
            ]
            assert {trial["method"] for trial in trials} == {parse(row, kept["preset"]).key}
            # another machine may round sums differently
            for name, value in figures_of(trials).items():
                assert figures[name] == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"methods": ("random", "nobody")}, "'nobody'"),
        ({"methods": ("still@guess",)}, "unknown locator 'guess'"),
        ({"suites": ("hard",)}, "unknown suite 'hard'"),
        ({"preset": "slow"}, "unknown preset 'slow'"),
        ({"trials": 0}, "one trial"),
        ({"seed": -1}, "a seed is a whole number"),
        ({"methods": ("still", "still")}, "named once"),
        ({"ceiling": "publish"}, "got seed 7"),
        ({"ceiling": "publish", "seed": 0, "frame_size": (48, 80)}, "frames of 48x80"),
        ({"trials_file": Path(__file__).parent}, "is a folder"),
        ({"trials_file": Path(__file__) / "trials.json"}, "the file of the trials cannot be"),
        ({"out": Path(__file__)}, "the trials cannot be written to"),
    ],
)
def test_bad_input_is_named(tmp_path: Path, changes: dict, words: str) -> None:
    with pytest.raises(UserError, match=words):
        evaluate_control(config(tmp_path, **changes), SUITES)
    assert not list(tmp_path.iterdir())


def test_the_chance_of_a_trial_depends_on_seed_index_and_kind() -> None:
    states = {
        row: parse(row, "fast").generator(seed, index).initial_seed()
        for row, seed, index in [("random", 0, 0), ("still", 0, 0)]
    }
    assert states["random"] != states["still"]
    again = parse("still@truth", "fast").generator(0, 0).initial_seed()
    assert again == states["still"] != parse("still", "fast").generator(0, 1).initial_seed()
