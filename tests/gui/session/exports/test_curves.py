"""Charts: values are where the axes say, whatever they are, and names cannot break out."""

import math
from xml.etree import ElementTree

import pytest

from visual_foresight.gui.session.exports.curves import NUM_COLOURS, chart, nice_tick


def drawn(svg):
    """Return the points of each curve, and all texts."""
    root = ElementTree.fromstring(svg)
    curves = [
        [tuple(map(float, pair.split(","))) for pair in line.get("points", "").split()]
        for line in root.iter("polyline")
    ]
    return curves, ["".join(text.itertext()) for text in root.iter("text")]


@pytest.mark.parametrize(
    ("top", "tick"), [(10, 5), (4, 1), (0.3, 0.1), (7, 2), (1000, 500), (0, 1), (2e-5, 5e-6)]
)
def test_ticks_are_numbers_that_people_count_in(top, tick):
    assert nice_tick(top) == pytest.approx(tick)
    if top:
        assert 1 < top / nice_tick(top) <= 4.001


def test_values_are_where_the_axes_say():
    curves, texts = drawn(chart("Distance", "cm", {"one": (10.0, 5.0, 0.0)}))
    ((left, top), (middle, half), (right, bottom)) = curves[0]
    assert middle == pytest.approx((left + right) / 2, abs=0.1)
    assert half == pytest.approx((top + bottom) / 2, abs=0.1)
    assert texts[0] == "Distance, cm" and {"0", "5", "10", "1", "2"} <= set(texts)


def test_curves_of_other_lengths_share_the_axes():
    curves, texts = drawn(
        chart("d", "", {"long": [1.0] * 5, "short": [1.0] * 3}, has_legend=True)
    )
    assert curves[0][:3] == curves[1][:3], "the same steps and values"
    assert "long: 1 at the end" in texts and "short: 1 at the end" in texts


@pytest.mark.parametrize(
    "values", [(0.0,), (0.0, 0.0), (1e-9, 2e-9), (1e12, 0.0), (math.nan, 1.0), (1.0,) * 201]
)
def test_any_values_are_drawn_within_the_picture(values):
    svg = chart("d", "s", {"one": values})
    curves, _ = drawn(svg)
    width, height = map(float, ElementTree.fromstring(svg).get("viewBox", "").split()[2:])
    for x, y in curves[0]:
        assert 0 <= x <= width and 0 <= y <= height


def test_no_values_are_no_chart_and_names_are_escaped():
    assert chart("d", "s", {"one": ()}) == ""
    name = '"><script>alert(1)</script>'
    svg = chart(name, name, {name: (1.0, 2.0)}, (1.0, name), has_legend=True)
    assert "<script" not in svg and ElementTree.fromstring(svg) is not None


def test_as_many_curves_as_there_are_colours_differ_without_colour():
    curves = {str(number): (1.0, 2.0) for number in range(NUM_COLOURS)}
    root = ElementTree.fromstring(chart("d", "", curves))
    dashes = {line.get("stroke-dasharray") for line in root.iter("polyline")}
    assert len(dashes) == NUM_COLOURS
