"""Outcomes of trials: what is kept of each on disk, and the figures and tables made of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from visual_foresight.control.trial import Trial
from visual_foresight.evaluation.control.criteria import criteria_figures, criteria_table
from visual_foresight.evaluation.records import Record
from visual_foresight.evaluation.statistics import bootstrap_mean, bootstrap_ratio, wilson
from visual_foresight.evaluation.tables import Table

RADII_CM = (2.5, 5.0, 7.5)
"""A trial succeeds within a radius when its point ends no farther than this from its goal."""
CEILING_RADIUS_CM = 5.0
"""The radius at which a row is compared with the ceiling."""
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


def outcome_of(trial: Trial) -> Record:
    """Return what is kept of a trial."""
    goal = trial.goal
    assert goal.unit == "px", "the tasks of suites have pixel goals"
    locator_errors_px = []
    for step, plan in enumerate(trial.plans):
        if plan.sources:
            located = np.array([(pixel.row, pixel.col) for pixel in plan.sources])
            errors = np.linalg.norm(located - trial.episode.tracks[step], axis=-1)
            locator_errors_px.append(round(float(errors.mean()), 3))
    return {
        "source": [goal.sources[0].row, goal.sources[0].col],
        "target": [goal.targets[0].row, goal.targets[0].col],
        "distances_m": [round(value, 5) for value in trial.distances_m],
        "distances_px": [round(value, 3) for value in trial.distances],
        "locator_errors_px": locator_errors_px,
        "plan_seconds": float(np.median([plan.seconds for plan in trial.plans])),
        "actions": [
            [round(float(value), 4) for value in action] for action in trial.episode.actions
        ],
    }


def figures_of_rows(
    rows: Mapping[str, Mapping[int, Record]], ceiling_row: str
) -> dict[str, Any]:
    """Return the figures of each row, and its success as a share of the ceiling's.

    Args:
        rows: the trials of each row, by their index.
        ceiling_row: name of the row that is the ceiling.

    Returns:
        {row: figures}, see `figures_of`. Where the ceiling was run, and a row has all of its
        trials, also "of_ceiling_5cm", success over the ceiling's on these trials, and its
        interval by bootstrap over the trials, both rows resampled together.
    """
    figures = {
        row: figures_of([trials[index] for index in sorted(trials)])
        for row, trials in rows.items()
    }
    ceiling = rows.get(ceiling_row, {})
    best = _successes(list(ceiling.values()), CEILING_RADIUS_CM)
    if not best.any():
        return figures
    for row, trials in rows.items():
        if row != ceiling_row and ceiling.keys() <= trials.keys():
            own = _successes([trials[index] for index in ceiling], CEILING_RADIUS_CM)
            share = bootstrap_ratio(own, best, np.random.default_rng(0))
            figures[row]["of_ceiling_5cm"] = share.value
            figures[row]["interval_of_ceiling_5cm"] = [share.low, share.high]
    return figures


def figures_of(records: Sequence[Record]) -> dict[str, Any]:
    """Return the figures of a row.

    Success rates have Wilson intervals, mean distances have bootstrap intervals.
    """
    # Seeded, so that the same trials always give the same intervals.
    rng = np.random.default_rng(0)
    figures: dict[str, Any] = {"trials": len(records)}
    for radius_cm in RADII_CM:
        successes = int(_successes(records, radius_cm).sum())
        rate = wilson(successes, len(records))
        figures[f"success_{radius_cm:g}cm"] = rate.value
        figures[f"interval_{radius_cm:g}cm"] = [rate.low, rate.high]
    for unit, field, scale in (("cm", "distances_m", 100), ("px", "distances_px", 1)):
        starts = [record[field][0] * scale for record in records]
        ends = [record[field][-1] * scale for record in records]
        final = bootstrap_mean(np.array(ends, np.float64), rng)
        figures[f"final_distance_{unit}"] = final.value
        figures[f"interval_final_distance_{unit}"] = [final.low, final.high]
        figures[f"start_distance_{unit}"] = float(np.mean(starts))
    figures["plan_seconds"] = float(np.median([record["plan_seconds"] for record in records]))
    errors = [error for record in records for error in record["locator_errors_px"]]
    if errors:
        figures["locator_error_px"] = float(np.mean(errors))
    return {**figures, **criteria_figures(records)}


def _successes(records: Sequence[Record], radius_cm: float) -> Float[np.ndarray, " n"]:
    """Return 1 for each trial that ended within the radius, and 0 for each other."""
    ended = [record["distances_m"][-1] * 100 <= radius_cm for record in records]
    return np.array(ended, np.float64)


def as_text(figures: Mapping[str, Any]) -> str:
    """Return the figures of `evaluate_control` for a terminal: a table per suite."""
    seed = figures["seed"]
    preset = figures["preset"]
    lines = []
    for suite, rows in figures["suites"].items():
        title = f"{suite} (seed {seed}, preset {preset}): share of trials that end within ..."
        cells = tuple(_cells(row, each) for row, each in rows.items())
        lines += [*Table(title, HEAD, cells).lines(), ""]
        criteria = criteria_table(f"{suite}: share of trials that meet each criterion", rows)
        lines += [*criteria.lines(), ""] if criteria else []
    return "\n".join(lines[:-1])


def _cells(row: str, figures: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the cells of a row; what was not measured is left empty."""

    def cell(name: str, interval: str = "", form: str = ".2f") -> str:
        if name not in figures:
            return ""
        value = f"{figures[name]:{form}}"
        if not interval:
            return value
        low, high = figures[interval]
        return f"{value} [{low:{form}}, {high:{form}}]"

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
