"""The page opened by a link, in a real browser."""

import pytest

from tests.gui.page.test_page import click, marked, ready, reset

pytestmark = pytest.mark.slow


def test_a_link_is_copied_and_opens_the_same_scene_and_goal(program, open_page, photograph):
    page = open_page(program.address, permissions=["clipboard-read", "clipboard-write"])
    place = reset(page, 3)
    click(page, place.row, place.col)
    marked(page, "source")
    click(page, 20, 30)
    marked(page, "target")
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_selector(".message:has-text('The link was copied')")
    link = page.evaluate("navigator.clipboard.readText()")
    assert "seed=3" in link and "goal=20,30" in link
    reset(page, 9)
    again = open_page(link)
    assert marked(again, "target") == (20, 30)
    again.wait_for_selector(".now:text-is('now: dot, seed 3')")
    again.wait_for_function("location.search === ''")
    photograph(again, "opened-by-a-link")
    page.get_by_role("button", name="Clear").click()
    again.wait_for_selector(".mark", state="detached")
    again.reload()
    ready(again)
    again.wait_for_timeout(500)
    assert again.locator(".mark").count() == 0, "a reload stays where the session is"
    wrong = open_page(f"{program.address}?seed=abc")
    wrong.wait_for_selector('.message.error:has-text("a seed is a whole number")')
