"""Charts of curves over steps as SVG, which take their colours from where they are shown.

They need no program and nothing else to be drawn: `--line-1` to `--line-6`, `--ink`, `--soft` and
`--edge` are the style sheet's.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 480, 230
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 34, 34
NUM_COLOURS = 6
"""More curves than that cannot be told from one another."""
DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 3", "10 4")
"""Of the curves, so that they differ without colours, too."""
MOST_POINTS = 60
"""A curve of more values is drawn without points."""
LEGEND_HEIGHT = 18
"""Of a line of the legend."""


@dataclass(frozen=True)
class Axes:
    """Where values are drawn."""

    last_step: int
    top_value: float

    def x(self, step: float) -> float:
        """Return where a step is."""
        return round(LEFT + (WIDTH - LEFT - RIGHT) * step / max(self.last_step, 1), 1)

    def y(self, value: float) -> float:
        """Return where a value is."""
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self.top_value, 1)


def chart(
    title: str,
    unit: str,
    curves: Mapping[str, Sequence[float]],
    level: tuple[float, str] | None = None,
    has_legend: bool = False,
) -> str:
    """Draw curves.

    Args:
        title: what is shown.
        unit: of the values.
        curves: name -> values of 0 or more at steps 0, 1, 2, ...; `NUM_COLOURS` at most.
        level: a value at which a line is drawn, and what it means.
        has_legend: whether the curves' names stand below them.

    Returns:
        The element; nothing if there are no values.
    """
    assert len(curves) <= NUM_COLOURS, len(curves)
    values = [value for each in curves.values() for value in each]
    if not values:
        return ""
    drawn = [value for value in values if math.isfinite(value)]
    tick = nice_tick(max(drawn, default=1.0))
    axes = Axes(
        last_step=max(len(each) for each in curves.values()) - 1,
        top_value=tick * max(math.ceil(max(drawn, default=1.0) / tick), 1),
    )
    names = _legend(curves) if has_legend else ""
    height = HEIGHT + LEGEND_HEIGHT * len(curves) * has_legend
    lines = [
        _curve(number, name, each, unit, axes)
        for number, (name, each) in enumerate(curves.items())
    ]
    head = f"{title}, {unit}" if unit else title
    return (
        f'<svg class="curves" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(_spoken(head, curves))}">'
        f'<text class="title" x="0" y="14">{escape(head)}</text>'
        f"{_grid(axes, tick)}{_level(level, axes)}{''.join(lines)}{names}</svg>"
    )


def nice_tick(top: float) -> float:
    """Return 1, 2 or 5 times a power of ten, of which four at most go into the top."""
    if top <= 0:
        return 1.0
    rough = top / 4
    power = 10.0 ** math.floor(math.log10(rough))
    share = rough / power
    return power * next(nice for nice in (1, 2, 5, 10) if share <= nice * 1.0001)


def _spoken(head: str, curves: Mapping[str, Sequence[float]]) -> str:
    """Return what a chart says to those who do not see it."""
    parts = [
        f"{name} from {each[0]:.3g} to {each[-1]:.3g} in {len(each) - 1} steps"
        for name, each in curves.items()
        if len(each)
    ]
    return f"{head}: {'; '.join(parts)}"


def _grid(axes: Axes, tick: float) -> str:
    right = WIDTH - RIGHT
    parts = []
    for number in range(round(axes.top_value / tick) + 1):
        value = number * tick
        y = axes.y(value)
        parts.append(f'<path class="grid" d="M{LEFT} {y} H{right}"/>')
        parts.append(f'<text class="end" x="{LEFT - 6}" y="{y + 4}">{value:.4g}</text>')
    every = max(math.ceil(nice_tick(axes.last_step)), 1)
    for step in range(0, axes.last_step + 1, every):
        place = f'x="{axes.x(step)}" y="{HEIGHT - BOTTOM + 16}"'
        parts.append(f'<text class="middle" {place}>{step}</text>')
    parts.append(f'<text class="end" x="{right}" y="{HEIGHT - 4}">step</text>')
    return "".join(parts)


def _level(level: tuple[float, str] | None, axes: Axes) -> str:
    if level is None or not 0 <= level[0] <= axes.top_value:
        return ""
    y = axes.y(level[0])
    right = WIDTH - RIGHT
    return (
        f'<path class="level" d="M{LEFT} {y} H{right}"/>'
        f'<text class="end" x="{right}" y="{y - 4}">{escape(level[1])}</text>'
    )


def _curve(number: int, name: str, values: Sequence[float], unit: str, axes: Axes) -> str:
    places = [
        (step, value, axes.x(step), axes.y(value))
        for step, value in enumerate(values)
        if math.isfinite(value)
    ]
    line = " ".join(f"{x},{y}" for _, _, x, y in places)
    colour = f"--line: var(--line-{number + 1})"
    parts = [f'<polyline points="{line}" stroke-dasharray="{DASHES[number]}"/>']
    if len(places) <= MOST_POINTS:
        parts += [
            f'<circle cx="{x}" cy="{y}" r="3"><title>{escape(name)}, step {step}: '
            f"{value:.3g} {escape(unit)}</title></circle>"
            for step, value, x, y in places
        ]
    return f'<g class="curve" style="{colour}">{"".join(parts)}</g>'


def _legend(curves: Mapping[str, Sequence[float]]) -> str:
    parts = []
    for number, (name, values) in enumerate(curves.items()):
        y = HEIGHT + LEGEND_HEIGHT * number + 10
        newest = f": {values[-1]:.3g} at the end" if len(values) else ""
        parts.append(
            f'<g class="curve" style="--line: var(--line-{number + 1})">'
            f'<polyline points="{LEFT},{y} {LEFT + 26},{y}" '
            f'stroke-dasharray="{DASHES[number]}"/></g>'
            f'<text x="{LEFT + 34}" y="{y + 4}">{escape(name)}{newest}</text>'
        )
    return "".join(parts)
