"""Charts of curves over steps (Apache ECharts, which NiceGUI brings along)."""

from collections.abc import Mapping, Sequence
from typing import Any

from nicegui import ui

Series = Mapping[str, Sequence[float]]
"""Name of a curve -> its values at steps 0, 1, 2, ..."""

INK, SOFT, EDGE = "var(--ink)", "var(--soft)", "var(--edge)"
"""Colours of the style sheet, so that charts turn dark and light with the page."""
LINES = ("var(--line-1)", "var(--line-2)", "var(--line-3)")
"""Colours of the curves, in their order."""
FONT = 'system-ui, "Segoe UI", Roboto, sans-serif'
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
    """

    def __init__(self, title: str, unit: str, names: Sequence[str]) -> None:
        self._title = title
        self._unit = unit
        nothing: Series = dict.fromkeys(names, ())
        self._element = ui.echart(chart_options(title, unit, nothing), renderer="svg")
        self._element.classes("chart")

    def draw(
        self, series: Series, marked_step: int | None = None, unit: str | None = None
    ) -> None:
        """Show curves, a line at a step, and another unit than the usual one."""
        unit = self._unit if unit is None else unit
        options = chart_options(self._title, unit, series, marked_step)
        self._element.options.update(options)
        self._element.update()


def chart_options(
    title: str, unit: str, series: Series, marked_step: int | None = None
) -> dict[str, Any]:
    """Return the options of a chart, as ECharts documents them.

    Args:
        title: what is shown.
        unit: of the values.
        series: the curves; empty ones are named in the legend, but not drawn.
        marked_step: where a dashed vertical line is drawn.
    """
    num_steps = max(len(values) for values in series.values())
    small = {"color": SOFT, "fontSize": 11}
    axis = {
        "type": "value",
        "min": 0,
        "axisLabel": small,
        "axisLine": {"show": True, "lineStyle": {"color": EDGE}},
        "axisTick": {"show": False},
        "nameTextStyle": small,
    }
    return {
        "animation": False,
        "textStyle": {"fontFamily": FONT},
        "title": {
            "text": title,
            "subtext": "" if num_steps else "nothing yet",
            "left": 0,
            "top": 0,
            "padding": 0,
            "textStyle": {"color": INK, "fontSize": 12.5, "fontWeight": 600},
            "subtextStyle": {"color": SOFT, "fontSize": 12},
        },
        "legend": {
            "show": num_steps > 0,
            "left": 0,
            "bottom": 0,
            "padding": 0,
            "itemWidth": 10,
            "itemHeight": 3,
            "icon": "rect",
            "selectedMode": False,
            "textStyle": {"color": SOFT, "fontSize": 12},
        },
        "grid": {"left": 44, "right": 72, "top": 44, "bottom": 42},
        "tooltip": {
            "trigger": "axis",
            "transitionDuration": 0,
            "backgroundColor": "var(--card)",
            "borderColor": EDGE,
            "textStyle": {"color": INK, "fontSize": 12},
            "axisPointer": {
                "label": {"formatter": "step {value}"},
                "lineStyle": {"color": SOFT},
            },
        },
        "xAxis": {
            **axis,
            "show": num_steps > 0,
            "max": max(num_steps - 1, 1),
            "minInterval": 1,
            "splitLine": {"show": False},
        },
        "yAxis": {
            **axis,
            "show": num_steps > 0,
            "name": unit,
            "splitNumber": 3,
            "splitLine": {"lineStyle": {"color": EDGE}},
        },
        "series": [
            _line(name, values, unit, colour, marked_step if number == 0 else None)
            for number, (colour, (name, values)) in enumerate(
                zip(LINES, series.items(), strict=False)
            )
        ],
    }


def _line(
    name: str, values: Sequence[float], unit: str, colour: str, marked_step: int | None
) -> dict[str, Any]:
    """Return one curve, its newest value written at its end."""
    points = [[step, float(f"{value:.{DIGITS}g}")] for step, value in enumerate(values)]
    marks = [] if marked_step is None else [{"xAxis": marked_step}]
    return {
        "type": "line",
        "name": name,
        "data": points,
        "symbol": "circle",
        "symbolSize": 4,
        "itemStyle": {"color": colour},
        "lineStyle": {"color": colour, "width": 1.6},
        "emphasis": {"disabled": True},
        "endLabel": {
            "show": bool(points),
            "formatter": f"{{@[1]}} {unit}",
            "color": INK,
            "fontSize": 12,
        },
        "labelLayout": {"moveOverlap": "shiftY"},
        "markLine": {
            "symbol": "none",
            "silent": True,
            "label": {"show": False},
            "lineStyle": {"color": SOFT, "type": "dashed", "width": 1},
            "data": marks,
        },
    }
