"""The page on recorded data in a real browser: frame, pixel, actions, prediction and recording."""

from pathlib import Path

import pytest

from tests.gui.program import Program

pytestmark = pytest.mark.slow
DATA = Path(__file__).parents[3] / "data" / "sample"
POINT = (20, 30)
"""Row and column of a recorded point on the object of the first episode."""


@pytest.fixture(scope="module")
def program(browser, tmp_path_factory):
    out = tmp_path_factory.mktemp("recordings") / "out"
    program = Program(out, "--data", str(DATA), "--model", "still", "--preset", "fast")
    yield program
    program.stop()


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def click(page, row, col):
    frame = page.locator(".frame.click")
    box = frame.bounding_box()
    x = (col + 0.5) / 64 * box["width"]
    y = (row + 0.5) / 64 * box["height"]
    frame.click(position={"x": x, "y": y})


def slide(page, name, *keys):
    """Press keys on a slider, whose inner part takes the focus."""
    page.get_by_role("slider", name=name).locator("[tabindex]").focus()
    for key in keys:
        page.keyboard.press(key)


def imagine(page):
    press(page, "Imagine")
    page.wait_for_selector(".prediction h2:has-text('Imagined by still')")


def shown(page, panel):
    return page.locator(f".{panel} img[src^=data]").first.get_attribute("src")


def test_a_recorded_pixel_is_followed_beside_the_recording(program, open_page, photograph):
    page = open_page(program.address)
    page.wait_for_selector("h2:text-is('Recorded, episode 0, frame 0')")
    assert page.locator(".recorded-point").count() == 16
    for absent in ("Run", "Step", "Reset", "Plan", "Try an example", "Copy link"):
        assert not page.get_by_role("button", name=absent, exact=True).is_visible()
    assert page.get_by_role("tab").all_inner_texts() == ["Errors", "Plans"]
    start = shown(page, "scene")
    click(page, *POINT)
    imagine(page)
    page.wait_for_selector("h2:text-is('Recorded, episode 0, frame 20')")
    page.wait_for_selector(".prediction .hint:has-text('place off by 2')")
    assert page.locator(".mark.source").count() == 1
    recorded = shown(page, "scene")
    assert recorded != start == shown(page, "prediction"), "the model is still"
    photograph(page, "recording-imagined")
    slide(page, "Steps ahead", "PageDown", "PageDown")  # by ten steps each
    page.wait_for_selector("h2:text-is('Recorded, episode 0, frame 0')")
    assert shown(page, "scene") == start
    click(page, *POINT)
    page.wait_for_selector(".nothing:has-text('Press Imagine')")


def test_episode_and_frame_are_chosen_for_all_tabs(program, open_page):
    page = open_page(program.address)
    other = open_page(program.address)
    press(page, "The next episode")
    other.wait_for_selector("h2:text-is('Recorded, episode 1, frame 0')")
    slide(page, "Frame to imagine from", "ArrowRight")
    other.wait_for_selector("h2:text-is('Recorded, episode 1, frame 1')")
    press(other, "Next step")
    page.wait_for_selector(".scrub :text-is('Frame 2 of 20')")
    other.get_by_label("Episode", exact=True).fill("99")
    page.wait_for_selector(".message.error:has-text('there is no episode 99')")


def test_actions_are_made_by_hand_and_a_goal_is_planned_for(program, open_page, photograph):
    page = open_page(program.address)
    press(page, "by hand")
    assert page.get_by_role("button", name="Imagine", exact=True).is_disabled()
    slide(page, "Action, number 1", "ArrowRight")
    page.get_by_label("Held for steps").fill("3")
    press(page, "Add")
    page.wait_for_selector(".stretch:has-text('3 x (0.05, 0)')")
    imagine(page)
    page.wait_for_selector(".prediction .hint:has-text('nothing to compare with')")
    photograph(page, "recording-by-hand")
    page.locator(".stretch").click()
    page.get_by_label("Held for steps").fill("4")
    page.wait_for_selector(".stretch.on:has-text('4 x (0.05, 0)')")
    press(page, "planned")
    click(page, *POINT)
    click(page, 30, 30)
    imagine(page)
    page.get_by_role("tab", name="Plans").click()
    page.wait_for_selector(".plans .thumb")
    photograph(page, "recording-planned")


def test_models_that_do_not_fit_are_offered_with_the_reason(program, open_page):
    page = open_page(program.address)
    page.get_by_label("Model", exact=True).click()
    option = page.get_by_role("option", name="simulator")
    assert option.get_attribute("aria-disabled") == "true"
    assert "the recording is no simulator" in option.inner_text()
    page.keyboard.press("Escape")
    press(page, "Another checkpoint")
    page.get_by_label("Folder of a checkpoint").fill(str(DATA))
    press(page, "Use")
    page.wait_for_selector(".message.error:has-text('has no config.json')")


def test_who_looks_on_sees_the_recording_and_changes_nothing(program, open_page):
    page = open_page(program.address + "?role=view")
    slider = page.get_by_role("slider", name="Frame to imagine from")
    assert slider.get_attribute("aria-disabled") == "true"
    for name in ("Imagine", "The next episode", "Another checkpoint"):
        assert page.get_by_role("button", name=name, exact=True).is_disabled()
