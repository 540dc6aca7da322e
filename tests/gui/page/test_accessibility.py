"""The page for people who cannot see it well, or at all: in every state, theme and width."""

import pytest

from tests.gui.accessibility import barriers
from tests.gui.page.test_page import SIDE, make_goal, marked, press, ready, reset
from visual_foresight.predictors.registry import FLAGSHIP

pytestmark = pytest.mark.slow
MOVING = """[...document.querySelectorAll('*')].filter(element => {
  const style = getComputedStyle(element);
  return [style.transitionDuration, style.animationDuration].some(text => parseFloat(text) > 0);
}).length"""
"""How many elements move, or would."""
FOCUS = """() => {
  const shows = element => element && getComputedStyle(element).outlineStyle !== "none"
    && parseFloat(getComputedStyle(element).outlineWidth) >= 2;
  const focus = document.activeElement;
  const name = focus.tagName + " " + (focus.getAttribute("aria-label") ?? "")
    + focus.textContent.slice(0, 40) + focus.id;
  return [name, shows(focus) || shows(focus.closest(".q-field__control"))];
}"""
"""The name of what has the focus, and whether that can be seen."""
GLIDING = """() => document.getAnimations()
  .filter(one => one.transitionProperty === "color" && one.effect.target.closest(".page"))
  .map(one => one.effect.target.className)"""
"""What has a text whose colour is on its way to another."""
AT_REST = """() => document.getAnimations()
  .every(one => one.playState === "finished" || one.effect.getTiming().iterations === Infinity)"""
"""Whether nothing is on its way any more."""
WINDOWS = [(390, 844), (820, 1180), (1280, 800), (1920, 1080)]
OUTERMOST = [WINDOWS[0], WINDOWS[-1]]


def found_everywhere(page, state, windows=WINDOWS):
    """Return the barriers of a page in light and dark, in windows of several sizes."""
    page.mouse.move(
        1, 1
    )  # what is under the pointer is tinted, which axe-core takes for pale text
    found = dict[str, str]()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for gliding in page.evaluate(GLIDING):
            found[f"the text of {gliding} changes its colour slowly"] = f"{state}, {scheme}"
        for width, height in windows:
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_function(AT_REST)
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
    page.locator(".list .run").get_by_role("button", name="Open").first.click()
    page.wait_for_selector("h2:has-text('as recorded')")
    found += found_everywhere(page, "replay open")
    for mode in ("Wipe", "Difference", "Blend"):
        page.get_by_label("Compare", exact=True).click()
        page.get_by_role("option", name=mode).click()
        page.wait_for_selector(f".compare-{mode.lower()}")
        found += found_everywhere(page, mode, OUTERMOST)
    assert found == [], "\n".join(found)


def test_the_keyboard_alone_makes_a_goal_and_the_frame_speaks(program, open_page, photograph):
    page = open_page(program.address, reduced_motion="reduce")
    place = reset(page)
    page.reload()  # the focus is at the page's beginning
    page.wait_for_selector(".frame.click img[src^=data]")
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.evaluate(MOVING) == 0
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the frame"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.matches('.frame.click')")
    row = column = 32  # where the cursor begins
    for key, distance in (
        *steps("ArrowDown", "ArrowUp", int(place.row) - row),
        *steps("ArrowRight", "ArrowLeft", int(place.col) - column),
    ):
        page.keyboard.press(key)
        row += distance if key.endswith(("Up", "Down")) else 0
        column += distance if key.endswith(("Left", "Right")) else 0
        page.wait_for_selector(f".spoken:text-matches('row {row}, column {column}: ')")
    page.wait_for_selector(f".spoken:text-is('row {row}, column {column}: an object')")
    photograph(page, "spoken")
    page.keyboard.press("Enter")
    assert marked(page, "source") == (row, column)
    page.keyboard.press("Shift+ArrowLeft")
    page.wait_for_selector(f".spoken:text-is('row {row}, column {column - 8}: the table')")
    page.keyboard.press("Enter")
    assert marked(page, "target") == (row, column - 8)
    page.keyboard.press("Backspace")
    page.wait_for_selector(".mark.target", state="detached")
    page.keyboard.press("Escape")
    page.wait_for_selector(".cursor", state="detached")


def steps(more, less, distance):
    """Return keys, and how far each moves: eights with Shift, then ones."""
    key, sign = (more, 1) if distance > 0 else (less, -1)
    eights, ones = divmod(abs(distance), 8)
    return [(f"Shift+{key}", 8 * sign)] * eights + [(key, sign)] * ones


def test_the_focus_can_be_seen_wherever_it_is(program, open_page):
    """From the first control to the last, by Tab alone; and the tabs by the arrow keys."""
    page = open_page(program.address)
    make_goal(page)
    page.evaluate("document.activeElement.blur()")
    names, unseen = set(), []
    for _ in range(60):
        page.keyboard.press("Tab")
        name, is_seen = page.evaluate(FOCUS)
        if name in names:
            break
        names.add(name)
        if not is_seen:
            unseen.append(name)
    assert len(names) > 20
    assert unseen == [], unseen
    page.get_by_role("tab", name="Progress").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=tab][aria-selected=true]:has-text('Plans')")


def test_the_pointer_is_told_what_it_is_over(program, open_page):
    page = open_page(program.address)
    place = reset(page)
    box = page.locator(".frame.click").bounding_box()
    scale = box["width"] / SIDE
    page.mouse.move(
        box["x"] + (place.col + 0.5) * scale, box["y"] + (place.row + 0.5) * scale, steps=3
    )
    page.wait_for_selector(".place:has-text(': an object')")
    page.mouse.move(box["x"] + 5, box["y"] + 5, steps=3)
    page.wait_for_selector(".place:has-text('row 0, column 0: the table')")
    page.mouse.move(1, 1, steps=3)
    page.wait_for_selector(".place:text-is('')", state="attached")


def test_two_clicks_move_a_first_object(start, open_page, photograph):
    page = open_page(start("--env", "push", "--model", FLAGSHIP).address)
    ready(page)
    photograph(page, "first-minute")
    page.get_by_text("Legend", exact=True).click()
    photograph(page, "legend")
    page.get_by_text("Legend", exact=True).click()
    press(page, "Try an example")
    assert marked(page, "target") == (32, 36)
    ready(page)
    press(page, "Run")
    page.wait_for_selector(".status:has-text('left at most')")
    photograph(page, "first-run")
    page.get_by_role("tab", name="Runs").click()
    page.wait_for_selector(".list .run:has-text('reached')")
    photograph(page, "first-reached")
