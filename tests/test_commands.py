"""The commands as a user types them, one after another on the same files.

What one writes, the next one reads.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
PROGRAM = (sys.executable, "-m", "visual_foresight")


def run(folder: Path, words: str, code: int = 0) -> tuple[dict, str]:
    """Return the figures of a command, and what it said beside them."""
    done = subprocess.run(
        [*PROGRAM, *words.split(), "--json"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout) if done.stdout else {}, done.stderr


def test_from_nothing_to_an_evaluated_model(tmp_path):
    collected, said = run(
        tmp_path, "collect --env dot --folder data --episodes 12 --steps 6 --workers 2"
    )
    assert collected["episodes_new"] == 12 and "12/12" in said
    validated, _ = run(tmp_path, "validate --folder data")
    assert validated.pop("doubts").keys() == {"short_episodes"}
    assert validated == {
        "folder": "data",
        "sound_episodes": 12,
        "problems": {},
    }
    training = (
        "train --data data --out run --predictor ensemble --member dna "
        "--steps 2 --horizon 3 --batch 4 --device cpu"
    )
    trained, _ = run(tmp_path, training + " --held-out-share 0.2")
    assert trained["steps"] == 2 and trained["member"] == "dna"
    evaluated, _ = run(
        tmp_path, f"evaluate prediction --data data --model {trained['checkpoint']} --horizon 3"
    )
    assert set(evaluated["steps"]) == {"1", "2", "3"}
    assert evaluated["model"] == trained["checkpoint"]
    damaged = tmp_path / "data" / "episode_000003.hdf5"
    damaged.write_bytes(damaged.read_bytes()[:1000])
    found, said = run(tmp_path, "validate --folder data", code=2)
    assert found["sound_episodes"] == 11
    assert "episode_000003.hdf5" in next(iter(found["problems"]))
    _, said = run(tmp_path, training.replace("run", "other"), code=2)
    assert said.count("episode_000003.hdf5") == 1


def test_an_empty_dataset_is_not_called_sound(tmp_path):
    collecting = "collect --env dot --folder data --episodes 1 --steps 3 --workers 1"
    run(tmp_path, collecting)
    (tmp_path / "data" / "episode_000000.hdf5").unlink()
    found, said = run(tmp_path, "validate --folder data", code=2)
    assert found["sound_episodes"] == 0 and found["problems"] == {}
    assert "data holds no episodes yet: collect or record some into it first" in said


def test_rankings_and_trials_through_their_commands(tmp_path):
    ranked, _ = run(
        tmp_path,
        "evaluate ranking --model still --states 1 --candidates 16 --workers 1 --out bank",
    )
    assert ranked["spearman"] == 0 and list((tmp_path / "bank").glob("bank_*.npz"))
    words = (
        "evaluate control --methods random still --suites near --trials 1 --workers 1 --seed 5"
    )
    rows = run(tmp_path, words)[0]["suites"]["near"]
    assert rows.keys() == {"random", "still"} and rows["still"]["trials"] == 1
    again = run(tmp_path, words + " --disagreement 1")[0]["suites"]["near"]
    assert again == rows, "floors have one member"
    cautious = words.replace("random still", "flow") + " --disagreement 1"
    assert "needs two members or more" in run(tmp_path, cautious, code=2)[1]
    (tmp_path / "mine" / "checkpoint").mkdir(parents=True)
    _, said = run(tmp_path, words.replace("random", "mine") + " --fresh", code=2)
    assert "mine is no checkpoint" in said
