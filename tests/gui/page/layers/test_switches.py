"""The row of layers in a real browser: switched by keyboard, and remembered over a reload."""

import pytest

from tests.gui.page.test_page import make_goal, press, reset

pytestmark = pytest.mark.slow
IMAGINED = ".prediction .layers"
SEEN = ".scene .layers"


def is_on(page, name):
    return page.get_by_role("button", name=name, exact=True).get_attribute("aria-pressed")


def test_layers_lie_over_both_frames_and_are_remembered(program, open_page, photograph):
    page = open_page(program.address)
    reset(page)
    make_goal(page, 12)
    press(page, "Plan")
    page.wait_for_selector(f"{IMAGINED} .heat")
    assert page.locator(f"{IMAGINED} .path:not(.under)").count() == 2, "a line and a dot"
    for frame in (IMAGINED, SEEN):
        assert page.locator(f"{frame} .arm:not(.under)").count() == 1, "the planned way"
    assert page.locator(f"{SEEN} .next:not(.under)").count() == 1, "the next action"
    for goal in (".prediction .target", ".prediction .source", ".scene .target"):
        assert page.locator(goal).count() == 1, "the goal's markers stay"
    assert "scripts/measure_doubt" in (
        page.locator(".doubt").get_attribute("aria-description") or ""
    )
    row = page.get_by_role("group", name="Layers")
    for name, key in (("Regions", "Enter"), ("Plans", "Space"), ("Maps", "Space")):
        row.get_by_role("button", name=name, exact=True).focus()
        page.keyboard.press(key)
    page.wait_for_selector(f"{IMAGINED} .region.most:not(.under)")
    page.wait_for_selector(f"{IMAGINED} .heat", state="detached")
    assert page.locator(f"{SEEN} .other-plan").count() == 3
    assert page.locator(f"{SEEN} .elites").count() > 3
    photograph(page, "layers")
    page.reload()
    page.wait_for_selector(f"{IMAGINED} .region.most:not(.under)")
    assert [is_on(page, name) for name in ("Maps", "Regions", "Paths")] == [
        "false",
        "true",
        "true",
    ]
    press(page, "Things")
    page.wait_for_selector("text=This model moves pixels, and knows no things")
    phone = open_page(program.address, width=390, height=844)
    phone.wait_for_selector(f"{IMAGINED} .heat")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    photograph(phone, "layers-phone")
