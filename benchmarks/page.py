"""The figures that the page must reach, in a real browser: `scripts/bench_gui`.

Only a quiet machine gives true ones.
"""

import argparse
import json
import os
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from tests.gui.program import CHROMIUM, FLAGS, PATIENCE_MS, Program
from visual_foresight.control.loop import run_trial
from visual_foresight.evaluation.suites import SUITES, begin, make_task
from visual_foresight.gui.session.choices import Bench, Choice
from visual_foresight.planning.controllers.visual_mpc import VisualMPC
from visual_foresight.predictors.registry import FLAGSHIP

BARS = {
    "usable_s": 10.0,
    "click_to_marker_ms": 100.0,
    "ping_p95_ms": 200.0,
    "added_per_step": 0.15,
    "memory_growth_mib": 200.0,
}
PINGED_STEPS = 10
ROUNDS = 5  # of the loop without and with the page
STEPS_PER_RUN = 3  # of those after which memory is looked at
CLICK = """async ([x, y]) => {
  const over = document.querySelector('.frame.click .over');
  const seen = new Promise(done => { const watch = new MutationObserver(() => {
    if (over.querySelector('.mark')) { watch.disconnect(); done(performance.now()); } });
    watch.observe(over, {childList: true, subtree: true}); });
  const frame = document.querySelector('.frame.click'), box = frame.getBoundingClientRect();
  const at = {bubbles: true, button: 0, pointerId: 1, clientX: box.left + x * box.width, clientY: box.top + y * box.height};
  frame.setPointerCapture = () => {};
  const start = performance.now();
  frame.dispatchEvent(new PointerEvent('pointerdown', at)); frame.dispatchEvent(new PointerEvent('pointerup', at));
  return await seen - start;
}"""
PING = """async () => {
  const times = [], status = document.querySelector('.status');
  while (!status.classList.contains('busy')) await new Promise(done => setTimeout(done, 1));
  while (status.classList.contains('busy')) {
    const start = performance.now(); await (await fetch('/alive')).text(); times.push(performance.now() - start);
    await new Promise(done => setTimeout(done, 20));
  }
  return times;
}"""
BUTTON = "[...document.querySelectorAll('button')].find(one => one.innerText.trim() === '{}').click()"


def measure(model: str, preset: str, num_steps: int, num_runs: int) -> dict:
    """Start the program, use it, and return the figures beside their bars."""
    from playwright.sync_api import sync_playwright

    if CHROMIUM is None:
        sys.exit("no Chromium was found: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        began = time.perf_counter()
        program = Program(
            Path(folder) / "out", "--model", model, "--preset", preset, "--seed", "0"
        )
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.set_default_timeout(10 * PATIENCE_MS)
            page.goto(program.address)
            page.wait_for_selector(".frame.click img[src^=data]")
            page.wait_for_selector(".status:text-is('ready')")
            figures = {"usable_s": time.perf_counter() - began}
            choice = Choice(model=model, preset=preset, num_steps=num_steps)
            task = _task(choice)
            figures |= (
                _clicks(page) | _pings(page, task) | _added(page, program.address, task, choice)
            )
            figures |= _memory(page, task, program.process.pid, num_runs)
        finally:
            program.stop()
            browser.close()
    return {
        name: {"value": round(value, 3), **({"bar": BARS[name]} if name in BARS else {})}
        for name, value in figures.items()
    }


def _clicks(page) -> dict:
    times = []
    for index in range(20):
        times.append(page.evaluate(CLICK, [0.1 + 0.04 * index, 0.5]))
        page.evaluate(BUTTON.format("Clear"))
        page.wait_for_selector(".mark", state="detached")
    return {
        "click_to_marker_ms": float(np.quantile(times, 0.95)),
        "click_to_marker_median_ms": float(np.median(times)),
    }


def _aim(page, task, num_steps: int) -> None:
    """Set the scene of a task and mark its pixels, for a run of so many steps."""
    page.get_by_label("Seed").fill(str(task.env_seed))
    page.get_by_role("button", name="Reset").click()
    page.wait_for_timeout(500)
    page.wait_for_selector(".status:text-is('ready')")
    page.get_by_label("Steps per run").fill(str(num_steps))
    for number, pixel in enumerate((task.source, task.target)):
        page.evaluate(CLICK, [(pixel.col + 0.5) / 64, (pixel.row + 0.5) / 64])
        page.wait_for_selector((".mark.source", ".mark.target")[number])


def _pings(page, task) -> dict:
    """Run on the page, pinging all the while."""
    _aim(page, task, PINGED_STEPS)
    page.evaluate(BUTTON.format("OngoingTrial"))
    page.wait_for_selector(".status.busy")
    pings = page.evaluate(PING)
    return {"ping_p95_ms": float(np.quantile(pings, 0.95)), "pings": float(len(pings))}


def _added(page, address: str, task, choice: Choice) -> dict:
    """Run the same task with the bare loop and on the page, which nothing else asks meanwhile, in turns: a machine drifts."""
    alone_s, page_s = [], []
    for _ in range(ROUNDS):
        alone_s.append(_alone(task, choice))
        _aim(page, task, choice.num_steps)
        began = time.perf_counter()
        page.evaluate(BUTTON.format("OngoingTrial"))
        time.sleep(choice.num_steps * alone_s[-1] / 2)  # it cannot be done yet
        while not json.load(urllib.request.urlopen(address + "alive", timeout=60))["idle"]:
            time.sleep(0.2)  # asking costs the program and this one a millisecond each
        page_s.append((time.perf_counter() - began) / choice.num_steps)
    return {
        "step_alone_s": float(np.median(alone_s)),
        "step_on_page_s": float(np.median(page_s)),
        "added_per_step": float(np.median(page_s) / np.median(alone_s) - 1),
    }


def _task(choice: Choice):
    bench = Bench(choice.env)
    task = make_task(bench.env, SUITES["near"], 0, 0)
    bench.close()
    return task


def _alone(task, choice: Choice) -> float:
    """Return the seconds per step of the bare loop, as `visual-foresight plan` runs it."""
    bench = Bench(choice.env)
    points = begin(bench.env, task)
    controller = bench.controller(choice, points, threading.Event())
    assert isinstance(controller, VisualMPC), "a model is timed"
    controller = replace(controller, num_runners_up=0)  # which only a page shows
    began = time.perf_counter()
    for _ in run_trial(
        bench.env,
        controller,
        task.goal,
        points,
        torch.Generator().manual_seed(0),
        choice.num_steps,
    ):
        pass
    seconds = (time.perf_counter() - began) / choice.num_steps
    bench.close()
    return seconds


def _memory(page, task, pid: int, num_runs: int) -> dict:
    """Plan and carry out the beginning of the same task again and again."""

    def resident_mib() -> float:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024

    sizes = []
    for _ in range(num_runs):
        _aim(page, task, STEPS_PER_RUN)
        page.evaluate(BUTTON.format("OngoingTrial"))
        page.wait_for_selector(".status.busy")
        page.wait_for_selector(".status:text-is('ready')")
        sizes.append(resident_mib())
    return {
        "memory_growth_mib": sizes[-1] - sizes[0],
        "memory_first_mib": sizes[0],
        "runs": float(num_runs),
    }


def main() -> None:
    """Measure, and write the figures to stdout."""
    parser = argparse.ArgumentParser(prog="scripts/bench_gui", description=__doc__)
    parser.add_argument(
        "--model", default=FLAGSHIP, help="name of a predictor, or folder of a checkpoint"
    )
    parser.add_argument("--preset", default="default")
    parser.add_argument("--steps", type=int, default=20, help="actions of the timed run")
    parser.add_argument(
        "--runs", type=int, default=50, help="runs after which memory is looked at"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    given = parser.parse_args()
    figures = measure(given.model, given.preset, given.steps, given.runs)
    figures["cores"] = {"value": os.cpu_count()}
    lines = [
        f"{name}: {figure['value']}" + (f" (bar {figure['bar']})" if "bar" in figure else "")
        for name, figure in figures.items()
    ]
    sys.stdout.write((json.dumps(figures) if given.json else "\n".join(lines)) + "\n")


if __name__ == "__main__":
    main()
