"""Charts of curves over steps (Apache ECharts, which NiceGUI brings along)."""

import html
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nicegui import events, ui

from visual_foresight.gui.page.arguments import checked

Series = Mapping[str, Sequence[float]]
"""Name of a curve -> its values at steps 0, 1, 2, ..."""

# Colours of the style sheet, so that charts turn dark and light with the page.
INK = "var(--ink)"
SOFT = "var(--soft)"
EDGE = "var(--edge)"
CARD = "var(--card)"
LINES = ("var(--line-1)", "var(--line-2)", "var(--line-3)")
"""Colours of the curves, in their order."""
SMALL = {"color": SOFT, "fontSize": 11}
"""Style of the axes' texts."""
FONT = 'system-ui, "Segoe UI", Roboto, sans-serif'
CLICK_JS = Path(__file__).with_name("charts.js").read_text(encoding="utf-8")
NO_MARKS = str.maketrans({"{": "(", "}": ")", "|": "/"})
DIGITS = 3
"""Significant digits of the values that are drawn and written."""


class Chart:
    """A chart in the page.

    It is drawn as SVG, since only that knows the colours of the style sheet, and without
    animation, which would take time from a search on the same machine.

    Args:
        title: what is shown.
        unit: of the values.
        names: of the curves, in the order of their colours.
        on_step: called with the step that is clicked; None: a click does nothing.
        first_step: the step of the first value.
    """

    def __init__(
        self,
        title: str,
        unit: str,
        names: Sequence[str],
        on_step: Callable[[int], None] | None = None,
        first_step: int = 0,
    ) -> None:
        self._title = title
        self._unit = unit
        self._first_step = first_step
        self._num_steps = 0
        nothing: Series = dict.fromkeys(names, ())
        self._element = ui.echart(chart_options(title, unit, nothing), renderer="svg")
        self._element.classes("chart")
        if on_step is not None:
            self._on_step = on_step
            self._element.classes("clickable")
            script = CLICK_JS.replace("ELEMENT_ID", str(self._element.id))
            on_click = checked(self._on_click, float)
            self._element.on("click", on_click, js_handler=script)

    def draw(
        self,
        series: Series,
        marked_step: int | None = None,
        unit: str | None = None,
        level: float | None = None,
    ) -> None:
        """Show curves, and another unit than the usual one.

        Args:
            series: the curves, each over its own steps.
            marked_step: where a dashed vertical line is drawn.
            unit: of the values, if not the usual one.
            level: the value at which a dashed horizontal line is drawn.
        """
        unit = self._unit if unit is None else unit
        self._num_steps = _num_steps(series)
        options = chart_options(self._title, unit, series, marked_step, level, self._first_step)
        self._element.options.update(options)
        self._element.update()

    def _on_click(self, event: events.GenericEventArguments) -> None:
        index = round(float(event.args))
        if 0 <= index < self._num_steps:
            self._on_step(self._first_step + index)


def _num_steps(series: Series) -> int:
    return max(len(values) for values in series.values())


def chart_options(
    title: str,
    unit: str,
    series: Series,
    marked_step: int | None = None,
    level: float | None = None,
    first_step: int = 0,
) -> dict[str, Any]:
    """Return the options of a chart, as ECharts documents them.

    Args:
        title: what is shown.
        unit: of the values.
        series: the curves, each over its own steps.
        marked_step: where a dashed vertical line is drawn.
        level: the value at which a dashed horizontal line is drawn, which is always in sight.
        first_step: the step of the first value.
    """
    num_steps = _num_steps(series)
    lines = [
        {"id": f"curve-{colour}", **_line(name, values, unit, colour)}
        for colour, (name, values) in zip(LINES, series.items(), strict=False)
    ]
    marked = None if marked_step is None else marked_step - first_step
    lines[0]["markLine"] = _mark(marked, level, unit)
    axis = {
        "show": num_steps > 0,
        "nameTextStyle": SMALL,
        "axisLabel": SMALL,
        "axisLine": {"show": True, "lineStyle": {"color": EDGE}},
        "axisTick": {"show": False},
    }
    step_axis = {
        "type": "category",
        "data": list(range(first_step, first_step + max(num_steps, 2))),
        "boundaryGap": False,
    }
    value_axis: dict[str, Any] = {
        "type": "value",
        "min": 0,
        "max": None,
        "name": unit,
        "splitNumber": 3,
        "splitLine": {"lineStyle": {"color": EDGE}},
    }
    highest = max((value for values in series.values() for value in values), default=0)
    if level is not None and highest <= level:
        value_axis["max"] = 1.2 * level
    return {
        "animation": False,
        "textStyle": {"fontFamily": FONT},
        "title": _title(title, "" if num_steps else "nothing yet"),
        "legend": _legend(is_shown=num_steps > 0),
        "grid": {"left": 44, "right": 14, "top": 50, "bottom": 30 + 16 * len(series)},
        "tooltip": _tooltip(unit, series),
        "xAxis": {**axis, **step_axis},
        "yAxis": {**axis, **value_axis},
        "series": lines,
    }


def _title(text: str, subtext: str) -> dict[str, Any]:
    return {
        "text": text,
        "subtext": subtext,
        "left": 0,
        "top": 0,
        "padding": [4, 0, 0, 0],
        "textStyle": {"color": INK, "fontSize": 12.5, "fontWeight": 600},
        "subtextStyle": {"color": SOFT, "fontSize": 12},
    }


def _legend(is_shown: bool) -> dict[str, Any]:
    """Return the legend; the style `newest` is for the values in the curves' names."""
    newest = {"color": INK, "fontSize": 12, "fontWeight": 600}
    return {
        "show": is_shown,
        "left": 0,
        "bottom": 0,
        "padding": [0, 0, 4, 0],
        "itemGap": 12,
        "itemWidth": 10,
        "itemHeight": 3,
        "icon": "rect",
        "selectedMode": False,
        "textStyle": {"color": SOFT, "fontSize": 12, "rich": {"newest": newest}},
    }


def _line(name: str, values: Sequence[float], unit: str, colour: str) -> dict[str, Any]:
    """Return one curve; its name, which the legend shows, says its newest value."""
    rounded = [float(f"{value:.{DIGITS}g}") for value in values]
    newest = f" {{newest|{rounded[-1]:g}}} {unit}" if rounded else ""
    return {
        "type": "line",
        "name": _plain(name) + newest,
        "data": rounded,
        "symbol": "circle",
        "symbolSize": 4,
        "itemStyle": {"color": colour},
        "lineStyle": {"color": colour, "width": 1.6},
        "emphasis": {"disabled": True},
    }


def _plain(name: str) -> str:
    """Return a name without what the charts' texts take for marks: somebody has typed it."""
    return html.escape(name.translate(NO_MARKS))


def _mark(index: int | None, level: float | None, unit: str) -> dict[str, Any]:
    """Return a dashed vertical line at a value's index, and a horizontal one at a level."""
    lines: list[dict[str, Any]] = []
    if index is not None:
        lines.append({"xAxis": index})
    if level is not None:
        text = {"show": True, "formatter": f"{level:g} {unit}", "color": SOFT, "fontSize": 11}
        lines.append({"yAxis": level, "label": {**text, "position": "insideEndTop"}})
    return {
        "symbol": "none",
        "silent": True,
        "label": {"show": False},
        "lineStyle": {"color": SOFT, "type": "dashed", "width": 1},
        "data": lines,
    }


def _tooltip(unit: str, series: Series) -> dict[str, Any]:
    """Return the tooltip; in its text `{b0}` is the step, `{c0}` the first curve's value."""
    names = [name for name, values in series.items() if len(values)]
    lines = [f"{_plain(name)} <b>{{c{number}}}</b> {unit}" for number, name in enumerate(names)]
    return {
        "trigger": "axis",
        "formatter": "<br>".join(["step {b0}", *lines]),
        "transitionDuration": 0,
        "backgroundColor": CARD,
        "borderColor": EDGE,
        "textStyle": {"color": INK, "fontSize": 12},
        "axisPointer": {"lineStyle": {"color": SOFT}},
    }
