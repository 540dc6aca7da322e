"""The gallery in a browser: runs are found, noted, compared, exported and deleted; looked on at."""

import json
from pathlib import Path

import pytest

from tests.gui.accessibility import barriers
from tests.gui.page.test_page import make_goal, press, ready
from visual_foresight.gui.session.view_only import REFUSAL

pytestmark = pytest.mark.slow
NO_BACKDROP = ".q-dialog__backdrop { display: none; }"
"""It lies behind windows, where axe-core takes it for the ground that their texts stand on."""
NOTE = "<img src=x onerror=alert(1)> the first one"


def run_twice(page):
    page.get_by_label("Steps per run").fill("2")
    make_goal(page)
    press(page, "Run")
    page.wait_for_selector(".verdict:visible")
    ready(page)
    page.get_by_role("tab", name="Runs").click()
    page.wait_for_selector(".list .run")
    press(page, "Again")
    page.wait_for_selector(".list .run >> nth=1")
    ready(page)


def write_a_note(page):
    page.get_by_role("button", name="Note dot-000000").click()
    page.get_by_label("Note", exact=True).fill(NOTE)
    press(page, "Save")
    page.get_by_text(NOTE).wait_for()
    page.wait_for_selector(".window", state="detached")


def find(page):
    """Words find runs by what is written about them; nothing else is listed."""
    field = page.get_by_label("Find")
    field.fill("the FIRST dot")
    page.get_by_text("1 run", exact=True).wait_for()
    assert page.locator(".run-name").all_inner_texts() == ["dot-000000"]
    field.fill("no such words")
    page.get_by_text("No run has all of these words").wait_for()
    field.fill("")
    page.get_by_text("2 runs", exact=True).wait_for()
    assert page.locator(".run-name").all_inner_texts() == ["dot-000001", "dot-000000"]


def compare(page, photograph):
    for number in (1, 0):
        page.get_by_role("checkbox", name=f"Compare dot-00000{number}").click()
    press(page, "Compare 2")
    page.wait_for_selector(".comparison table")
    rows = page.locator(".comparison tbody th").all_inner_texts()
    assert [row.strip() for row in rows] == ["dot-000001", "dot-000000"]
    assert page.locator(".comparison-charts svg .curve circle").count() == 6
    photograph(page, "gallery-comparison")
    assert barriers(page, ".window") == []
    page.keyboard.press("Escape")
    page.wait_for_selector(".window", state="detached")


def save_exports(page, folder):
    """Save the report and the figures, and return the report's file."""
    page.get_by_role("button", name="Export dot-000000").click()
    for kind in ("Report", "Figures"):
        with page.expect_download() as download:
            page.get_by_role("link", name=kind).click()
        download.value.save_as(folder / download.value.suggested_filename)
    page.get_by_text("Saved dot-000000.json").wait_for()
    assert barriers(page, ".window") == []
    press(page, "Close")
    page.wait_for_selector(".window", state="detached")
    assert json.loads((folder / "dot-000000.json").read_text())["note"] == NOTE
    return folder / "dot-000000.html"


def look_at_report(browser, path: Path, photograph):
    """Open a report without a network, in light and dark, wide and narrow, and on paper."""
    for scheme, width in (("light", 1280), ("dark", 390)):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True
        )
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.goto(path.as_uri())
        assert page.get_by_text(NOTE).is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
        assert barriers(page) == []
        photograph(page, f"report-{scheme}")
        context.close()


def delete(page, out):
    """Deleting asks first."""
    page.get_by_role("button", name="Delete dot-000000").click()
    press(page, "Keep")
    page.wait_for_selector(".window", state="detached")
    assert (out / "dot" / "episode_000000.hdf5").exists()
    page.get_by_role("button", name="Delete dot-000000").click()
    press(page, "Delete")
    page.get_by_text("Deleted dot-000000").wait_for()
    page.get_by_text("1 run", exact=True).wait_for()
    assert not (out / "dot" / "episode_000000.hdf5").exists()
    assert (out / "dot" / "episode_000001.hdf5").exists()


def test_runs_are_found_noted_compared_exported_and_deleted(
    start, open_page, browser, photograph, tmp_path
):
    program = start()
    page = open_page(program.address, accept_downloads=True)
    page.add_style_tag(content=NO_BACKDROP)
    run_twice(page)
    write_a_note(page)
    find(page)
    page.wait_for_function(
        "[...document.querySelectorAll('.run-picture img')].every(img => img.naturalWidth > 0)"
    )
    photograph(page, "gallery")
    compare(page, photograph)
    look_at_report(browser, save_exports(page, tmp_path), photograph)

    looking = open_page(f"{program.address}?role=view", accept_downloads=True)
    looking.add_style_tag(content=NO_BACKDROP)
    looking.get_by_role("tab", name="Runs").click()
    looking.get_by_text(NOTE).wait_for()
    for name in ("Note", "Delete"):
        assert not looking.locator(f".run button:has-text('{name}')").first.is_visible()
    save_exports(looking, tmp_path)
    photograph(looking, "gallery-looking-on")
    looking.locator(".run-picture").first.dispatch_event("click")
    looking.wait_for_selector(f".message:has-text('{REFUSAL}')")

    page.get_by_role("button", name="Export dot-000000").click()
    looking.get_by_role("button", name="Export dot-000000").click()
    press(page, "Close")
    page.wait_for_selector(".window", state="detached")
    delete(page, program.out)
    looking.get_by_role("link", name="Report").click()
    looking.get_by_text("there is no run 'dot-000000'").wait_for()
    photograph(looking, "gallery-export-refused")
