"""The page in a real browser: clicks, a whole session, stopping, reloading, tabs, refusals."""

import re
import time

import imageio.v3 as iio
import pytest
from PIL import Image

from tests.gui.program import PATIENCE_MS
from tests.gui.proxy import Proxy
from visual_foresight.envs.dot import DotEnv
from visual_foresight.envs.registry import make
from visual_foresight.gui.page.frames.pictures import CROSS
from visual_foresight.interfaces import require_judge
from visual_foresight.predictors.registry import FLAGSHIP
from visual_foresight.types import Pixel

pytestmark = pytest.mark.slow
SIDE = 64
HIGH_RESOLUTION = ".q-toggle:has-text('High resolution')"
CURVE = ".chart path[stroke='var(--line-1)']"
"""The first curve of a chart."""
ALIVE = "fetch('/alive').then(answer => answer.json())"
CHANGES_OF_A_RESET = 4
"""How often a reset changes the session's state: start, scene, frame, ready."""


def ready(page):
    page.wait_for_selector(".status:not(.busy)")


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def reset(page, seed=0):
    """Set the scene anew and return where its dot is."""
    ready(page)
    page.get_by_label("Seed").fill(str(seed))
    version = page.evaluate(f"{ALIVE}.then(state => state.version)")
    press(page, "Reset")
    page.wait_for_function(
        f"least => {ALIVE}.then(state => state.version >= least && state.idle)",
        arg=version + CHANGES_OF_A_RESET,
    )
    page.wait_for_selector(".mark", state="detached")
    ready(page)
    env = DotEnv()
    env.reset(seed=seed)
    return env.project(env.truth()[0, :3])


def click(page, row, col):
    """Click the middle of a pixel of the frame, however large it is drawn."""
    frame = page.locator(".frame.click")
    box = frame.bounding_box()
    frame.click(
        position={
            "x": (col + 0.5) / SIDE * box["width"],
            "y": (row + 0.5) / SIDE * box["height"],
        }
    )


def marked(page, kind, number=0):
    """Return the pixel at which a marker is drawn."""
    mark = page.locator(f".mark.{kind}[data-pair='{number}']")
    mark.wait_for(state="attached")
    if kind == "source":
        x = float(mark.get_attribute("cx"))
        y = float(mark.get_attribute("cy"))
    else:
        x, y = re.findall(r"[-\d.]+", mark.get_attribute("d"))[:2]
        x = float(x) + CROSS
        y = float(y) + CROSS
    return round(y / 1000 * SIDE - 0.5, 3), round(x / 1000 * SIDE - 0.5, 3)


def wait_until_marked(page, kind, place):
    """Wait until a marker is at a pixel."""
    deadline_s = time.monotonic() + PATIENCE_MS / 1000
    while marked(page, kind) != place:
        assert time.monotonic() < deadline_s, (marked(page, kind), place)
        page.wait_for_timeout(50)


def make_goal(page, seed=0):
    place = reset(page, seed)
    click(page, place.row, place.col)
    marked(page, "source")
    click(page, place.row, SIDE - 1 - place.col)
    marked(page, "target")


CORNERS = [(0, 0), (0, 63), (63, 0), (63, 63), (20, 41)]


@pytest.mark.parametrize("window", [(1280, 800), (820, 1180)])
def test_clicks_land_on_the_right_pixel(program, open_page, window):
    page = open_page(program.address, *window)
    reset(page)
    for number, corner in enumerate(CORNERS):
        click(page, *corner)
        kind = ("source", "target")[number % 2]
        assert marked(page, kind, number // 2) == corner


def test_a_click_outside_the_frame_does_nothing(program, open_page):
    page = open_page(program.address)
    reset(page)
    box = page.locator(".frame.click").bounding_box()
    for x, y in (
        (box["x"] - 3, box["y"] + 9),
        (box["x"] + box["width"] + 3, box["y"] + 9),
        (box["x"] + 9, box["y"] - 3),
    ):
        page.mouse.click(x, y)
    page.wait_for_timeout(300)
    assert page.locator(".mark").count() == 0


def test_markers_are_dragged_and_the_keyboard_does_it_too(program, open_page):
    page = open_page(program.address)
    make_goal(page)
    row, col = marked(page, "target")
    box = page.locator(".frame.click").bounding_box()
    scale = box["width"] / SIDE
    page.mouse.move(box["x"] + (col + 0.5) * scale, box["y"] + (row + 0.5) * scale)
    page.mouse.down()
    page.mouse.move(box["x"] + 30.5 * scale, box["y"] + 50.5 * scale, steps=4)
    page.mouse.up()
    wait_until_marked(page, "target", (50, 30))
    press(page, "Undo")
    wait_until_marked(page, "target", (row, col))  # a drag is one change
    press(page, "Clear")
    page.wait_for_selector(".mark", state="detached")
    page.locator(".frame.click").focus()
    for key in ("ArrowUp", "Shift+ArrowLeft", "Enter"):
        page.keyboard.press(key)
    assert marked(page, "source") == (31, 24)


def carry_out_a_future(page, photograph):
    """A click on a picture of the fan only shows that future; a button carries it out."""
    page.get_by_role("tab", name="Fan").click()
    press(page, "Imagine different actions")
    page.wait_for_selector(".fan .thumb")
    before = page.locator(".scene .frame img").get_attribute("src")
    assert page.get_by_role("button", name="Carry out", exact=True).is_disabled()
    page.get_by_role("button", name="Show +x -y").click()
    page.wait_for_selector(".prediction h2:has-text('Preview of a fan')")
    photograph(page, "6-fan")
    assert page.locator(".scene .frame img").get_attribute("src") == before, "nothing moves"
    page.get_by_role("button", name="Carry out +x -y").click()
    page.wait_for_selector(".status.busy")
    page.wait_for_selector(".status:text-is('ready')")
    assert page.locator(".scene .frame img").get_attribute("src") != before


def test_a_whole_session_from_reset_to_a_saved_animation(program, open_page, photograph):
    page = open_page(program.address)
    reset(page, 3)
    photograph(page, "1-ready")
    page.get_by_label("Steps per run").fill("3")
    make_goal(page, 3)
    photograph(page, "2-goal")
    press(page, "Plan")
    page.wait_for_selector(".status:has-text('plan ready')")
    page.get_by_role("tab", name="Plans").click()
    page.wait_for_selector(".thumb.on")
    photograph(page, "3-planned")
    ahead = page.get_by_role("slider", name="Steps ahead")
    box = ahead.bounding_box()
    page.mouse.click(box["x"] + 7 / 12 * box["width"], box["y"] + box["height"] / 2)
    page.wait_for_selector(".sliders :text-is('7 ahead')")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".sliders :text-is('8 ahead')")
    press(page, "Run")
    page.wait_for_selector(".status:has-text('ready'):not(:has-text('plan'))")
    page.get_by_role("tab", name="Progress").click()
    page.wait_for_selector(CURVE)
    photograph(page, "4-ran")
    page.get_by_role("tab", name="Check").click()
    press(page, "Compare with what the model imagines")
    page.wait_for_selector(CURVE)
    photograph(page, "5-checked")
    carry_out_a_future(page, photograph)
    page.get_by_role("tab", name="Runs").click()
    assert "fan: +x -y" in page.locator(".list .run").nth(0).inner_text()
    page.get_by_role("button", name="Export dot-").nth(1).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="GIF").click()
    page.get_by_text(f"Saved {download.value.suggested_filename}").wait_for()
    photograph(page, "7-saved")
    saved = list(program.out.glob("dot-*.gif"))
    assert len(iio.imread(saved[0])) > 3
    assert list((program.out / "dot").glob("episode_*.hdf5"))
    press(page, "Close")
    page.locator(".list .run").nth(1).locator("button:has-text('Open')").click()
    page.wait_for_selector("h2:has-text('as recorded')")
    photograph(page, "8-opened")
    press(page, "Back to the scene")
    page.wait_for_selector("h2:text-is('Scene')")


@pytest.mark.parametrize(
    ("name", "window"), [("desktop", (1280, 800)), ("tablet", (820, 1180))]
)
def test_the_look_in_light_and_dark(program, open_page, photograph, name, window):
    for scheme in ("light", "dark"):
        page = open_page(program.address, *window, color_scheme=scheme)
        make_goal(page, 5)
        press(page, "Plan")
        page.wait_for_selector(".status:has-text('plan ready')")
        photograph(page, f"look-{name}-{scheme}")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (
            "nothing sticks out"
        )
        press(page, "Stop")


def test_stop_during_planning_moves_nothing(start, open_page):
    page = open_page(start("--model", "simulator", "--preset", "thorough").address)
    make_goal(page)
    before = page.locator(".scene .frame img").get_attribute("src")
    press(page, "Plan")
    page.wait_for_selector(".status:text-is('planning')")
    press(page, "Stop")
    page.wait_for_selector(".status:text-is('ready')")
    assert page.locator(".scene .frame img").get_attribute("src") == before
    assert page.locator(".message.error:visible").count() == 0


def test_a_reload_during_a_run_finds_the_same_run(start, open_page, photograph):
    # slow enough to be caught
    page = open_page(start("--model", "simulator", "--preset", "thorough").address)
    make_goal(page, 6)
    page.get_by_label("Stop at").click()
    page.get_by_role("option", name="never").click()
    page.get_by_label("Steps per run").fill("200")
    press(page, "Run")
    page.wait_for_selector(".status:has-text('step')")
    page.reload()
    page.wait_for_selector(".status:has-text('of 200')")
    page.wait_for_selector(CURVE)  # of the tab that is open at first
    photograph(page, "running")
    box = page.locator(".q-field:has-text('Locator')").first.bounding_box()
    settings = page.locator(".card").first.bounding_box()
    assert box["x"] + box["width"] <= settings["x"] + settings["width"], (
        "long names stay inside the card"
    )
    press(page, "Pause")
    page.wait_for_selector(".status:has-text('paused')")
    photograph(page, "paused")
    press(page, "Stop")
    page.wait_for_selector(".status:text-is('ready')")


def test_two_tabs_show_one_session_and_say_so(program, open_page):
    first = open_page(program.address)
    second = open_page(program.address)
    assert "every tab shows and steers the same one" in second.locator(".note").inner_text()
    reset(first, 8)
    click(first, 40, 17)
    assert marked(second, "source") == (40, 17)
    press(second, "Clear")
    first.wait_for_selector(".mark", state="detached")
    second.get_by_label("Seed").fill("11")
    press(second, "Reset")
    deadline_s = time.monotonic() + PATIENCE_MS / 1000
    while first.get_by_label("Seed").input_value() != "11":
        assert time.monotonic() < deadline_s, "the other tab does not follow the choice"
        first.wait_for_timeout(50)


def test_a_bad_upload_is_one_sentence_and_a_good_one_a_goal(
    program, open_page, photograph, tmp_path
):
    page = open_page(program.address)
    reset(page, 2)
    (tmp_path / "bad.png").write_bytes(b"<script>alert(1)</script>")
    Image.new("RGB", (300, 200), "teal").save(tmp_path / "good.png")
    page.get_by_role("button", name="Goal image").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "bad.png")
    page.wait_for_selector(".message.error:has-text('no picture that can be read')")
    photograph(page, "refused")
    page.locator("input[type=file]").set_input_files(tmp_path / "good.png")
    page.wait_for_selector(".goal-image:visible")
    photograph(page, "goal-image")
    press(page, "Run")
    page.wait_for_selector(".status:has-text('ready'):not(:has-text('plan'))")
    page.get_by_role("tab", name="Progress").click()
    page.wait_for_selector(CURVE)
    photograph(page, "progress-to-an-image")
    page.get_by_role("tab", name="Runs").click()
    page.wait_for_selector(".list .run:has-text('an image'):has-text('difference')")
    photograph(page, "run-to-an-image")


@pytest.mark.parametrize("cuts_off", [True, False], ids=["path cut off", "path passed on"])
def test_the_page_works_below_a_path_of_a_reverse_proxy(start, open_page, tmp_path, cuts_off):
    proxy = Proxy(cuts_off)
    program = start("--address", proxy.address)
    proxy.port = program.port
    (outer,) = re.findall(r"Open (\S+)", program.said())
    assert outer.startswith(f"{proxy.address}/?token=")
    page = open_page(outer)
    page.get_by_role("button", name="Goal image").click()
    Image.new("RGB", (300, 200), "teal").save(tmp_path / "good.png")
    page.locator("input[type=file]").set_input_files(tmp_path / "good.png")
    page.wait_for_selector(".goal-image:visible")
    press(page, "Plan")
    page.wait_for_selector(".status:has-text('plan ready')")
    proxy.close()


def test_the_table_is_planned_on_with_the_shipped_model_in_high_resolution(
    start, open_page, photograph
):
    """A click on the larger render is the frame's pixel; a second tab finds the switch on."""
    env = require_judge(make("push"), "the test")
    env.reset(seed=3)
    near = sorted(
        ((row, col) for row in range(SIDE) for col in range(SIDE)),
        key=lambda p: abs(p[0] - 40) + abs(p[1] - 32),
    )
    row, col = next(
        place for place in near if env.pick(Pixel(*map(float, place))).kind == "object"
    )
    env.close()
    program = start("--env", "push", "--model", FLAGSHIP, "--seed", "3")
    page = open_page(program.address)
    ready(page)
    page.locator(HIGH_RESOLUTION).click()
    page.wait_for_function("document.querySelector('.frame.click img').naturalWidth === 512")
    ready(page)
    click(page, row, col)
    assert marked(page, "source") == (row, col)
    click(page, row, col + (12 if col < SIDE / 2 else -12))
    press(page, "Plan")
    page.wait_for_selector(".status:has-text('plan ready')")
    photograph(page, "table-planned")
    second = open_page(program.address)
    assert second.locator(HIGH_RESOLUTION).get_attribute("aria-checked") == "true"
