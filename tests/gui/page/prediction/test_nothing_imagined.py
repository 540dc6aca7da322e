"""The prediction panel in a real browser: what imagines nothing shows nothing."""

import pytest

from tests.gui.page.test_page import make_goal, press, reset

pytestmark = pytest.mark.slow
NOTHING = ".prediction .nothing:visible"


def test_what_imagines_nothing_says_so_and_the_goal_stays(start, open_page, photograph):
    page = open_page(start("--model", "random").address)
    reset(page)
    make_goal(page, 12)
    press(page, "Plan")
    page.wait_for_selector(".status:text-is('plan ready')")
    assert page.locator(NOTHING).inner_text() == "random imagines nothing."
    assert not page.locator(".prediction img.imagined").is_visible()
    press(page, "Step")
    page.wait_for_selector(".status:text-is('paused')")
    assert (
        page.locator(".mark.target").count() == 1 and page.locator(".mark.source").count() == 1
    )
    assert page.locator(NOTHING).inner_text() == "random imagines nothing."
    photograph(page, "imagines-nothing")
