"""Figures over the imagined steps as SVG that takes its colours from the page, so that it is right in light and dark."""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from visual_foresight.evaluation.prediction.aggregate import figure

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


def _beside_still(title: str, unit: str, name: str) -> Plot:
    group, _, short = name.rpartition(".")
    still = f"{group}.still_{short}" if group else f"still_{short}"
    curves = (
        Curve("model", name, "model"),
        Curve("still", still.replace("still_error", "still"), "floor", dashed=True),
    )
    return Plot(title, unit, curves)


PLOTS = (
    _beside_still("Designated pixel on objects", "error, px", "error_px"),
    _beside_still("Designated pixel on the arm", "error, px", "arm.error_px"),
    _beside_still("Designated pixel on the background", "error, px", "background.error_px"),
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
    _beside_still("PSNR", "dB", "psnr"),
    _beside_still("PSNR of moving pixels", "dB", "psnr_moving"),
    _beside_still("PSNR of pixels seen again", "dB", "psnr_seen_again"),
    _beside_still("SSIM", "1 is equal", "ssim"),
    _beside_still("SSIM of moving pixels", "1 is equal", "ssim_moving"),
    _beside_still("LPIPS", "0 is equal", "lpips"),
)


def plots_of(figures: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return (title, SVG) of every plot that the figures of `evaluate_prediction` have something for."""
    steps = figures["steps"]
    drawn = []
    for plot in PLOTS:
        if all(
            any(figure(step, curve.name)[0] is not None for step in steps.values())
            for curve in plot.curves
        ):
            drawn.append((plot.title, draw(plot, steps)))
    return tuple(drawn)


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
    found = [(int(step), *figure(each, curve.name)) for step, each in steps.items()]
    points = [
        (step, value, bounds or [value, value])
        for step, value, bounds in found
        if value is not None
    ]
    xs, ys, bands = zip(*points, strict=True)
    colour = SENTINELS[curve.colour]
    axes.plot(
        xs,
        ys,
        label=curve.label,
        color=colour,
        linestyle="--" if curve.dashed else "-",
        linewidth=1.8,
    )
    lows, highs = zip(*bands, strict=True)
    axes.fill_between(xs, lows, highs, color=colour, alpha=0.18, linewidth=0)


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
