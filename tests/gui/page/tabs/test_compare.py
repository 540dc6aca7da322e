"""Two models side by side, and charts that answer clicks, in a real browser."""

import pytest

from tests.gui.accessibility import barriers
from tests.gui.page.test_page import make_goal, press, ready

pytestmark = pytest.mark.slow
PICTURES = ".compared-frame img:visible"


def compare_with(page, name):
    page.get_by_label("Compare with").click()
    page.get_by_role("option", name=name).click()
    page.wait_for_selector(".q-menu", state="detached")
    press(page, "Compare")


def choose_by_chart(page, chart, share):
    """Click a chart at a share of its axis' length, wherever the curve is."""
    place = page.locator(".chart.clickable:visible").nth(chart)
    place.scroll_into_view_if_needed()
    width = place.bounding_box()["width"]
    place.click(position={"x": 44 + share * (width - 44 - 14), "y": 70})


def wait_for_step(page, step):
    slider = ".q-slider[aria-label='Step of the run']"
    page.wait_for_selector(f"{slider}[aria-valuenow='{step}']")


def test_two_models_stand_side_by_side_and_a_click_on_a_chart_chooses_the_step(
    program, open_page, photograph
):
    page = open_page(program.address)
    page.get_by_label("Steps per run").fill("4")
    page.get_by_label("Stop at").click()
    page.get_by_role("option", name="never").click()
    make_goal(page, 3)
    page.get_by_role("tab", name="Compare").click()
    page.wait_for_selector("text=Both models imagine the same actions")
    assert page.get_by_role("button", name="Compare", exact=True).is_disabled()
    press(page, "Plan")
    page.wait_for_selector(".status:text-is('plan ready')")
    compare_with(page, "simulator")
    page.wait_for_selector(".scores tbody tr.shown")
    assert page.locator(PICTURES).count() == 2, "nothing of the plan has happened"
    first, second = (picture.get_attribute("src") for picture in page.locator(PICTURES).all())
    assert first != second
    page.wait_for_selector(".status:text-is('plan ready')")
    photograph(page, "compared-plan")

    press(page, "Run")
    page.wait_for_selector(".scores:visible", state="detached")
    page.wait_for_selector(".status:text-is('ready')")
    compare_with(page, "still")
    page.wait_for_selector("th:has-text('pixel error')")
    assert page.locator(PICTURES).count() == 3
    ready(page)
    photograph(page, "compared-run")
    choose_by_chart(page, 0, 1 / 3)
    wait_for_step(page, 1)
    page.wait_for_selector("text=imagine the actions that followed step 1")
    assert page.locator(".scores tbody tr").count() == 3
    for scheme, width in (("light", 1280), ("dark", 390)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_timeout(150)
        assert barriers(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_role("tab", name="Progress").click()
    choose_by_chart(page, 0, 1 / 2)
    wait_for_step(page, 2)
    page.get_by_role("tab", name="Plans").click()
    page.wait_for_selector(".plans .thumb:nth-child(4)")  # the best plans of a past step
