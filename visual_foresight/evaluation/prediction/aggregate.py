"""From what was measured on each clip at each step to figures with intervals, and to tables that a person reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from visual_foresight.evaluation.statistics import Interval, bootstrap_ratios
from visual_foresight.evaluation.tables import Table


@dataclass(frozen=True)
class Measurement:
    """Something that was measured.

    Its figure at a step is sum(values) / sum(weights) over the clips.
    """

    values: Float[np.ndarray, "b t"]
    weights: Float[np.ndarray, "b t"]


Measurements = Mapping[str, Measurement]


def joined(parts: Sequence[Measurements]) -> dict[str, Measurement]:
    """Put the tallies of several batches of clips, of the same names, behind one another."""
    return {
        name: Measurement(
            *(
                np.concatenate([getattr(part[name], side) for part in parts])
                for side in ("values", "weights")
            )
        )
        for name in parts[0]
    }


def steps_of(
    measurements: Measurements, episodes: Int[np.ndarray, " b"]
) -> dict[str, dict[str, Any]]:
    """Return the figures of each step as plain JSON values: {"1": {name: value, "interval_" +
    name: [low, high]}, ...}.

    Names with a dot are nested ("arm.error_px" is "error_px" in "arm"); the interval of
    "error_px" is called "interval_px"; what begins with "still_" has none, and what nothing was
    measured of is absent.

    Args:
        tallies: what was measured.
        episodes: which episode each clip is from: episodes are resampled, not clips, which hang
            together.
    """
    member = (episodes[None] == np.unique(episodes)[:, None]).astype(np.float64)
    sums = [
        (name, member @ tally.values, member @ tally.weights)
        for name, tally in measurements.items()
    ]
    cells = [
        (name, step, tops[:, step], bottoms[:, step])
        for name, tops, bottoms in sums
        for step in range(tops.shape[1])
        if bottoms[:, step].sum() > 0
    ]
    horizon = sums[0][1].shape[1]
    steps: dict[str, dict[str, Any]] = {str(step + 1): {} for step in range(horizon)}
    tops, bottoms = (np.stack([cell[side] for cell in cells]) for side in (2, 3))
    # of the intervals only, so that the same episodes give the same figures
    rng = np.random.default_rng(0)
    for (name, step, _, _), interval in zip(
        cells, bootstrap_ratios(tops, bottoms, rng), strict=True
    ):
        _put(steps[str(step + 1)], name, interval)
    return steps


def _put(step: dict[str, Any], name: str, interval: Interval) -> None:
    group, _, short = name.rpartition(".")
    place = step.setdefault(group, {}) if group else step
    place[short] = interval.value
    if not short.startswith("still_"):
        place[_interval_name(short)] = [interval.low, interval.high]


def _interval_name(short: str) -> str:
    return f"interval_{short.removeprefix('error_')}"


def figure(step: Mapping[str, Any], name: str) -> tuple[float | None, list[float] | None]:
    """Return a figure of a step by its name, dotted where it is nested, and its interval.

    None of each that is absent.
    """
    group, _, short = name.rpartition(".")
    place = step.get(group, {}) if group else step
    return place.get(short), place.get(_interval_name(short))


COLUMNS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Where the pixel goes: objects": (
        ("error px [95 %]", "error_px", ".2f"),
        ("still", "still_px", ".2f"),
        ("over still [95 %]", "ratio", ".2f"),
        ("in 50 % region", "coverage_50", ".0%"),
        ("in 90 % region", "coverage_90", ".0%"),
        ("lost", "lost", ".1%"),
        ("made", "made", ".1%"),
    ),
    "Where the pixel goes: arm and background": (
        ("arm px [95 %]", "arm.error_px", ".2f"),
        ("still", "arm.still_px", ".2f"),
        ("over still [95 %]", "arm.ratio", ".2f"),
        ("in 90 %", "arm.coverage_90", ".0%"),
        ("background px [95 %]", "background.error_px", ".2f"),
        ("still", "background.still_px", ".2f"),
        ("in 90 %", "background.coverage_90", ".0%"),
    ),
    "Pictures: whole frame": (
        ("PSNR dB [95 %]", "psnr", ".2f"),
        ("still", "still_psnr", ".2f"),
        ("SSIM [95 %]", "ssim", ".3f"),
        ("still", "still_ssim", ".3f"),
        ("LPIPS [95 %]", "lpips", ".3f"),
        ("still", "still_lpips", ".3f"),
    ),
    "Pictures: moving pixels only": (
        ("PSNR dB [95 %]", "psnr_moving", ".2f"),
        ("still", "still_psnr_moving", ".2f"),
        ("SSIM [95 %]", "ssim_moving", ".3f"),
        ("still", "still_ssim_moving", ".3f"),
    ),
    "Pictures: pixels seen again": (
        ("PSNR dB [95 %]", "psnr_seen_again", ".2f"),
        ("still", "still_psnr_seen_again", ".2f"),
    ),
}
"""Title -> columns: head, name of the figure, format. An interval is shown where the head
promises one."""


def tables_of(figures: Mapping[str, Any]) -> tuple[Table, ...]:
    """Return the figures of `evaluate_prediction` as tables, a row per step."""
    tables = []
    for title, columns in COLUMNS.items():
        steps = figures["steps"]
        present = [
            column for column in columns if any(_cell(each, *column) for each in steps.values())
        ]
        if present:
            rows = tuple(
                (step, *(_cell(each, *column) for column in present))
                for step, each in steps.items()
            )
            tables.append(Table(title, ("step", *(head for head, _, _ in present)), rows))
    return tuple(tables)


def _cell(step: Mapping[str, Any], head: str, name: str, form: str) -> str:
    value, bounds = figure(step, name)
    if value is None:
        return ""
    interval = f" [{bounds[0]:{form}}, {bounds[1]:{form}}]" if bounds and "[" in head else ""
    return f"{value:{form}}{interval}"


def as_text(figures: Mapping[str, Any]) -> str:
    """Return the figures of `evaluate_prediction` for a terminal.

    The protocol, the tables, what was left out.
    """
    lines = [f"model: {figures['model']}", f"data: {figures['data']}"]
    lines += [f"{name}: {value}" for name, value in protocol_rows(figures)]
    for homography in tables_of(figures):
        lines += ["", *homography.lines()]
    lines += ["", *figures["notes"]] if figures["notes"] else []
    return "\n".join(lines)


def protocol_rows(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the protocol as names and values, and figures of whole videos with it."""
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
