"""The options of a chart, as ECharts reads them."""

from visual_foresight.gui.page.charts import chart_options


def test_curves_begin_at_step_0_and_say_their_newest_value_and_unit():
    options = chart_options("Error", "px", {"a": [1.0, 2.34567], "b": [0.5]})
    first, second = options["series"]
    assert first["name"] == "a {newest|2.35} px" and first["data"] == [1.0, 2.35]
    assert second["name"] == "b {newest|0.5} px" and second["data"] == [0.5]
    assert options["title"] == {**options["title"], "text": "Error", "subtext": ""}
    assert options["xAxis"]["data"] == [0, 1]


def test_a_step_is_marked_once():
    options = chart_options("Error", "px", {"a": [1.0, 2.0], "b": [3.0]}, marked_step=1)
    marks = [line.get("markLine", {}).get("data") for line in options["series"]]
    assert marks == [[{"xAxis": 1}], None]


def test_a_value_is_marked_and_always_in_sight():
    near = chart_options("Distance", "cm", {"a": [3.0, 2.0]}, marked_step=1, level=5.0)
    step, level = near["series"][0]["markLine"]["data"]
    assert step == {"xAxis": 1} and level["yAxis"] == 5.0
    assert level["label"]["formatter"] == "5 cm"
    assert near["yAxis"]["max"] == 6.0
    far = chart_options("Distance", "cm", {"a": [30.0, 2.0]}, level=5.0)
    assert far["yAxis"]["max"] is None


def test_what_begins_one_step_ahead_says_so():
    options = chart_options("Lost", "", {"a": [1.0, 2.0, 3.0]}, marked_step=2, first_step=1)
    assert options["xAxis"]["data"] == [1, 2, 3]
    assert options["series"][0]["markLine"]["data"] == [{"xAxis": 1}], "by its index"


def test_curves_that_change_their_names_take_the_place_of_the_old_ones():
    ids = [
        [line["id"] for line in chart_options("Error", "px", {name: [1.0]})["series"]]
        for name in ("true", "believed by the locator")
    ]
    assert ids[0] == ids[1]


def test_without_values_the_chart_says_so_and_hides_its_axes():
    options = chart_options("Error", "px", {"a": []})
    assert options["title"]["subtext"] == "nothing yet"
    assert not options["xAxis"]["show"] and not options["yAxis"]["show"]


def test_nothing_moves_since_that_would_take_time_from_a_search():
    assert chart_options("Error", "px", {"a": [1.0]})["animation"] is False
