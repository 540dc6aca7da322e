"""The page in a real browser with a model whose frames are not square, then with another model."""

import pytest

from tests.fakes.checkpoints import untrained
from tests.gui.program import Program

pytestmark = pytest.mark.slow
ROWS, COLUMNS = 48, 80
OTHER = "runs/other/checkpoint"
"""Where the page finds a model of another frame size."""


@pytest.fixture
def program(browser, tmp_path):
    model = untrained(tmp_path / "mine", (ROWS, COLUMNS))
    untrained(tmp_path / OTHER, (64, 64))
    program = Program(
        tmp_path / "out",
        "--env",
        "dot",
        "--model",
        str(model),
        "--preset",
        "fast",
        folder=tmp_path,
    )
    yield program
    program.stop()


def shape(page):
    """Return how many times wider than high the frame is drawn."""
    box = page.locator(".frame.click").bounding_box()
    return box["width"] / box["height"]


def click(page, row, col):
    frame = page.locator(".frame.click")
    box = frame.bounding_box()
    x = (col + 0.5) / COLUMNS * box["width"]
    y = (row + 0.5) / ROWS * box["height"]
    frame.click(position={"x": x, "y": y})


def test_frames_keep_their_shape_and_a_model_of_others_brings_its_own(
    program, open_page, photograph
):
    page = open_page(program.address)
    page.wait_for_selector(".status:not(.busy)")
    assert shape(page) == pytest.approx(COLUMNS / ROWS, rel=0.01)
    for number, (row, col) in enumerate([(0, 0), (ROWS - 1, COLUMNS - 1), (11, 64)]):
        click(page, row, col)
        click(page, row, col - 6 if col else 6)
        mark = page.locator(f".mark.source[data-pair='{number}']")
        mark.wait_for(state="attached")
        x = float(mark.get_attribute("cx")) / 1000 * COLUMNS - 0.5
        y = float(mark.get_attribute("cy")) / 600 * ROWS - 0.5
        assert (y, x) == pytest.approx((row, col), abs=0.01)
        assert_drawn_there(page, mark, row, col)
    photograph(page, "frames-48x80")

    page.get_by_label("Model").click()
    page.get_by_role("option", name=OTHER).click()
    page.wait_for_selector(".message:has-text('has frames of 64x64 pixels')")
    page.wait_for_function(
        "(frame => frame.clientWidth === frame.clientHeight)"
        "(document.querySelector('.frame.click'))"
    )
    assert shape(page) == pytest.approx(1, rel=0.01)
    page.wait_for_selector(".mark", state="detached")


def assert_drawn_there(page, mark, row, col):
    """The marker's middle on the screen is the middle of its pixel."""
    frame = page.locator(".frame.click").bounding_box()
    box = mark.evaluate(
        "mark => { const b = mark.getBoundingClientRect();"
        " return [b.x + b.width / 2, b.y + b.height / 2]; }"
    )
    x = (box[0] - frame["x"]) / frame["width"] * COLUMNS - 0.5
    y = (box[1] - frame["y"]) / frame["height"] * ROWS - 0.5
    assert (y, x) == pytest.approx((row, col), abs=0.2)
