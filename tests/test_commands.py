"""The commands as a user types them, one after another on the same files.

What one writes, the next one reads.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.commands import run_here, shorten_trials

pytestmark = pytest.mark.slow
TRAINING = (
    "train --data data --out run --predictor ensemble --member dna --steps 2 --horizon 2 "
    "--batch 1 --single 0.5 --device cpu --precision float32 --held-out-share 0.2"
)


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[Any, str]]:
    """Return what runs a command in the test's folder: its figures, and what it said."""
    monkeypatch.chdir(tmp_path)

    def run(words: str, code: int = 0) -> tuple[Any, str]:
        figures, said = run_here(words, capsys, code)
        assert "Traceback" not in said
        return figures, said

    return run


def test_from_nothing_to_an_evaluated_model(run: Callable[..., tuple[Any, str]]) -> None:
    collected, said = run(
        "collect --env dot --folder data --episodes 8 --steps 4 --frame-size 24 32 --workers 2"
    )
    assert collected["episodes_new"] == 8 and "8/8" in said
    validated, _ = run("validate --folder data")
    assert validated.pop("doubts").keys() == {"short_episodes"}
    assert validated == {
        "folder": "data",
        "sound_episodes": 8,
        "problems": {},
    }
    trained, _ = run(TRAINING)
    assert trained["steps"] == 2 and trained["member"] == "dna"
    evaluated, _ = run(
        f"evaluate prediction --data data --model {trained['checkpoint']} --horizon 2"
    )
    assert set(evaluated["steps"]) == {"1", "2"}
    assert evaluated["model"] == trained["checkpoint"]
    damaged = Path("data/episode_000003.hdf5")
    damaged.write_bytes(damaged.read_bytes()[:1000])
    found, said = run("validate --folder data", code=2)
    assert found["sound_episodes"] == 7
    assert "episode_000003.hdf5" in next(iter(found["problems"]))
    _, said = run(TRAINING.replace("run", "other"), code=2)
    assert said.count("episode_000003.hdf5") == 1


def test_an_empty_dataset_is_not_called_sound(run: Callable[..., tuple[Any, str]]) -> None:
    run("collect --env dot --folder data --episodes 1 --steps 3 --workers 1")
    (Path("data") / "episode_000000.hdf5").unlink()
    found, said = run("validate --folder data", code=2)
    assert found["sound_episodes"] == 0 and found["problems"] == {}
    assert "data holds no episodes yet: collect or record some into it first" in said


def test_rankings_and_trials_through_their_commands(
    run: Callable[..., tuple[Any, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten_trials(monkeypatch)
    ranked, _ = run(
        "evaluate ranking --model still --states 1 --candidates 16 --workers 1 --out bank"
    )
    assert ranked["spearman"] == 0 and list(Path("bank").glob("bank_*.npz"))
    words = (
        "evaluate control --methods random still --suites near --trials 1 --workers 1 --seed 5"
    )
    rows = run(words)[0]["suites"]["near"]
    assert rows.keys() == {"random", "still"} and rows["still"]["trials"] == 1
    again = run(words + " --disagreement 1")[0]["suites"]["near"]
    assert again == rows, "floors have one member"
    cautious = words.replace("random still", "flow") + " --disagreement 1"
    assert "needs two members or more" in run(cautious, code=2)[1]
    Path("mine/checkpoint").mkdir(parents=True)
    _, said = run(words.replace("random", "mine") + " --fresh", code=2)
    assert "mine is no checkpoint" in said
