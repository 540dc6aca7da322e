"""Kills the page's program at random moments of a run, and counts what is lost.

`python -m benchmarks.campaigns.kill_page [--kills N] [--seed N] [--json]`. A browser stays open and
steers; the program is killed (SIGKILL), is started again on the same folder, and must list the run
with every step that the page had shown.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.gui.program import CHROMIUM, FLAGS, PATIENCE_MS, Program
from visual_foresight.envs.dot import DotEnv
from visual_foresight.episodes.episode_files import (
    LEFTOVERS,
    episode_number,
    half_written,
    read_meta,
)
from visual_foresight.episodes.validation import validate

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ENV = "dot"
QUICK = ("--env", ENV, "--model", "still", "--preset", "fast")
SIDE = 64
NUM_STEPS = 40
"""Actions of a run."""
SEED = 3
BEYOND = 1.2
"""The last moment of a kill, as a share of a run's length: some come while the run is kept."""
LISTED_S = 30
"""How long it may take until a run is listed."""
READY = ".status:text-is('ready')"
WATCH = """() => {
  window.shown = 0;
  const look = () => {
    const step = /step (\\d+) of/.exec(document.querySelector(".status").innerText);
    if (step) window.shown = Math.max(window.shown, Number(step[1]));
  };
  new MutationObserver(look).observe(document.querySelector(".status").parentElement,
    { subtree: true, childList: true, characterData: true });
}"""
"""Remembers the highest step that the page has shown."""
BARS = {
    "steps_lost": 0,
    "half_written": 0,
    "damaged_episodes": 0,
    "not_listed": 0,
    "tracebacks": 0,
}
"""The largest value of each figure that is good enough."""


@dataclass(frozen=True)
class Kill:
    """What became of one run."""

    after_s: float
    """When it was killed, after Run was pressed."""
    shown: int
    """Steps that the page had shown."""
    kept: int
    """Steps of the episode that the next program made."""
    outcome: str
    """As the episode has it; empty if there is none."""
    was_writing: bool
    """Whether the kill left a file half written, for the next program to remove."""

    @property
    def lost(self) -> int:
        """Return how many steps were shown and are gone; the one under way was not shown."""
        return max(self.shown - self.kept, 0)


@dataclass
class Campaign:
    """What was found so far."""

    out: Path
    """The folder of all programs."""
    kills: list[Kill] = field(default_factory=list)
    half_written: int = 0
    """Temporary files that a new program left there."""
    not_listed: int = 0
    """Episodes that the page did not list after a new start."""
    tracebacks: int = 0

    @property
    def episodes(self) -> list[Path]:
        """Return the files of the runs that were kept, in order."""
        return sorted(
            path
            for path in (self.out / ENV).glob("episode_*")
            if episode_number(path) is not None
        )

    def figures(self) -> dict[str, int]:
        """Return the figures: those of `BARS`, and how the kills were spread."""
        report = validate(self.out / ENV)
        return {
            "kills": len(self.kills),
            "steps_lost": max((kill.lost for kill in self.kills), default=0),
            "half_written": self.half_written,
            "damaged_episodes": len(report.problems),
            "not_listed": self.not_listed,
            "tracebacks": self.tracebacks,
            "cut_off": sum(kill.outcome == "cut off" for kill in self.kills),
            "ended_before": sum(kill.outcome not in ("", "cut off") for kill in self.kills),
            "moved_nothing": sum(not kill.outcome for kill in self.kills),
            "while_writing": sum(kill.was_writing for kill in self.kills),
            "steps_kept": sum(kill.kept for kill in self.kills),
        }


def kill_again_and_again(browser: "Browser", out: Path, num_kills: int, seed: int) -> Campaign:
    """Start, run, kill and start again.

    Args:
        browser: a real one.
        out: the folder of the runs; its parent gets the programs' logs.
        num_kills: how often.
        seed: decides when.
    """
    chance = random.Random(seed)
    campaign = Campaign(out)
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(PATIENCE_MS)
    program = Program(out, *QUICK)
    try:
        _open(page, program)
        run_s = _length_of_a_run(page)
        _open(page, program)
        for _ in range(num_kills):
            after_s = chance.uniform(0, BEYOND * run_s)
            known = set(campaign.episodes)
            shown = _run_and_kill(page, program, after_s)
            was_writing = bool(_temporary(out))
            campaign.tracebacks += "Traceback" in program.said()
            program.log.close()
            program = Program(out, *QUICK)
            _open(page, program)
            # before the list of runs is looked at, whose small pictures are being written then
            campaign.half_written += len(_temporary(out))
            kept = 0
            outcome = ""
            for path in set(campaign.episodes) - known:
                meta = read_meta(path)
                kept = int(meta["num_actions"])
                outcome = str(meta["outcome"])
                campaign.not_listed += not _is_listed(page, path)
            campaign.kills.append(Kill(after_s, shown, kept, outcome, was_writing))
    finally:
        page.close()
        program.stop()
    return campaign


def _temporary(out: Path) -> list[Path]:
    """Return what was being written and was not finished, anywhere below a folder."""
    folders = [out, *(path for path in out.rglob("*") if path.is_dir())]
    left = set(out.rglob(LEFTOVERS))
    return [
        *left,
        *(path for each in folders for path in half_written(each) if path not in left),
    ]


def _scene() -> str:
    """Return the part of a link that asks for the scene, with the dot's goal beside it."""
    env = DotEnv()
    env.reset(seed=SEED)
    place = env.project(env.truth()[0, :3])
    col = SIDE - 1 - place.col
    return f"?seed={SEED}&source={place.row:g},{place.col:g}&goal={place.row:g},{col:g}"


def _open(page: "Page", program: Program) -> None:
    """Open the page with the scene and the goal, and settings for a run of all its steps."""
    page.goto(program.address + _scene())
    page.wait_for_function("location.search === ''")
    page.wait_for_selector(READY)
    page.wait_for_selector(".mark.target")
    page.get_by_label("Steps per run").fill(str(NUM_STEPS))
    page.get_by_label("Stop at").click()
    page.get_by_role("option", name="never").click()
    page.wait_for_selector(".q-menu", state="detached")
    page.evaluate(WATCH)


def _length_of_a_run(page: "Page") -> float:
    """Return the seconds of a whole run, which is the first one of the folder."""
    start_s = time.monotonic()
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_function(f"window.shown === {NUM_STEPS}")
    page.wait_for_selector(READY)
    return time.monotonic() - start_s


def _run_and_kill(page: "Page", program: Program, after_s: float) -> int:
    """Press Run, wait, and kill the program; return the highest step that the page showed."""
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_timeout(1000 * after_s)
    program.process.send_signal(signal.SIGKILL)
    program.process.wait()
    return int(page.evaluate("window.shown"))


def _is_listed(page: "Page", path: Path) -> bool:
    """Tell whether the page lists the run of an episode."""
    name = f"{ENV}-{episode_number(path):06d}"
    page.get_by_role("tab", name="Runs").click()
    end_s = time.monotonic() + LISTED_S
    while time.monotonic() < end_s:
        if page.locator(f".list .run:has-text('{name}')").count():
            return True
        page.wait_for_timeout(100)
    return False


def main() -> None:
    """Kill, and write what was found to stdout."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="how often")
    parser.add_argument("--seed", type=int, default=0, help="decides the moments")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    given = parser.parse_args()
    if CHROMIUM is None:
        sys.exit("no Chromium was found: apt-get install chromium")
    start_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        campaign = kill_again_and_again(browser, Path(folder) / "out", given.kills, given.seed)
        browser.close()
        found = campaign.figures()
    found |= {"seed": given.seed, "seconds": round(time.monotonic() - start_s)}
    found["cores"] = os.cpu_count() or 0
    figures = {
        name: {"value": value, **({"bar": BARS[name]} if name in BARS else {})}
        for name, value in found.items()
    }
    lines = [
        f"{name}: {figure['value']}" + (f" (bar {figure['bar']})" if "bar" in figure else "")
        for name, figure in figures.items()
    ]
    sys.stdout.write((json.dumps(figures) if given.json else "\n".join(lines)) + "\n")
    sys.exit(1 if any(found[name] > bar for name, bar in BARS.items()) else 0)


if __name__ == "__main__":
    main()
