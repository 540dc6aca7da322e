"""A batch and a whole replay in a real browser, on one program."""

import pytest

from tests.gui.page.test_page import make_goal, press, ready, reset

pytestmark = pytest.mark.slow
STEPS = 5
SEEN = "document.querySelector('.frame.click img').src"
IMAGINED = "document.querySelector('.prediction .frame img').src"
TEXT = ".batch-text"


def never_stop(page, num_steps):
    page.get_by_label("Stop at").click()
    page.get_by_role("option", name="never").click()
    page.get_by_label("Steps per run").fill(str(num_steps))


def test_a_batch_says_how_many_reached_their_goals_and_is_stopped(
    program, open_page, photograph
):
    page = open_page(program.address)
    reset(page)
    never_stop(page, 2)
    page.get_by_role("tab", name="Batch").click()
    page.get_by_label("Scenes", exact=True).fill("3")
    press(page, "Run 3 scenes")
    page.wait_for_selector(f"{TEXT}:has-text('of 3 scenes reached'):has-text('95 % interval')")
    page.wait_for_selector(f"{TEXT}:not(:has-text('to come'))")
    assert page.locator(".dots .dot").count() == 3
    photograph(page, "batch")
    ready(page)
    page.get_by_label("Scenes", exact=True).fill("200")
    press(page, "Run 200 scenes")
    page.wait_for_selector(f"{TEXT}:has-text('to come')")
    press(page, "Stop")
    page.wait_for_selector(f"{TEXT}:has-text('Stopped; ')")
    page.wait_for_selector(".status:text-is('ready')")


def test_a_replay_shows_what_was_imagined_then_beside_what_was_seen(
    program, open_page, photograph
):
    page = open_page(program.address)
    ready(page)
    never_stop(page, STEPS)
    make_goal(page, 6)
    press(page, "Plan")
    page.wait_for_selector(".status:text-is('plan ready')")
    live = []
    for step in range(STEPS):
        press(page, "Step")
        page.wait_for_selector(f".sliders div:text-is('Plan at step {step}')")
        status = "paused" if step < STEPS - 1 else "ready"
        page.wait_for_selector(f".status:text-is('{status}')")
        live.append(page.evaluate(IMAGINED))
    page.get_by_role("tab", name="Runs").click()
    page.locator(".list .run").first.get_by_role("button", name="Open").last.click()
    page.wait_for_selector(".prediction h2:has-text('Imagined then by')")
    for step in range(STEPS):
        page.wait_for_selector(f".sliders div:text-is('Plan at step {step}')")
        page.wait_for_function(f"wanted => {IMAGINED} === wanted", arg=live[step])
        assert page.evaluate(SEEN) != live[step]
        if step < STEPS - 1:
            page.get_by_role("button", name="Next step").click()
    photograph(page, "replay")
