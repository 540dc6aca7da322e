"""Both frames in a real browser: their size, their zoom, and one laid over the other."""

import base64
from contextlib import suppress

import imageio.v3 as iio
import numpy as np
import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from tests.gui.page.test_page import SIDE, make_goal, marked, press, ready, reset

pytestmark = pytest.mark.slow
WINDOWS = {(1280, 800): 430, (1920, 1080): 700, (820, 1180): 340}
"""Size of a window -> how wide its frames are, at least."""
BOXES = "boxes => boxes.map(one => one.getBoundingClientRect().toJSON())"
WIPED = """at => {
  const box = document.querySelector(".prediction .viewport").getBoundingClientRect();
  const style = getComputedStyle(document.querySelector(".prediction .real"));
  return [style.clipPath, style.opacity, box.width];
}"""
DRAWN = """() => {
  const canvas = document.querySelector("canvas.difference");
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return [canvas.width, canvas.height, [...data]];
}"""


@pytest.fixture
def replay(program, open_page):
    """A page with a run that is replayed."""
    page = open_page(program.address)
    page.get_by_label("Steps per run").fill("2")
    make_goal(page)
    press(page, "Run")
    page.wait_for_selector(".status:has-text('ready'):not(:has-text('plan'))")
    page.get_by_role("tab", name="Runs").click()
    page.locator(".list .run").get_by_role("button", name="Open").first.wait_for()
    for _ in range(
        10
    ):  # the list may be drawn anew under the pointer, now that a run was added
        page.locator(".list .run").get_by_role("button", name="Open").first.click()
        with suppress(PlaywrightTimeoutError):
            page.wait_for_selector("h2:has-text('as recorded after 1 action')", timeout=8000)
            break
    page.wait_for_selector("h2:has-text('as recorded after 1 action')")
    yield page
    press(page, "Back to the scene")


def compare(page, mode):
    page.get_by_label("Compare", exact=True).click()
    page.get_by_role("option", name=mode).click()
    page.wait_for_selector(f".compare-{mode.lower()}")


def place(page, row, col, panel="scene"):
    """Return where a pixel is on the screen, by the frame as it is zoomed."""
    box = page.locator(f".{panel} .frame").bounding_box()
    x = box["x"] + (col + 0.5) / SIDE * box["width"]
    return x, box["y"] + (row + 0.5) / SIDE * box["height"]


def test_both_are_as_large_as_the_window_lets_them_be(program, open_page, photograph):
    page = open_page(program.address)
    reset(page)
    for (width, height), least in WINDOWS.items():
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(100)
        scene, prediction = page.locator(".viewport").evaluate_all(BOXES)
        assert (scene["width"], scene["y"]) == (prediction["width"], prediction["y"])
        assert scene["height"] == prediction["height"] == pytest.approx(scene["width"], abs=1)
        assert scene["width"] >= least
        (scrub,) = page.locator(".scrub").evaluate_all(BOXES)
        assert scrub["bottom"] <= height, "the timeline is in sight"
        if width > 1100:
            (controls,) = page.locator(".controls").evaluate_all(BOXES)
            assert controls["bottom"] <= height, "so are the actions"
        photograph(page, f"frames-{width}")


def test_they_are_zoomed_together_and_clicks_stay_exact(program, open_page, photograph):
    page = open_page(program.address)
    reset(page)
    for _ in range(3):
        press(page, "Zoom in")
    page.wait_for_selector(".zoom-reset[data-zoom='300 %']")
    boxes = page.locator(".frame").evaluate_all(BOXES)
    windows = page.locator(".viewport").evaluate_all(BOXES)
    for box, window in zip(boxes, windows, strict=True):
        assert box["width"] == pytest.approx(3 * window["width"], abs=0.5)
        assert box["x"] - window["x"] == pytest.approx(-window["width"], abs=0.5)
    page.mouse.click(*place(page, 30, 27))
    assert marked(page, "source") == (30, 27)
    page.mouse.move(*place(page, 35, 36))
    page.keyboard.down("Shift")  # a drag with Shift moves what is seen, and makes no goal
    page.mouse.down()
    page.mouse.move(*place(page, 29, 32), steps=3)
    page.mouse.up()
    page.keyboard.up("Shift")
    photograph(page, "zoomed")
    moved = page.locator(".frame").evaluate_all(BOXES)
    pixel = boxes[0]["width"] / SIDE
    for box, before in zip(moved, boxes, strict=True):
        assert box["x"] - before["x"] == pytest.approx(-4 * pixel, abs=1)
        assert box["y"] - before["y"] == pytest.approx(-6 * pixel, abs=1)
    page.mouse.click(*place(page, 44, 40))
    assert marked(page, "target") == (44, 40)
    assert page.locator(".mark.source").count() == 1
    page.locator(".scene .frame").press("0")
    page.wait_for_selector(".zoom-reset[data-zoom='100 %']")
    x, y = place(page, 20, 50)
    page.mouse.move(x, y)
    page.mouse.wheel(0, -400)
    page.wait_for_selector(".zoom-reset[data-zoom='223 %']")
    assert place(page, 20, 50) == pytest.approx((x, y), abs=1.5), "it grows around the pointer"
    page.mouse.wheel(0, 4000)
    page.wait_for_selector(".zoom-reset[data-zoom='100 %']")
    press(page, "Clear")


def picture(page, which):
    """Return the pixels of a picture of the prediction."""
    source = page.locator(f".prediction img.{which}").get_attribute("src")
    return iio.imread(base64.b64decode(source.split(",")[1]))[..., :3].astype(int)


def test_what_was_seen_is_laid_over_what_was_imagined(replay, photograph):
    page = replay
    compare(page, "Wipe")
    photograph(page, "wipe")
    clip, _, width = page.evaluate(WIPED)
    assert clip.startswith("inset(0px 50%") or f"{width / 2:g}" in clip
    page.locator(".wipe-handle").press("ArrowRight")
    page.locator(".wipe-handle").press("Home")
    page.wait_for_function(f"({WIPED})()[0].startsWith('inset(0px 100%')")
    sent = list[str]()
    page.on("websocket", lambda socket: socket.on("framesent", sent.append))
    box = page.locator(".prediction .viewport").bounding_box()
    page.mouse.move(box["x"], box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    page.wait_for_function(f"({WIPED})()[0].match(/inset\\(0px 7[45]/)")
    assert not sent, "dragging asks no server"
    compare(page, "Blend")
    page.locator("input.blend").press("End")
    page.wait_for_function(f"({WIPED})()[1] === '0'")
    photograph(page, "blend")


def test_the_difference_says_its_scale(replay, photograph):
    page = replay
    compare(page, "Difference")
    page.wait_for_selector(".difference-text:has-text('× 4; grey')")
    page.wait_for_selector("img.real[src^=data]", state="attached")
    photograph(page, "difference")
    difference = picture(page, "imagined") - picture(page, "real")
    assert difference.any(), "persistence is wrong about what moves"
    for is_absolute, wanted in (
        (False, np.clip(128 + 4 * difference, 0, 255)),
        (True, np.clip(4 * np.abs(difference), 0, 255)),
    ):
        page.get_by_label("absolute").set_checked(is_absolute)
        width, height, data = page.evaluate(DRAWN)
        drawn = np.array(data).reshape(height, width, 4)[..., :3]
        assert np.array_equal(drawn, wanted)
    page.wait_for_selector(".difference-text:has-text('black: equal, white: 64 or more')")
    said = page.locator(".difference-text").inner_text()
    assert f"Mean {np.abs(difference).mean():.1f}, largest {np.abs(difference).max()}" in said
    page.get_by_label("Scale of the difference").press("ArrowRight")
    page.wait_for_selector(".difference-text:has-text('× 8')")


def test_one_row_scrubs_every_panel(replay):
    page = replay
    press(page, "Next step")
    page.wait_for_selector("h2:has-text('as recorded after 2 actions')")
    page.wait_for_selector(".sliders :text-is('Plan at step 1')")
    page.get_by_role("checkbox", name="Same step").click()
    page.wait_for_selector("h2:has-text('as recorded after 1 action')")
    page.locator(".prediction .frame").press("Home")
    page.wait_for_selector("h2:has-text('as recorded after 0 actions')")
    page.locator(".scene .frame").press("]")
    page.wait_for_selector(".sliders :text-is('2 ahead')")
    page.get_by_role("checkbox", name="Same step").click()
    page.wait_for_selector("h2:has-text('as recorded after 2 actions')")
    ready(page)
