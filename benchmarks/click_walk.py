"""Counts the functions and files from a click on the page to the executed action.

The program is started as its user starts it, but traced; a real browser clicks a pixel and a goal
and presses Run. On the way is every function of the package that is on the call stack when one of
the milestones below is reached, up to the first action. What is drawn, loaded or built meanwhile
is beside the way. `scripts/count_walk` prints the figures.
"""

import argparse
import contextlib
import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from tests.gui.program import CHROMIUM, FLAGS, PATIENCE_MS, Program
from visual_foresight.envs.registry import make
from visual_foresight.gui.page.frames.screen import to_screen
from visual_foresight.interfaces import require_judge
from visual_foresight.predictors.registry import FLAGSHIP

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MILESTONES = (
    "gui/page/frames/screen.py: to_pixel",  # the click is a pixel
    "gui/session/goals.py: Draft.clicked",  # and belongs to a goal
    "gui/session/session.py: Session.edit",
    "planning/localization/track.py: Track.begin",  # the pixel is located
    "predictors/rigid/model.py: Rigid.observe",
    "predictors/rigid/model.py: Rigid.designate",
    "planning/proposals/pushes.py: PushProposals.__call__",
    "planning/planners/cem.py: CEM.plan",
    "types.py: Workspace.clip",
    "predictors/rigid/model.py: Rigid.imagine",
    "planning/costs/pixel_distance.py: PixelDistance.__call__",
    "envs/pushing/env.py: PushEnv.step",  # the action is carried out
)
NAMES = {each.split(": ")[1] for each in MILESTONES}
LAST = MILESTONES[-1]
BARS = {"functions": 30, "files": 20}
"""How many are few enough."""
TARGET = (0.4, 0.4)
"""Where the goal is clicked, as shares of the frame's width and height."""
BEFORE = ("cli.py", "gui/server")
"""What started the program, and is on every stack."""
ASIDE = "gui/page/scene/panel.py: ScenePanel._on_hover"
"""Says what the pointer is over on its way to the click: no part of the click's way."""
PACKAGE = f"visual_foresight{os.sep}"
READY = ".status:text-is('ready')"


class Tracer:
    """Keeps who is on the stack at milestones; writes it down at the last one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._way: dict[str, None] = {}

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        """Look at a call (see `sys.setprofile`)."""
        if event != "call" or frame.f_code.co_qualname not in NAMES:
            return
        if (place := _place(frame)) not in MILESTONES:
            return
        stack = []
        caller: FrameType | None = frame
        while caller is not None:
            stack.append(_place(caller))
            caller = caller.f_back
        if ASIDE in stack:
            return
        for function in reversed(stack):
            if function is not None and not function.startswith(BEFORE):
                self._way[function] = None
        if place == LAST:
            self._path.write_text(json.dumps(list(self._way)))
            sys.setprofile(None)


def _place(frame: FrameType) -> str | None:
    """Return "file: function" of a function of the package; None for others.

    A part of a function, such as a lambda in it, is no function of its own.
    """
    _, inside, module = frame.f_code.co_filename.rpartition(PACKAGE)
    if not inside:
        return None
    function = frame.f_code.co_qualname.split(".<")[0]
    return f"{module.replace(os.sep, '/')}: {function}"


def serve_traced(path: Path, arguments: list[str]) -> None:
    """Run the program in this process, with a tracer in all its threads."""
    # What is imported before is not traced, which would take minutes.
    import visual_foresight.gui.page.page
    import visual_foresight.predictors.rigid.model  # noqa: F401
    from visual_foresight.cli import main

    tracer = Tracer(path)
    threading.setprofile(tracer)
    sys.setprofile(tracer)
    main(arguments)


def way(browser: "Browser", folder: Path, model: str) -> list[str]:
    """Click in a browser, and return the way to the first action: "file: function", in order.

    Args:
        browser: a real one.
        folder: an empty one, for what the program writes.
        model: name of a predictor, or folder of a checkpoint.
    """
    path = folder / "way.json"
    start = ("-m", "benchmarks.click_walk", "--trace", str(path))
    program = Program(folder / "out", "--model", model, "--preset", "fast", start=start)
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    try:
        page.set_default_timeout(10 * PATIENCE_MS)
        page.goto(program.address)
        page.wait_for_selector(READY)
        frame = page.wait_for_selector(".frame.click")
        box = frame.bounding_box() if frame else None
        assert box is not None, "the frame is shown"
        for x, y in (_object_on_screen(), TARGET):
            page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
            page.wait_for_timeout(500)
        page.get_by_role("button", name="Run", exact=True).click()
        end = time.monotonic() + 10 * PATIENCE_MS / 1000
        while not path.exists() and time.monotonic() < end:
            page.wait_for_timeout(200)
    finally:
        page.close()
        program.stop()
    found: list[str] = json.loads(path.read_text())
    return found


def figures_of(functions: list[str]) -> dict[str, dict[str, int]]:
    """Return {"functions", "files": {"value", "bar"}} of a way."""
    counts = {"functions": len(functions), "files": len(files_of(functions))}
    return {name: {"value": value, "bar": BARS[name]} for name, value in counts.items()}


def files_of(functions: list[str]) -> list[str]:
    """Return the files of a way, in order."""
    return list(dict.fromkeys(each.split(": ")[0] for each in functions))


def _object_on_screen() -> tuple[float, float]:
    """Return where the first object of the page's first scene is, as shares of the frame."""
    with contextlib.closing(make("push")) as env:
        judge = require_judge(env, "the walk")
        env.reset(seed=0)
        place = judge.project(judge.truth()[0, :3])
        return to_screen(place, env.info.frame_size)


def main() -> None:
    """Print the figures and the way."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(prog="scripts/count_walk", description=__doc__)
    parser.add_argument("--model", default=FLAGSHIP)
    model = parser.parse_args().model
    if CHROMIUM is None:
        sys.exit("no Chromium was found: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        functions = way(browser, Path(folder), model)
        browser.close()
    figures = {**figures_of(functions), "way": functions}
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    if "--trace" in sys.argv:
        place = sys.argv.index("--trace")
        serve_traced(Path(sys.argv[place + 1]), sys.argv[place + 2 :])
    else:
        main()
