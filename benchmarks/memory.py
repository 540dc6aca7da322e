"""How much memory each command takes, all its processes together: `scripts/bench_memory`."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from visual_foresight.predictors.registry import FLAGSHIP

BAR_GIB = 4.0
SAMPLE = Path("data/sample")
PATIENCE_S = 20.0  # for the page, which does not end by itself
SAMPLE_S = 0.02


def commands(data: Path, out: Path, predictors: list[str]) -> dict[str, list[str]]:
    """Return the arguments of every command.

    Each does all of its work, on as few episodes, tasks and steps as it can.
    """
    training = {
        f"train {name}": [
            "train",
            "--data",
            data,
            "--out",
            out / name,
            "--predictor",
            name,
            "--steps",
            20,
        ]
        for name in predictors
    }
    given = {
        "collect": ["collect", "--folder", out / "episodes", "--episodes", 24],
        "validate": ["validate", "--folder", data],
        **training,
        "plan": ["plan", "--animation", out / "plan.gif", "--preset", "thorough"],
        "gui": ["gui", "--no-browser", "--out", out / "gui"],
        "evaluate control": [
            "evaluate",
            "control",
            "--suites",
            "near",
            "--trials",
            2,
            "--out",
            out / "control",
        ],
        "evaluate prediction": [
            "evaluate",
            "prediction",
            "--data",
            SAMPLE,
            "--report",
            out / "report.html",
        ],
        "evaluate ranking": ["evaluate", "ranking", "--states", 2, "--out", out / "ranking"],
        "evaluate speed": ["evaluate", "speed", "--repeats", 2],
        "evaluate throughput": [
            "evaluate",
            "throughput",
            "--repeats",
            1,
            "--predictors",
            *predictors,
        ],
    }
    return {name: [str(word) for word in words] for name, words in given.items()}


def peak_gib(words: list[str], log: Path, patience_s: float | None) -> float:
    """Run a command and return the most that it and its processes held at any moment.

    Shared pages count once for each.
    """
    with log.open("w") as said:
        command = [sys.executable, "-m", "visual_foresight", *words]
        process = psutil.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        most, began = 0, time.monotonic()
        while process.poll() is None:
            most = max(most, _resident(process))
            if patience_s is not None and time.monotonic() - began > patience_s:
                process.terminate()
                process.wait()
                return most / 2**30
            time.sleep(SAMPLE_S)
    if process.returncode:
        sys.exit(f"{' '.join(words)} failed: {log.read_text()[-2000:]}")
    return most / 2**30


def _resident(process: psutil.Process) -> int:
    total = 0
    for each in (process, *process.children(recursive=True)):
        try:
            total += each.memory_info().rss
        except psutil.NoSuchProcess:  # it ended while we counted
            continue
    return total


def main() -> None:
    """Measure, and write the figures to stdout."""
    parser = argparse.ArgumentParser(prog="scripts/bench_memory", description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=SAMPLE, help="episodes to train on; all are read"
    )
    parser.add_argument(
        "--predictors", nargs="*", default=[FLAGSHIP], help="which ones to train and time"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    given = parser.parse_args()
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, words in commands(given.data, Path(folder), given.predictors).items():
            log = Path(folder) / "log.txt"
            figures[name] = round(
                peak_gib(words, log, PATIENCE_S if name == "gui" else None), 2
            )
            sys.stderr.write(f"{name}: {figures[name]} GiB\n")
    result = {
        "peak_gib": figures,
        "most_gib": max(figures.values()),
        "bar_gib": BAR_GIB,
        "data": str(given.data),
    }
    sys.stdout.write(
        (
            json.dumps(result)
            if given.json
            else f"at most {result['most_gib']} GiB, bar {BAR_GIB}"
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
