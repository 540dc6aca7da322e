"""The page for people who cannot see it well, or at all: in every state, theme and width."""

import pytest

from tests.gui.accessibility import barriers
from tests.gui.page.test_page import make_goal, press, ready

pytestmark = pytest.mark.slow
WINDOWS = [(390, 844), (820, 1180), (1280, 800), (1920, 1080)]


def found_everywhere(page, state):
    """Return the barriers of a page in light and dark, in every window."""
    page.mouse.move(
        1, 1
    )  # what is under the pointer is tinted, which axe-core takes for pale text
    found = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width, height in WINDOWS:
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(150)
            for barrier in barriers(page):
                found.setdefault(barrier, f"{state}, {scheme}, {width} px")
    return [f"{where}: {barrier}" for barrier, where in found.items()]


def test_nothing_keeps_anybody_out(program, open_page):
    page = open_page(program.address)
    ready(page)
    found = found_everywhere(page, "start")
    page.get_by_label("Steps per run").fill("2")
    make_goal(page)
    found += found_everywhere(page, "goal made")
    press(page, "Plan")
    page.wait_for_selector(".status:has-text('plan ready')")
    for tab in ("Plans", "Progress"):
        page.get_by_role("tab", name=tab).click()
        found += found_everywhere(page, f"plan ready, {tab}")
    press(page, "Run")
    page.wait_for_selector(".status:has-text('ready'):not(:has-text('plan'))")
    page.get_by_role("tab", name="Runs").click()
    page.locator(".list .run").nth(1).get_by_role("button", name="Open").click()
    page.wait_for_selector("h2:has-text('as recorded')")
    found += found_everywhere(page, "replay open")
    assert found == [], "\n".join(found)
