"""Correlations of scores with success in known orders, and one model through the real command."""

import json
from pathlib import Path

import pytest

from visual_foresight import cli
from visual_foresight.evaluation import compare
from visual_foresight.evaluation.compare import (
    CompareConfig,
    as_text,
    compare_models,
    correlations,
)
from visual_foresight.types import UserError


def scores(psnr: float, lpips: float, regret: float, success: float) -> dict:
    return {
        "psnr": psnr,
        "lpips": lpips,
        "regret": regret,
        "ratio": 0.5,
        "success_near": success,
        "interval_success_near": [success - 0.1, success + 0.1],
    }


MODELS = {
    "a": scores(psnr=30.0, lpips=0.1, regret=0.3, success=0.2),
    "b": scores(psnr=25.0, lpips=0.2, regret=0.2, success=0.5),
    "c": scores(psnr=20.0, lpips=0.3, regret=0.1, success=0.9),
}


def test_a_score_correlates_with_success_when_better_means_more_success() -> None:
    assert correlations(MODELS, ("near",)) == {
        "psnr": {"near": pytest.approx(-1)},
        "lpips": {"near": pytest.approx(-1)},
        "regret": {"near": pytest.approx(1)},
    }  # "ratio" is constant and orders nothing
    assert correlations({name: MODELS[name] for name in ("a", "b")}, ("near",)) == {}


def test_people_get_a_row_per_model_and_one_per_suite() -> None:
    figures = {
        "models": MODELS,
        "correlations": correlations(MODELS, ("near",)),
        "step": 10,
        "trials": 9,
    }
    lines = as_text({**figures, "preset": "fast", "seed": 0}).splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["model", "a", "b", "c", "correlation"]
    assert "-1.00" in lines[-1] and "+1.00" in lines[-1]
    assert "0.90 [0.80, 1.00]" in lines[4] and "30.0" in lines[2]


@pytest.mark.slow
def test_a_model_gets_every_score_once(tmp_path: Path, capfd, monkeypatch) -> None:
    words = (
        "evaluate family --models still --clips 4 --states 1 --suites near "
        "--trials 1 --workers 1 --json"
    )
    cli.main([*words.split(), "--out", str(tmp_path)])
    result = json.loads(capfd.readouterr().out)
    found = result["models"]["still"]
    assert found["ratio"] == pytest.approx(1)
    assert found["spearman"] == 0 and 0 < found["regret"] < 1
    assert found["success_near"] in (0, 1) and len(found["interval_success_near"]) == 2
    assert result["correlations"] == {}
    for work in ("evaluate_episodes", "evaluate_ranking"):
        monkeypatch.setattr(compare, work, lambda *_: pytest.fail("it is measured again"))
    cli.main([*words.split(), "--out", str(tmp_path)])
    assert json.loads(capfd.readouterr().out) == result


def test_bad_input_is_named() -> None:
    with pytest.raises(UserError, match="each named once"):
        CompareConfig(("still", "still"))
    with pytest.raises(UserError, match="one of 1 to 12"):
        CompareConfig(("still",), step=13)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"models": ("still", "moon")}, "no predictor or checkpoint 'moon'"),
        ({"suites": ("near", "moon")}, "unknown suite 'moon'"),
        ({"preset": "lazy"}, "unknown preset 'lazy'"),
        ({"data": Path("nowhere")}, "nowhere"),
    ],
)
def test_what_is_unknown_is_named_before_hours_of_work(
    tmp_path, monkeypatch, wrong, sentence
) -> None:
    monkeypatch.setattr(compare, "evaluate_episodes", lambda *_: pytest.fail("work has begun"))
    with pytest.raises(UserError, match=sentence):
        compare_models(CompareConfig(**{"models": ("still",), "out": tmp_path, **wrong}))
