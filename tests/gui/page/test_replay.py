"""A replay in a real browser: beside what was seen stands what was imagined then."""

import pytest

from tests.fakes.checkpoints import untrained
from tests.gui.page.test_page import make_goal, press, ready, reset
from tests.gui.program import Program

pytestmark = pytest.mark.slow
SEEN = "document.querySelector('.frame.click img').src"
IMAGINED = "document.querySelector('.prediction .frame img').src"
NOTHING = ".prediction .nothing:visible"


@pytest.fixture
def program(browser, tmp_path):
    model = untrained(tmp_path / "mine", (64, 64))
    flags = {"env": "dot", "model": str(model), "preset": "fast"}
    words = [word for name, value in flags.items() for word in (f"--{name}", value)]
    program = Program(tmp_path / "out", *words)
    yield program
    program.stop()


def test_what_was_imagined_then_stands_beside_what_was_seen(program, open_page, photograph):
    page = open_page(program.address)
    ready(page)
    page.get_by_label("Stop at").click()
    page.get_by_role("option", name="never").click()
    page.get_by_label("Steps per run").fill("10")
    make_goal(page, 6)
    press(page, "Plan")
    live = []
    for step in range(10):
        page.wait_for_selector(f".status:text-is('{'paused' if step else 'plan ready'}')")
        press(page, "Step")
        page.wait_for_function(
            "text => [...document.querySelectorAll('.sliders div')]"
            ".some(each => each.textContent === text)",
            arg=f"Plan at step {step}",
        )
        page.wait_for_selector(".status:not(.busy)")
        live.append(page.evaluate(IMAGINED))
    page.wait_for_selector(".status:text-is('ready')")
    page.get_by_role("tab", name="Runs").click()
    press(page, "Open")
    page.wait_for_selector(".prediction h2:has-text('Imagined then by')")
    page.locator(".sliders .q-slider__track-container").first.focus()
    for step in range(10):
        page.wait_for_function(
            "wanted => document.querySelector('.prediction .frame img').src === wanted",
            arg=live[step],
        )
        assert page.evaluate(SEEN) != page.evaluate(IMAGINED)
        page.keyboard.press("ArrowRight")
    photograph(page, "replay")


def test_what_imagines_nothing_says_so_and_the_goal_stays(start, open_page, photograph):
    page = open_page(start("--model", "random").address)
    reset(page)
    make_goal(page, 12)
    press(page, "Plan")
    page.wait_for_selector(".status:text-is('plan ready')")
    assert page.locator(NOTHING).inner_text() == "random imagines nothing."
    assert not page.locator(".prediction .frame img").is_visible()
    press(page, "Step")
    page.wait_for_selector(".status:text-is('paused')")
    assert (
        page.locator(".mark.target").count() == 1 and page.locator(".mark.source").count() == 1
    )
    assert page.locator(NOTHING).inner_text() == "random imagines nothing."
    photograph(page, "imagines-nothing")
