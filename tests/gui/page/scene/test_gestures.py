"""Making a goal with the pointer in a real browser: drag a whole pair, click, move markers."""

import pytest

from tests.gui.page.test_page import SIDE, click, marked, press, reset, wait_until_marked

pytestmark = pytest.mark.slow


@pytest.fixture
def page(program, open_page):
    page = open_page(program.address)
    reset(page, 3)
    return page


def drag(page, start, end):
    box = page.locator(".frame.click").bounding_box()
    scale = box["width"] / SIDE
    for number, (row, col) in enumerate((start, end)):
        x, y = box["x"] + (col + 0.5) * scale, box["y"] + (row + 0.5) * scale
        page.mouse.move(x, y, steps=1 + 4 * number)
        if not number:
            page.mouse.down()
    page.mouse.up()


def test_press_and_drag_makes_a_whole_pair_that_one_undo_takes_back(page, photograph):
    drag(page, (40, 20), (12, 50))
    wait_until_marked(page, "target", (12, 50))
    assert marked(page, "source") == (40, 20)
    photograph(page, "gesture-drag")
    drag(page, (12, 50), (30, 33))  # a marker of a whole pair is moved
    wait_until_marked(page, "target", (30, 33))
    drag(page, (40, 20), (44, 25))
    wait_until_marked(page, "source", (44, 25))
    assert page.locator(".mark.source").count() == 1
    for place in ((30, 33), (12, 50)):
        press(page, "Undo")
        wait_until_marked(page, "target", place)
    press(page, "Undo")
    page.wait_for_selector(".mark", state="detached")


def test_a_click_beside_a_marker_sets_the_goal_of_an_open_pair(page):
    click(page, 40, 20)
    marked(page, "source")
    click(page, 41, 21)
    wait_until_marked(page, "target", (41, 21))
    click(page, 10, 10)
    marked(page, "source", 1)
    click(page, 41, 20)  # on both markers of the first pair
    assert marked(page, "target", 1) == (41, 20)
    assert marked(page, "target", 0) == (41, 21)


def test_what_cannot_be_pushed_is_said_beside_the_frame_at_once(page, photograph):
    click(page, 2, 2)
    page.wait_for_selector(".hint.warning:has-text('does not show an object')")
    photograph(page, "refused-at-the-click")
    assert marked(page, "source") == (2, 2)
    press(page, "Clear")
    page.wait_for_selector(".hint.warning", state="detached")


def test_a_run_that_stops_at_its_goal_says_so_and_goes_on(start, open_page, photograph):
    page = open_page(start("--model", "simulator").address)
    place = reset(page, 3)
    row, col = int(place.row), int(place.col)
    drag(page, (row, col), (row, col + (12 if col < 32 else -12)))
    press(page, "Run")
    page.wait_for_selector(".verdict:has-text('Reached: '):visible")
    photograph(page, "verdict")
    press(page, "Maps")  # the page is drawn anew
    page.wait_for_selector(".layer[aria-pressed=false]:has-text('Maps')")
    assert not page.locator(".scene .hint").is_visible(), "it stands where the verdict does"
    press(page, "Go on to 1 cm")
    page.wait_for_selector(".verdict:visible >> text=/Reached: 0|Reached: 1|Not reached/")
    press(page, "Again")
    page.wait_for_selector(".status.busy")
    page.wait_for_selector(".verdict:has-text('Reached: '):visible")
    page.get_by_role("tab", name="Runs").click()
    page.wait_for_selector(".list .run >> nth=2")
    assert page.locator(".list .run:has-text('reached')").count() == 3
