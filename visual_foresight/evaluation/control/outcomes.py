"""What came of trials, as it is kept on disk, and the figures and the table that are made of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from visual_foresight.evaluation.records import Record
from visual_foresight.evaluation.statistics import bootstrap_mean, bootstrap_ratio, wilson
from visual_foresight.evaluation.tables import Table
from visual_foresight.types import PixelGoal, Trial

RADII_CM = (2.5, 5.0, 7.5)


def outcome_of(trial: Trial) -> Record:
    """Return what is kept of a trial."""
    tracks, goal = trial.episode.tracks, trial.goal
    assert isinstance(goal, PixelGoal), "tasks of suites are about pixels"
    beliefs = [
        (np.array([(pixel.row, pixel.col) for pixel in plan.sources]), tracks[index])
        for index, plan in enumerate(trial.plans)
        if plan.sources
    ]
    errors = [
        float(np.linalg.norm(believed - true, axis=-1).mean()) for believed, true in beliefs
    ]
    return {
        "source": [goal.sources[0].row, goal.sources[0].col],
        "target": [goal.targets[0].row, goal.targets[0].col],
        "distances_m": [round(value, 5) for value in trial.distances_m],
        "distances_px": [round(value, 3) for value in trial.distances_px],
        "locator_errors_px": [round(value, 3) for value in errors],
        "plan_seconds": float(np.median([plan.seconds for plan in trial.plans])),
        "actions": [
            [round(float(value), 4) for value in action] for action in trial.episode.actions
        ],
    }


def figures_of_rows(
    rows: Mapping[str, Mapping[int, Record]], ceiling_row: str
) -> dict[str, Any]:
    """Return the figures of each row, and where the ceiling was run, how near each other row
    comes to it.

    Args:
        rows: trials by their index.
        ceiling_row: name of the row that is the ceiling.

    Returns:
        {row: figures}, see `figures_of`; besides "of_ceiling_5cm", success over the ceiling's
        on the ceiling's trials, and its interval by bootstrap over these trials, in which both
        rows are resampled together.
    """
    figures = {
        row: figures_of([trials[index] for index in sorted(trials)])
        for row, trials in rows.items()
    }
    ceiling = rows.get(ceiling_row, {})
    best = np.array([_within(record, 5.0) for record in ceiling.values()], np.float64)
    for row, trials in rows.items():
        if row != ceiling_row and best.any() and ceiling.keys() <= trials.keys():
            own = np.array([_within(trials[index], 5.0) for index in ceiling], np.float64)
            share = bootstrap_ratio(own, best, np.random.default_rng(0))
            figures[row]["of_ceiling_5cm"] = share.value
            figures[row]["interval_of_ceiling_5cm"] = [share.low, share.high]
    return figures


def figures_of(records: Sequence[Record]) -> dict[str, Any]:
    """Return the figures of a row.

    Success rates with Wilson intervals, mean distances with bootstrap intervals.
    """
    # of the intervals only, so that the same trials give the same figures
    rng = np.random.default_rng(0)
    figures: dict[str, Any] = {"trials": len(records)}
    for radius_cm in RADII_CM:
        rate = wilson(sum(_within(record, radius_cm) for record in records), len(records))
        figures[f"success_{radius_cm:g}cm"] = rate.value
        figures[f"interval_{radius_cm:g}cm"] = [rate.low, rate.high]
    for unit, field, scale in (("cm", "distances_m", 100), ("px", "distances_px", 1)):
        final = bootstrap_mean(
            np.array([record[field][-1] * scale for record in records], np.float64), rng
        )
        figures[f"final_distance_{unit}"] = final.value
        figures[f"interval_final_distance_{unit}"] = [final.low, final.high]
        figures[f"start_distance_{unit}"] = float(
            np.mean([record[field][0] * scale for record in records])
        )
    figures["plan_seconds"] = float(np.median([record["plan_seconds"] for record in records]))
    errors = [error for record in records for error in record["locator_errors_px"]]
    if errors:
        figures["locator_error_px"] = float(np.mean(errors))
    return figures


def _within(record: Record, radius_cm: float) -> bool:
    return bool(record["distances_m"][-1] * 100 <= radius_cm)


def as_text(figures: Mapping[str, Any]) -> str:
    """Return the figures of `evaluate_control` for a terminal: a table per suite."""
    lines = []
    for name, rows in figures["suites"].items():
        title = f"{name} (seed {figures['seed']}, preset {figures['preset']}): share of trials that end within ..."
        lines += [
            *Table(title, HEAD, tuple(_cells(row, each) for row, each in rows.items())).lines(),
            "",
        ]
    return "\n".join(lines[:-1])


HEAD = (
    "method",
    "trials",
    "2.5 cm",
    "5 cm [95 %]",
    "7.5 cm",
    "of ceiling [95 %]",
    "start cm",
    "end cm [95 %]",
    "plan s",
)


def _cells(row: str, figures: Mapping[str, Any]) -> tuple[str, ...]:
    def cell(name: str, interval: str = "", form: str = ".2f") -> str:
        if name not in figures:
            return ""
        bounds = (
            f" [{figures[interval][0]:{form}}, {figures[interval][1]:{form}}]"
            if interval
            else ""
        )
        return f"{figures[name]:{form}}{bounds}"

    return (
        row,
        cell("trials", form="d"),
        cell("success_2.5cm"),
        cell("success_5cm", "interval_5cm"),
        cell("success_7.5cm"),
        cell("of_ceiling_5cm", "interval_of_ceiling_5cm"),
        cell("start_distance_cm", form=".1f"),
        cell("final_distance_cm", "interval_final_distance_cm", ".1f"),
        cell("plan_seconds"),
    )
