"""What lies over the frames is drawn where it belongs, in its own colour."""

import base64
import re

import cv2
import numpy as np
import pytest
import torch

from visual_foresight.env_info import View
from visual_foresight.evaluation.prediction.doubt import DoubtFindings
from visual_foresight.gui.page.layers import shapes
from visual_foresight.gui.page.layers.asked_shapes import answer_shapes
from visual_foresight.gui.page.layers.choices import LAYERS, USUAL, read, written
from visual_foresight.gui.page.layers.colours import channels, colour_of
from visual_foresight.gui.page.layers.doubt_sign import doubt_of
from visual_foresight.gui.page.layers.intent import intent_shapes
from visual_foresight.gui.page.layers.pixel_shapes import expected_paths, pixel_shapes
from visual_foresight.gui.page.layers.tint import tinted
from visual_foresight.gui.session.layers.answers import Flow, NoAnswer, Things
from visual_foresight.types import Pixel, Plan, Prediction, Workspace
from visual_foresight.vision.arm_path import ArmView
from visual_foresight.vision.pixel_maps import splat

SIZE = (40, 56)
PLACES = (Pixel(11.0, 21.0), Pixel(30.0, 8.0))
ON = {layer.name for layer in LAYERS}
MILLIMETRES = ((0.001, 0.0, 0.0), (0.0, 0.001, 0.0), (0.0, 0.0, 1.0))
ARM = ArmView(
    View(SIZE, MILLIMETRES), Workspace((0.0, 0.0), (0.04, 0.056), step=(0.004, 0.004))
)


def plan(num_steps=3):
    """A plan along which both pixels go down by two pixels a step."""
    moved = [
        splat(tuple(Pixel(at.row + 2 * step, at.col) for at in PLACES), (20, 28), SIZE)
        for step in range(1, num_steps + 1)
    ]
    maps = torch.stack(moved)[None]
    imagined = Prediction(
        torch.zeros(1, 0, 3, *SIZE), maps, torch.zeros(1, num_steps, 2), None, SIZE
    )
    down = torch.tensor([1.0, 0.0]).expand(num_steps, 2)
    return Plan(
        actions=down,
        sources=PLACES,
        prediction=imagined,
        costs=(),
        seconds=0.0,
        runners_up=torch.stack([-down, 0 * down]),
        elites=torch.stack([down, 0 * down, -down]),
    )


def points(path):
    """Return the places (row, col) of an SVG path."""
    numbers = re.findall(r"(-?[\d.]+) (-?[\d.]+)", path)
    return np.array([(float(row), float(col)) for col, row in numbers])


def drawn(shapes, kind):
    """Return the paths of a class, without the darker ones beneath."""
    return re.findall(rf'<path class="{kind}" d="([^"]+)"', "".join(shapes))


def test_heat_has_the_pixels_own_colour_and_is_strongest_where_the_map_is():
    pixel_map = np.zeros((4, 6), np.float32)
    pixel_map[1, 4], pixel_map[2, 2] = 0.8, 0.2
    svg = shapes.heat(pixel_map, "#ff9f1c", SIZE)
    (encoded,) = re.findall(r'base64,([^"]+)', svg)
    data = np.frombuffer(base64.b64decode(encoded), np.uint8)
    picture = np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED))
    assert picture.shape == (4, 6, 4)
    assert (picture[..., :3] == (0x1C, 0x9F, 0xFF)).all()
    alpha = picture[..., 3]
    assert alpha[1, 4] == alpha.max() > alpha[2, 2] > 0
    assert (alpha > 0).sum() == 2
    assert 'width="56" height="40"' in svg


def test_small_pictures_are_tinted_in_the_same_colours():
    frame = np.full((6, 8, 3), 100, np.uint8)
    maps = np.zeros((2, 6, 8), np.float32)
    maps[0, 1, 2] = maps[1, 4, 6] = 1
    picture = tinted(frame, maps, scale=1)
    for number, place in enumerate([(1, 2), (4, 6)]):
        colour = np.array(channels(colour_of(number)))
        assert picture[place] == pytest.approx(0.85 * colour + 0.15 * 100, abs=1)
    assert (picture[0, 0] == 100).all()


def test_maps_regions_and_paths_are_those_of_each_pixel():
    svg = "".join(pixel_shapes(plan(), 2, 0, ON))
    assert svg.count("<image") == 2
    for number in range(2):
        assert colour_of(number) in svg
    half = [points(path) for path in drawn([svg], "region half")]
    for place, region in zip(PLACES, half, strict=True):
        (top, left), (bottom, right) = region.min(0), region.max(0)
        assert top <= place.row + 4 <= bottom and left <= place.col <= right
    paths = expected_paths(plan())
    assert paths == pytest.approx(
        np.array([[(at.row + 2 * step, at.col) for step in range(4)] for at in PLACES]),
        abs=1e-3,
    )


def test_switched_off_layers_are_not_drawn():
    assert pixel_shapes(plan(), 2, 0, set()) == []
    assert intent_shapes(ARM, np.array([0.02, 0.03]), plan(), 0, 0, set()) == []
    assert "<image" not in "".join(pixel_shapes(plan(), 0, 0, ON)), "nothing is expected yet"


def test_the_arms_way_begins_at_the_arm_and_the_next_action_is_an_arrow():
    state = np.array([0.02, 0.03])
    drawing = intent_shapes(ARM, state, plan(), 1, 0, ON)
    (way,) = drawn(drawing, "arm")
    assert points(way) == pytest.approx(np.array([[20, 30], [24, 30], [28, 30], [32, 30]]))
    (arrow,) = drawn(drawing, "next")
    assert points(arrow)[:2] == pytest.approx(np.array([[24, 30], [28, 30]]))
    others = [points(path)[-1] for path in drawn(drawing, "other-plan")]
    assert others == [pytest.approx((8, 30)), pytest.approx((20, 30))]
    radii = [
        float(r) for r in re.findall(r'class="elites"[^>]*rx="([\d.]+)"', "".join(drawing))
    ]
    assert radii == pytest.approx([np.sqrt(32 / 3) * step for step in (1, 2, 3)], abs=0.01)


def test_without_a_calibration_no_way_of_the_arm_is_drawn():
    blind = ArmView(View(SIZE), ARM.limits)
    assert intent_shapes(blind, np.array([0.02, 0.03]), plan(), 0, 0, ON) == []


def test_flow_shows_what_moves_and_things_have_outlines():
    start = np.array([[5.0, 5.0], [20.0, 20.0]])
    flow = Flow(np.stack([start, start + [[0, 3], [0, 0.2]], start + [[0, 6], [0, 0.2]]]))
    (arrow,) = drawn(answer_shapes(flow, 1, SIZE), "flow")
    assert points(arrow)[:2] == pytest.approx(np.array([[5, 5], [5, 8]]))
    (arrow,) = drawn(answer_shapes(flow, 0, SIZE), "flow")
    assert points(arrow)[1] == pytest.approx((5, 11)), "to the end of the plan"
    masks = np.zeros((2, 3, *SIZE), bool)
    masks[0, 0, 4:6, 7:10] = True
    (outline,) = drawn(answer_shapes(Things(masks), 0, SIZE), "thing")
    assert points(outline).min(0) == pytest.approx((3.5, 6.5))
    assert points(outline).max(0) == pytest.approx((5.5, 9.5))
    assert not drawn(answer_shapes(Things(masks), 1, SIZE), "thing")
    assert answer_shapes(NoAnswer("it cannot"), 0, SIZE) == []


def test_a_browser_gives_back_what_it_kept_and_nothing_else():
    for on in (USUAL, frozenset(), frozenset({"flow", "maps"})):
        assert read(written(on)) == on
    assert read(None) == USUAL
    assert read("maps,<script>") == {"maps"}


def said(findings):
    doubt = doubt_of(plan(), 1, 0, findings)
    assert doubt is not None
    return doubt


def test_doubt_is_a_warning_only_where_it_was_found_to_tell_of_errors():
    assert doubt_of(plan(), 0, 0, None) is None, "nothing is expected yet"
    found = DoubtFindings("width", 0.5, 0.4, 0.6, 0.5, 2.0, 7.0, 100, 10, "sample")
    warning = said(found)
    assert warning.is_warning and "does not know here" in warning.text
    assert "7.0 px" in warning.hint and "100 points" in warning.hint
    sure = said(DoubtFindings("width", 0.5, 0.4, 0.6, 9.0, 2, 7, 100, 10, ""))
    assert not sure.is_warning and sure.text.startswith("doubt ±")
    useless = said(DoubtFindings("width", 0, -0.1, 0.1, 0.5, 2, 2, 9, 10, ""))
    assert not useless.is_warning and "no sign of doubt" in useless.text
    unmeasured = said(None)
    assert not unmeasured.is_warning and "scripts/measure_doubt" in unmeasured.hint
