"""How much memory each command takes, with all its processes: `scripts/bench_memory`."""

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
"""What no command should exceed."""
SAMPLE = Path("data/sample")
GUI_S = 20.0
"""How long the page is watched, which does not end by itself."""
SAMPLE_S = 0.02
"""Time between two measurements."""


def commands(data: Path, out: Path, predictors: list[str]) -> dict[str, list[str]]:
    """Return the arguments of every command.

    Each does all of its work, on as few episodes, tasks and steps as it can.
    """
    flags: dict[str, list] = {
        "collect": ["--episodes", 24, "--folder", out / "episodes"],
        "validate": ["--folder", data],
        "plan": ["--preset", "thorough", "--animation", out / "plan.gif"],
        "gui": ["--no-browser", "--out", out / "gui"],
        "evaluate control": ["--suites", "near", "--trials", 2, "--out", out / "control"],
        "evaluate prediction": ["--data", SAMPLE, "--report", out / "report.html"],
        "evaluate ranking": ["--states", 2, "--out", out / "ranking"],
        "evaluate speed": ["--repeats", 2],
        "evaluate throughput": ["--repeats", 1, "--predictors", *predictors],
    }
    found = {name: [*name.split(), *map(str, words)] for name, words in flags.items()}
    for name in predictors:
        words = ["--predictor", name, "--steps", 20, "--data", data, "--out", out / name]
        found[f"train {name}"] = ["train", *map(str, words)]
    return found


def peak_gib(words: list[str], log: Path, limit_s: float | None) -> float:
    """Run a command and return the most memory that it and its processes held at once.

    Pages that processes share count once for each.

    Args:
        words: the command and its flags.
        log: file for what it prints.
        limit_s: stop it after so many seconds; never, if None.
    """
    with log.open("w") as output:
        command = [sys.executable, "-m", "visual_foresight", *words]
        process = psutil.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        start = time.monotonic()
        most = 0
        while process.poll() is None:
            most = max(most, _resident(process))
            if limit_s is not None and time.monotonic() - start > limit_s:
                process.terminate()
                process.wait()
                return most / 2**30
            time.sleep(SAMPLE_S)
    if process.returncode:
        sys.exit(f"{' '.join(words)} failed: {log.read_text()[-2000:]}")
    return most / 2**30


def _resident(process: psutil.Process) -> int:
    """Return what a process and its descendants hold now, in bytes."""
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
        log = Path(folder) / "log.txt"
        for name, words in commands(given.data, Path(folder), given.predictors).items():
            limit_s = GUI_S if name == "gui" else None
            figures[name] = round(peak_gib(words, log, limit_s), 2)
            sys.stderr.write(f"{name}: {figures[name]} GiB\n")
    most = max(figures.values())
    if given.json:
        result = {
            "peak_gib": figures,
            "most_gib": most,
            "bar_gib": BAR_GIB,
            "data": str(given.data),
        }
        sys.stdout.write(json.dumps(result) + "\n")
    else:
        sys.stdout.write(f"at most {most} GiB, bar {BAR_GIB}\n")


if __name__ == "__main__":
    main()
