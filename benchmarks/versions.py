"""Times a replan in this version and in another one, in turns, on the same machine in one run.

`scripts/compare_versions REF` checks the other version out beside this one and prints, for each
preset, the median of both and their ratio. The same environment serves both, so the other version
must get along with the packages that are installed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tqdm import tqdm

ROOT = Path(__file__).parents[1]


def compare(ref: str, rounds: int, repeats: int, model: str) -> dict[str, dict[str, float]]:
    """Time both versions, in turns.

    Args:
        ref: names a commit of this repository.
        rounds: how often each version is started.
        repeats: replans of each preset in a round.
        model: name of a shipped predictor.

    Returns:
        preset -> "here_s", "there_s" (medians over the rounds), "ratio" (here over there, the
        median of the rounds' ratios) and its lowest and highest.
    """
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder) / "there"
        _git("worktree", "add", "--detach", str(there), ref)
        try:
            rows = []
            for _ in tqdm(range(rounds), "rounds"):
                rows.append([_replan_s(root, repeats, model) for root in (there, ROOT)])
        finally:
            _git("worktree", "remove", "--force", str(there))
    figures = {}
    for preset in rows[0][0]:
        old = [row[0][preset] for row in rows]
        new = [row[1][preset] for row in rows]
        ratios = [b / a for a, b in zip(old, new, strict=True)]
        figures[preset] = {
            "here_s": statistics.median(new),
            "there_s": statistics.median(old),
            "ratio": statistics.median(ratios),
            "lowest": min(ratios),
            "highest": max(ratios),
        }
    return figures


def _replan_s(root: Path, repeats: int, model: str) -> dict[str, float]:
    """Return the median seconds of a replan, by preset, of the version in a folder."""
    command = [sys.executable, "-m", "visual_foresight", "evaluate", "speed", "--json"]
    command += ["--repeats", str(repeats), "--model", model]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        command, cwd=root, env=environment, check=True, capture_output=True, text=True
    )
    presets = json.loads(done.stdout)["presets"]
    return {name: row["seconds_median"] for name, row in presets.items()}


def _git(*words: str) -> None:
    subprocess.run(["git", "-C", str(ROOT), *words], check=True, capture_output=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="scripts/compare_versions", description=__doc__)
    parser.add_argument("ref", help="the other version: a commit, a branch or a tag")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--model", default="rigid")
    chosen = parser.parse_args()
    figures = compare(chosen.ref, chosen.rounds, chosen.repeats, chosen.model)
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
