"""The page on a phone, under a finger: taps mark, swipes scroll, and nothing lies over another."""

import pytest

from tests.gui.page.test_page import SIDE, make_goal, marked, press, ready, reset

pytestmark = pytest.mark.slow
PHONE = (390, 844)
FINGER = {"has_touch": True, "is_mobile": True, "device_scale_factor": 2}


@pytest.fixture
def phone(program, open_page):
    page = open_page(program.address, *PHONE, **FINGER)
    ready(page)
    return page


def place_of(page, row, col):
    """Return where a pixel of the frame is on the screen."""
    box = page.locator(".frame.click").bounding_box()
    return (
        box["x"] + (col + 0.5) / SIDE * box["width"],
        box["y"] + (row + 0.5) / SIDE * box["height"],
    )


def swipe(page, start, end, steps=12):
    """Move a finger over the screen."""
    finger = page.context.new_cdp_session(page)

    def send(kind, *points):
        touches = [{"x": x, "y": y} for x, y in points]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
        page.wait_for_timeout(20)

    send("touchStart", start)
    for step in range(1, steps + 1):
        share = step / steps
        x = start[0] + share * (end[0] - start[0])
        y = start[1] + share * (end[1] - start[1])
        send("touchMove", (x, y))
    send("touchEnd")
    finger.detach()


def test_both_frames_are_on_the_first_screen_and_the_buttons_too(phone, photograph):
    reset(phone)
    phone.evaluate("scrollTo(0, 0)")
    make_goal(phone)
    press(phone, "Plan")
    phone.wait_for_selector(".status:has-text('plan ready')")
    phone.evaluate("scrollTo(0, 0)")
    photograph(phone, "phone-first-screen")
    controls = phone.locator(".controls").bounding_box()
    assert controls["y"] + controls["height"] <= PHONE[1] + 1
    for frame in phone.locator(".frame").all():
        box = frame.bounding_box()
        assert box["width"] >= 200
        assert box["y"] >= 0 and box["y"] + box["height"] <= controls["y"]
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    phone.evaluate("scrollTo(0, 1e6)")
    stop = phone.get_by_role("button", name="Stop").first.bounding_box()
    assert stop["y"] + stop["height"] <= PHONE[1]
    photograph(phone, "phone-last-screen")
    press(phone, "Stop")


def test_a_tap_marks_a_swipe_scrolls_and_a_marker_is_dragged(phone):
    reset(phone)
    phone.evaluate("scrollTo(0, 0)")
    swipe(phone, place_of(phone, 50, 30), place_of(phone, 4, 30))
    phone.wait_for_timeout(300)
    assert phone.evaluate("scrollY") > 50
    assert phone.locator(".mark").count() == 0
    phone.evaluate("scrollTo(0, 0)")
    phone.touchscreen.tap(*place_of(phone, 40, 20))
    assert marked(phone, "source") == (40, 20)
    phone.touchscreen.tap(*place_of(phone, 12, 50))
    assert marked(phone, "target") == (12, 50)
    swipe(phone, place_of(phone, 12, 50), place_of(phone, 55, 45))
    phone.wait_for_function(
        "before => document.querySelector('.mark.target').getAttribute('d') !== before",
        arg="",
    )
    phone.wait_for_timeout(200)
    assert marked(phone, "target") == (55, 45)
    assert phone.evaluate("scrollY") == 0


def test_runs_are_cards(phone, photograph):
    phone.get_by_label("Steps per run").fill("1")
    make_goal(phone)
    press(phone, "Run")
    phone.wait_for_selector(".status:has-text('ready'):not(:has-text('plan'))")
    phone.get_by_role("tab", name="Runs").click()
    run = phone.locator(".list .run").first
    run.scroll_into_view_if_needed()
    photograph(phone, "phone-runs")
    boxes = [part.bounding_box() for part in run.locator("xpath=./*").all()]
    boxes = [box for box in boxes if box is not None]
    for number, one in enumerate(boxes):
        assert one["x"] + one["width"] <= PHONE[0]
        for other in boxes[number + 1 :]:
            assert not overlap(one, other), (one, other)


def overlap(one, other):
    """Tell whether two boxes on the screen lie over one another."""
    return (
        one["x"] + 0.5 < other["x"] + other["width"]
        and other["x"] + 0.5 < one["x"] + one["width"]
        and one["y"] + 0.5 < other["y"] + other["height"]
        and other["y"] + 0.5 < one["y"] + one["height"]
    )
