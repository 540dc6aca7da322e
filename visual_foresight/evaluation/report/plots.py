"""Plots of figures over the imagined steps, as SVG that takes its colours from the page."""

import io
import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from visual_foresight.evaluation.prediction.aggregate import figure
from visual_foresight.system.environment import without

IS_FIRST = "matplotlib" not in sys.modules
with without(
    "MPLBACKEND"
):  # a notebook sets its own for its children, too, and they may lack it
    import matplotlib as mpl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

if IS_FIRST and "MPLBACKEND" in os.environ:
    with suppress(ValueError):  # within a notebook it is there, and others draw with it
        mpl.rcParams["backend"] = os.environ["MPLBACKEND"]

SENTINELS = {
    "ink": "#010203",
    "grid": "#010204",
    "model": "#010205",
    "floor": "#010206",
    "second": "#010207",
}
"""Stand-ins that matplotlib writes into the SVG; each becomes a CSS variable of the page."""
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text, in the page's font
    "svg.hashsalt": "visual-foresight",
    "font.size": 9,
    "axes.edgecolor": SENTINELS["grid"],
    "axes.labelcolor": SENTINELS["ink"],
    "xtick.color": SENTINELS["ink"],
    "ytick.color": SENTINELS["ink"],
    "text.color": SENTINELS["ink"],
    "grid.color": SENTINELS["grid"],
    "axes.spines.top": False,
    "axes.spines.right": False,
}


@dataclass(frozen=True)
class Curve:
    """One line of a plot."""

    label: str
    name: str
    """Of the figure; with a dot for one that is nested."""
    colour: str
    """A key of `SENTINELS`."""
    dashed: bool = False


@dataclass(frozen=True)
class Plot:
    """Curves over the steps."""

    title: str
    unit: str
    curves: tuple[Curve, ...]
    marks: tuple[float, ...] = ()
    """Levels drawn across: what would be right."""


def _with_baseline(title: str, unit: str, name: str) -> Plot:
    """Return a plot of a figure beside that of the persistence baseline."""
    group, dot, short = name.rpartition(".")
    baseline = f"{group}{dot}still_{short.removeprefix('error_')}"
    curves = (
        Curve("model", name, "model"),
        Curve("still", baseline, "floor", dashed=True),
    )
    return Plot(title, unit, curves)


PLOTS = (
    _with_baseline("Designated pixel on objects", "error, px", "error_px"),
    _with_baseline("Designated pixel on the arm", "error, px", "arm.error_px"),
    _with_baseline("Designated pixel on the background", "error, px", "background.error_px"),
    Plot(
        "Calibration on objects: truth in the region",
        "share",
        (
            Curve("50 % region", "coverage_50", "model"),
            Curve("90 % region", "coverage_90", "second"),
        ),
        marks=(0.5, 0.9),
    ),
    Plot(
        "Mass of the map on objects, per step",
        "share",
        (Curve("lost", "lost", "model"), Curve("made", "made", "second")),
    ),
    _with_baseline("PSNR", "dB", "psnr"),
    _with_baseline("PSNR of moving pixels", "dB", "psnr_moving"),
    _with_baseline("PSNR of pixels seen again", "dB", "psnr_seen_again"),
    _with_baseline("SSIM", "1 is equal", "ssim"),
    _with_baseline("SSIM of moving pixels", "1 is equal", "ssim_moving"),
    _with_baseline("LPIPS", "0 is equal", "lpips"),
)


def plots_of(figures: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return (title, SVG) of every plot of which the figures have all curves."""
    steps = figures["steps"]
    return tuple(
        (plot.title, draw(plot, steps))
        for plot in PLOTS
        if all(_was_measured(curve, steps) for curve in plot.curves)
    )


def _was_measured(curve: Curve, steps: Mapping[str, Mapping[str, Any]]) -> bool:
    return any(figure(step, curve.name)[0] is not None for step in steps.values())


def draw(plot: Plot, steps: Mapping[str, Mapping[str, Any]]) -> str:
    """Return one plot as SVG to be put into a page: the band is the 95 % interval."""
    with mpl.rc_context(SETTINGS):
        canvas = Figure(figsize=(4.0, 2.5), layout="constrained")
        axes = canvas.add_subplot()
        for curve in plot.curves:
            _draw_curve(axes, curve, steps)
        for mark in plot.marks:
            axes.axhline(mark, color=SENTINELS["ink"], linewidth=0.8, linestyle=":")
        axes.set_xlabel("imagined step")
        axes.set_ylabel(plot.unit)
        axes.grid(visible=True, linewidth=0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False, fontsize=8.5)
        file = io.StringIO()
        canvas.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    return _for_page(file.getvalue())


def _draw_curve(axes: Axes, curve: Curve, steps: Mapping[str, Mapping[str, Any]]) -> None:
    """Draw a curve and its band, at the steps at which it was measured."""
    numbers = []
    values = []
    lows = []
    highs = []
    for step, figures in steps.items():
        value, bounds = figure(figures, curve.name)
        if value is not None:
            low, high = bounds or (value, value)
            numbers.append(int(step))
            values.append(value)
            lows.append(low)
            highs.append(high)
    colour = SENTINELS[curve.colour]
    style = "--" if curve.dashed else "-"
    axes.plot(numbers, values, label=curve.label, color=colour, linestyle=style, linewidth=1.8)
    axes.fill_between(numbers, lows, highs, color=colour, alpha=0.18, linewidth=0)


def _for_page(svg: str) -> str:
    """Make a standalone SVG part of a page: no addresses in it, and the page's colours and font."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", svg)
    svg = re.sub(r'(<svg [^>]*?)width="[^"]*" ', r"\1", svg).replace(' height="180pt"', "", 1)
    svg = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font: \1 var(--font)", svg)
    for name, sentinel in SENTINELS.items():
        svg = svg.replace(sentinel, f"var(--{name})")
    return svg
