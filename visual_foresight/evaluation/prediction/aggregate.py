"""From the measurements of every segment to figures with intervals, and to tables for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from visual_foresight.evaluation.statistics import Interval, bootstrap_ratios
from visual_foresight.evaluation.tables import Table


@dataclass(frozen=True)
class Measurement:
    """One quantity, measured on each segment b at each imagined step t.

    Its figure at a step is sum(values) / sum(weights) over the segments.
    """

    values: Float[np.ndarray, "b t"]
    weights: Float[np.ndarray, "b t"]


Measurements = Mapping[str, Measurement]
"""Name of a quantity -> its measurement."""


class Column(NamedTuple):
    """A column of a table."""

    head: str
    name: str
    """Of the figure; with a dot for one that is nested."""
    form: str
    """Format of a number. An interval is shown where the head promises one."""


COLUMNS: dict[str, tuple[Column, ...]] = {
    "Where the pixel goes: objects": (
        Column("error px [95 %]", "error_px", ".2f"),
        Column("still", "still_px", ".2f"),
        Column("over still [95 %]", "ratio", ".2f"),
        Column("in 50 % region", "coverage_50", ".0%"),
        Column("in 90 % region", "coverage_90", ".0%"),
        Column("lost", "lost", ".1%"),
        Column("made", "made", ".1%"),
    ),
    "Where the pixel goes: arm and background": (
        Column("arm px [95 %]", "arm.error_px", ".2f"),
        Column("still", "arm.still_px", ".2f"),
        Column("over still [95 %]", "arm.ratio", ".2f"),
        Column("in 90 %", "arm.coverage_90", ".0%"),
        Column("background px [95 %]", "background.error_px", ".2f"),
        Column("still", "background.still_px", ".2f"),
        Column("in 90 %", "background.coverage_90", ".0%"),
    ),
    "Pictures: whole frame": (
        Column("PSNR dB [95 %]", "psnr", ".2f"),
        Column("still", "still_psnr", ".2f"),
        Column("SSIM [95 %]", "ssim", ".3f"),
        Column("still", "still_ssim", ".3f"),
        Column("LPIPS [95 %]", "lpips", ".3f"),
        Column("still", "still_lpips", ".3f"),
    ),
    "Pictures: moving pixels only": (
        Column("PSNR dB [95 %]", "psnr_moving", ".2f"),
        Column("still", "still_psnr_moving", ".2f"),
        Column("SSIM [95 %]", "ssim_moving", ".3f"),
        Column("still", "still_ssim_moving", ".3f"),
    ),
    "Pictures: pixels seen again": (
        Column("PSNR dB [95 %]", "psnr_seen_again", ".2f"),
        Column("still", "still_psnr_seen_again", ".2f"),
    ),
}
"""Title of a table -> its columns."""


def concatenate(parts: Sequence[Measurements]) -> dict[str, Measurement]:
    """Join the measurements of several batches of segments; all have the same names."""
    return {
        name: Measurement(
            np.concatenate([part[name].values for part in parts]),
            np.concatenate([part[name].weights for part in parts]),
        )
        for name in parts[0]
    }


def figures_per_step(
    measurements: Measurements, episodes: Int[np.ndarray, " b"]
) -> dict[str, dict[str, Any]]:
    """Return the figures of each step as plain JSON values.

    Args:
        measurements: what was measured.
        episodes: which episode each segment is from. Episodes are resampled, not segments: the
            segments of one episode depend on one another.

    Returns:
        {"1": {name: value, "interval_" + name: [low, high], ...}, "2": ...}. A name with a dot is
        nested ("arm.error_px" is "error_px" in "arm"). The interval of "error_px" is called
        "interval_px"; what begins with "still_" has none. What nothing was measured of is absent.
    """
    of_episode = (episodes[None] == np.unique(episodes)[:, None]).astype(np.float64)
    keys: list[tuple[str, str]] = []
    numerators = []
    denominators = []
    figures: dict[str, dict[str, Any]] = {}
    for name, measurement in measurements.items():
        values = of_episode @ measurement.values
        weights = of_episode @ measurement.weights
        for t in range(values.shape[1]):
            step = str(t + 1)
            figures.setdefault(step, {})
            if weights[:, t].sum() > 0:
                keys.append((step, name))
                numerators.append(values[:, t])
                denominators.append(weights[:, t])
    # Seeded, so that the same episodes always give the same intervals.
    rng = np.random.default_rng(0)
    intervals = bootstrap_ratios(np.stack(numerators), np.stack(denominators), rng)
    for (step, name), interval in zip(keys, intervals, strict=True):
        _put(figures[step], name, interval)
    return figures


def _put(step: dict[str, Any], name: str, interval: Interval) -> None:
    """Add a figure and its interval to those of a step."""
    group, _, short = name.rpartition(".")
    place = step.setdefault(group, {}) if group else step
    place[short] = interval.value
    if not short.startswith("still_"):
        place[_interval_name(short)] = [interval.low, interval.high]


def _interval_name(short: str) -> str:
    return f"interval_{short.removeprefix('error_')}"


def figure(step: Mapping[str, Any], name: str) -> tuple[float | None, list[float] | None]:
    """Return a figure of a step and its interval; None for each that is absent.

    Args:
        step: the figures of one step, as `figures_per_step` returns them.
        name: of the figure; with a dot for one that is nested.
    """
    group, _, short = name.rpartition(".")
    place = step.get(group, {}) if group else step
    return place.get(short), place.get(_interval_name(short))


def tables_of(figures: Mapping[str, Any]) -> tuple[Table, ...]:
    """Return the figures of `evaluate_prediction` as tables, a row per step.

    Columns, and tables, that hold nothing are left out.
    """
    steps = figures["steps"]
    tables = []
    for title, columns in COLUMNS.items():
        present = [
            column for column in columns if any(_cell(step, column) for step in steps.values())
        ]
        if present:
            head = ("step", *(column.head for column in present))
            rows = tuple(
                (number, *(_cell(step, column) for column in present))
                for number, step in steps.items()
            )
            tables.append(Table(title, head, rows))
    return tuple(tables)


def _cell(step: Mapping[str, Any], column: Column) -> str:
    value, bounds = figure(step, column.name)
    if value is None:
        return ""
    if not bounds or "[" not in column.head:
        return f"{value:{column.form}}"
    low, high = bounds
    return f"{value:{column.form}} [{low:{column.form}}, {high:{column.form}}]"


def as_text(figures: Mapping[str, Any]) -> str:
    """Return the figures of `evaluate_model` for a terminal: protocol, tables, notes."""
    lines = [f"model: {figures['model']}", f"data: {figures['data']}"]
    lines += [f"{name}: {value}" for name, value in protocol_rows(figures)]
    for table in tables_of(figures):
        lines += ["", *table.lines()]
    if figures["notes"]:
        lines += ["", *figures["notes"]]
    return "\n".join(lines)


def protocol_rows(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the protocol as names and values, and the figures of whole videos with it."""
    rows = [
        (name.replace("_", " "), _plain(value)) for name, value in figures["protocol"].items()
    ]
    if "fvd" in figures:
        rows.append(("FVD", f"{figures['fvd']:.1f} (still: {figures['still_fvd']:.1f})"))
    return rows


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{count} {name}" for name, count in value.items())
    return " x ".join(map(str, value)) if isinstance(value, list) else str(value)
