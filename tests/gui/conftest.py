"""A session; the program in a real browser, headless Chromium driven by Playwright.

Tests of the page are skipped where there is no Chromium.
"""

from pathlib import Path

import pytest

from tests.gui import sessions
from tests.gui.program import CHROMIUM, FLAGS, PATIENCE_MS, Program
from visual_foresight.gui.session.session import Session

DOT = ("--env", "dot", "--model", "still", "--preset", "fast")
PICTURES = Path(__file__).parents[2] / "outputs" / "gui"
"""Where screenshots of each state go, for people to look at; git ignores it."""


@pytest.fixture(scope="session")
def browser():
    if CHROMIUM is None:
        pytest.skip(
            "no Chromium was found, so the page is not tested: apt-get install chromium"
        )
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def program(browser, tmp_path_factory):
    program = Program(tmp_path_factory.mktemp("gui") / "out", *DOT)
    yield program
    program.stop()


@pytest.fixture
def start(tmp_path):
    """Return a function that starts a program of its own, with other flags."""
    programs: list[Program] = []

    def start(*flags, **options):
        programs.append(Program(tmp_path / f"out-{len(programs)}", *DOT, *flags, **options))
        return programs[-1]

    yield start
    for program in programs:
        program.stop()


@pytest.fixture
def open_page(browser):
    """Return a function that opens a page in a window of its own; script errors fail the test."""
    contexts = []
    complaints: list[str] = []

    def open_page(address, width=1280, height=800, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        page.wait_for_selector(".frame.click img[src^=data]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture
def photograph():
    """Return a function that keeps a screenshot of a page."""
    PICTURES.mkdir(parents=True, exist_ok=True)

    def photograph(page, name):
        page.wait_for_timeout(300)
        page.screenshot(path=PICTURES / f"{name}.png")

    return photograph


@pytest.fixture
def session(tmp_path):
    """A session without a page."""
    session = Session(sessions.DOT, tmp_path / "out")
    sessions.wait(session)
    yield session
    session.close()
