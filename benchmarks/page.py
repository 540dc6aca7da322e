"""Measures the page in a real browser: `scripts/bench_gui`, on a quiet machine.

It measures the time to a usable page, the delay of a click and of an answer while the session
plans, with ten tabs open, the time that the page adds to a step, also beside two other programs
that compute, and the growth of memory, also when long runs are made and the page is loaded anew.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tests.gui.program import CHROMIUM, FLAGS, PATIENCE_MS, Program
from visual_foresight.control.config import build
from visual_foresight.control.judge import TrialJudge
from visual_foresight.control.loop import run_trial
from visual_foresight.control.world import world_of
from visual_foresight.evaluation.suites import SUITES, Task, begin, find_task
from visual_foresight.gui.session.settings import Settings
from visual_foresight.gui.session.workbench import Workbench
from visual_foresight.predictors.registry import FLAGSHIP

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

BARS = {
    "usable_s": 10.0,
    "click_to_marker_ms": 50.0,
    "ping_p95_ms": 100.0,
    "added_per_step": 0.15,
    "busy_step_ratio": 1.3,
    "memory_growth_mib": 200.0,
    "reload_growth_mib": 50.0,
}
"""The largest value of each figure that is good enough."""
SCRIPT = Path(__file__).with_name("page.js")
NUM_TABS = 10
"""Pages that are open while clicks and answers are timed."""
NUM_OTHERS = 2
"""Programs that keep the cores busy for `busy_step_ratio`."""
KEEP_BUSY = "import os; parent = os.getppid()\nwhile os.getppid() == parent: pass"
"""Computes as long as this program is there."""
NUM_CLICKS = 20
PINGED_STEPS = 10
ROUNDS = 5
"""How often the loop is timed without and with the page, in turns."""
NUM_BUSY_ROUNDS = 3
STEPS_PER_RUN = 3
"""Steps of each run after which memory is measured."""
STEPS_BEFORE_RELOAD = 100
"""Steps of each run after which the page is loaded anew."""
COUNTING = ("-m", "tests.gui.counting")
"""Starts the program with a door that collects garbage and counts pages."""
FORGOTTEN_S = 2.0
"""Time after which a page that was left is gone (see `tests/gui/counting.py`)."""
READY = ".status:text-is('ready')"


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    num_steps: int = 20
    """Actions of a timed run."""
    num_runs: int = 50
    """Runs after which memory is measured."""
    num_repeats: int = 20
    """Long runs, each with a reload, after which memory is measured."""
    steps_before_reload: int = STEPS_BEFORE_RELOAD
    rounds: int = ROUNDS
    busy_rounds: int = NUM_BUSY_ROUNDS


QUICK = Extent(3, 2, 2, 5, 1, 1)
"""A trial: every figure exists, and none means anything."""


def measure(model: str, preset: str, extent: Extent) -> dict[str, Any]:
    """Start the program, use it, and return the figures beside their bars.

    Args:
        model: name of a predictor, or folder of a checkpoint.
        preset: how to search.
        extent: how much is measured.
    """
    from playwright.sync_api import sync_playwright

    if CHROMIUM is None:
        sys.exit("no Chromium was found: apt-get install chromium")
    settings = Settings(model=model, preset=preset, num_steps=extent.num_steps)
    task = _task(settings)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        start_s = time.perf_counter()
        flags = ("--model", model, "--preset", preset, "--seed", "0")
        program = Program(Path(folder) / "out", *flags)
        try:
            page = _open(browser, program)
            figures = _told({"usable_s": time.perf_counter() - start_s})
            others = _open_others(page, program.address)
            figures |= _told(_clicks(page))
            figures |= _told(_pings(page, task))
            others.close()
            figures |= _told(_step_times(page, program.address, task, settings, extent.rounds))
            with _busy_cores():
                busy = _step_times(page, program.address, task, settings, extent.busy_rounds)
            figures["busy_step_ratio"] = 1 + busy["added_per_step"]
            figures |= _told(_memory(page, task, program, extent.num_runs))
            page.close()
        finally:
            program.stop()
        program = Program(Path(folder) / "again", *flags, start=COUNTING)
        try:
            figures |= _told(
                _memory_over_reloads(_open(browser, program), task, program, extent)
            )
        finally:
            program.stop()
        browser.close()
    return {
        name: {"value": round(value, 3), **({"bar": BARS[name]} if name in BARS else {})}
        for name, value in figures.items()
    }


def _told(figures: dict[str, float]) -> dict[str, float]:
    """Say on stderr what has been measured so far, and return it: all of it takes an hour."""
    sys.stderr.write(f"{figures}\n")
    return figures


def _open(browser: "Browser", program: Program) -> "Page":
    """Open the page, and wait until it can be used."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(10 * PATIENCE_MS)
    page.goto(program.address)
    page.wait_for_selector(".frame.click img[src^=data]")
    page.wait_for_selector(READY)
    page.add_script_tag(path=SCRIPT)
    return page


def _task(settings: Settings) -> Task:
    workbench = Workbench(settings.env, world_of(settings.model))
    task = find_task(workbench.env, SUITES["near"], 0, 0)
    workbench.close()
    return task


def _open_others(page: "Page", address: str) -> "BrowserContext":
    """Open the other tabs."""
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context()
    for _ in range(NUM_TABS - 1):
        other = context.new_page()
        other.goto(address)
        other.wait_for_selector(".frame.click img[src^=data]")
    page.bring_to_front()
    return context


@contextmanager
def _busy_cores() -> Iterator[None]:
    """Have other programs compute meanwhile."""
    others = [subprocess.Popen([sys.executable, "-c", KEEP_BUSY]) for _ in range(NUM_OTHERS)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def _clicks(page: "Page") -> dict[str, float]:
    """Time clicks on the frame until their markers are drawn."""
    times_ms = []
    for index in range(NUM_CLICKS):
        times_ms.append(page.evaluate("clickToMarker", [0.1 + 0.04 * index, 0.5]))
        page.evaluate("pressButton", "Clear")
        page.wait_for_selector(".mark", state="detached")
    return {
        "click_to_marker_ms": float(np.quantile(times_ms, 0.95)),
        "click_to_marker_median_ms": float(np.median(times_ms)),
    }


def _pings(page: "Page", task: Task) -> dict[str, float]:
    """Run on the page, and time the server's answers meanwhile."""
    _set_up(page, task, PINGED_STEPS)
    page.evaluate("pressButton", "Run")
    page.wait_for_selector(".status.busy")
    times_ms = page.evaluate("pingWhileBusy")
    return {"ping_p95_ms": float(np.quantile(times_ms, 0.95)), "pings": float(len(times_ms))}


def _step_times(
    page: "Page", address: str, task: Task, settings: Settings, rounds: int
) -> dict[str, float]:
    """Run the same task with the bare loop and on the page, in turns, since a machine drifts."""
    alone_s = []
    on_page_s = []
    for _ in range(rounds):
        alone_s.append(_step_alone_s(task, settings))
        _set_up(page, task, settings.num_steps)
        start_s = time.perf_counter()
        page.evaluate("pressButton", "Run")
        time.sleep(settings.num_steps * alone_s[-1] / 2)  # it cannot be done before
        while not _is_idle(address):
            time.sleep(0.2)  # asking costs both programs a millisecond
        on_page_s.append((time.perf_counter() - start_s) / settings.num_steps)
    return {
        "step_alone_s": float(np.median(alone_s)),
        "step_on_page_s": float(np.median(on_page_s)),
        "added_per_step": float(np.median(on_page_s) / np.median(alone_s) - 1),
    }


def _run(page: "Page", address: str) -> None:
    """Press Run, and wait for the end of the run, however short it is."""
    before = _alive(address)["version"]
    page.evaluate("pressButton", "Run")
    while (now := _alive(address))["version"] == before or not now["idle"]:
        time.sleep(0.2)
    page.wait_for_selector(READY)


def _is_idle(address: str) -> bool:
    return bool(_alive(address)["idle"])


def _alive(address: str) -> dict[str, Any]:
    with urllib.request.urlopen(address + "alive", timeout=60) as answer:
        state: dict[str, Any] = json.load(answer)
    return state


def _step_alone_s(task: Task, settings: Settings) -> float:
    """Return the seconds per step of the bare loop, as `visual-foresight plan` runs it."""
    workbench = Workbench(settings.env, world_of(settings.model))
    points = begin(workbench.env, task)
    predictor = workbench.predictor(settings, points)
    controller = build(settings.controller, workbench.env, points, predictor, decode_best=True)
    rng = torch.Generator().manual_seed(0)
    start_s = time.perf_counter()
    judge = TrialJudge.of(workbench.env, task.goal, points)
    for _ in run_trial(workbench.env, controller, task.goal, judge, rng, settings.num_steps):
        pass
    step_s = (time.perf_counter() - start_s) / settings.num_steps
    workbench.close()
    return step_s


def _memory(page: "Page", task: Task, program: Program, num_runs: int) -> dict[str, float]:
    """Carry out the beginning of the same task again and again."""
    sizes_mib = []
    for _ in range(num_runs):
        _set_up(page, task, STEPS_PER_RUN)
        _run(page, program.address)
        sizes_mib.append(_resident_mib(program.process.pid))
    return {
        "memory_growth_mib": sizes_mib[-1] - sizes_mib[0],
        "memory_first_mib": sizes_mib[0],
        "runs": float(num_runs),
    }


def _memory_over_reloads(
    page: "Page", task: Task, program: Program, extent: Extent
) -> dict[str, float]:
    """Make a long run and load the page anew, again and again."""
    sizes_mib = []
    for _ in range(extent.num_repeats):
        _set_up(page, task, extent.steps_before_reload)
        _run(page, program.address)
        page.reload()
        page.wait_for_selector(".frame.click img[src^=data]")
        page.add_script_tag(path=SCRIPT)
        page.wait_for_timeout(1000 * FORGOTTEN_S)
        with urllib.request.urlopen(program.address + "count", timeout=60) as answer:
            num_pages = json.load(answer)["pages"]  # garbage has been collected
        sizes_mib.append(_resident_mib(program.process.pid))
    return {
        "reload_growth_mib": sizes_mib[-1] - sizes_mib[0],
        "reload_first_mib": sizes_mib[0],
        "pages_alive": float(num_pages),
        "reloads": float(extent.num_repeats),
    }


def _resident_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def _set_up(page: "Page", task: Task, num_steps: int) -> None:
    """Set the scene of a task and mark its pixels, for a run of so many steps."""
    height, width = task.frame_size
    page.get_by_label("Seed").fill(str(task.env_seed))
    page.get_by_role("button", name="Reset", exact=True).click()
    page.wait_for_timeout(500)
    page.wait_for_selector(READY)
    page.get_by_label("Steps per run").fill(str(num_steps))
    page.get_by_label("Stop at").click()
    page.get_by_role("option", name="never").click()
    for pixel, marker in ((task.source, ".mark.source"), (task.target, ".mark.target")):
        x = (pixel.col + 0.5) / width
        y = (pixel.row + 0.5) / height
        page.evaluate("clickToMarker", [x, y])
        page.wait_for_selector(marker)


def main() -> None:
    """Measure, and write the figures to stdout."""
    parser = argparse.ArgumentParser(prog="scripts/bench_gui", description=__doc__)
    parser.add_argument(
        "--model", default=FLAGSHIP, help="name of a predictor, or folder of a checkpoint"
    )
    parser.add_argument("--preset", default="default", help="how to search")
    parser.add_argument("--steps", type=int, default=20, help="actions of the timed run")
    parser.add_argument(
        "--runs", type=int, default=50, help="runs after which memory is measured"
    )
    parser.add_argument(
        "--repeats", type=int, default=20, help="runs of 100 steps, each with a reload"
    )
    parser.add_argument(
        "--quick", action="store_true", help="a trial: every figure, and none that counts"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    given = parser.parse_args()
    extent = QUICK if given.quick else Extent(given.steps, given.runs, given.repeats)
    figures = measure(given.model, given.preset, extent)
    figures["cores"] = {"value": os.cpu_count()}
    lines = [
        f"{name}: {figure['value']}" + (f" (bar {figure['bar']})" if "bar" in figure else "")
        for name, figure in figures.items()
    ]
    sys.stdout.write((json.dumps(figures) if given.json else "\n".join(lines)) + "\n")


if __name__ == "__main__":
    main()
