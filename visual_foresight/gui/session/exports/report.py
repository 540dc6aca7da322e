"""The report of a run: one HTML file that needs no network, no program and no other file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, StrictUndefined

from visual_foresight.control.judge import SUCCESS_M
from visual_foresight.gui.session.exports.curves import chart
from visual_foresight.gui.session.exports.figures import versions
from visual_foresight.gui.session.exports.kept_run import KeptRun, best_cost
from visual_foresight.gui.session.exports.model_line import model_line
from visual_foresight.gui.session.exports.strips import Shown, data_url, strip_of
from visual_foresight.gui.session.gallery.pictures import resized, start_picture
from visual_foresight.gui.session.settings import STOPS_BY, cost_choices
from visual_foresight.gui.session.trials.verdict import StopRule, verdict_of

TEMPLATE = Path(__file__).with_name("report.html.jinja")
PICTURE_HEIGHT = 160
"""Of the start and the end, in pixels."""
UNITS = {"stop_within_cm": "cm"}
LABELS = {
    "env": "World",
    "num_objects": "Objects",
    "preset": "Search",
    "num_steps": "Steps at most",
    "stop_within_cm": "Stop within",
    "stop_by": "Judged by",
}
"""Name of a setting -> what the report calls it, where that is not its name."""


COLUMNS = {
    "Step": "step",
    "Distance before it": "distance",
    "Action": "action",
    "Planned in, s": "seconds",
    "Least cost": "cost",
}
"""Title in the table of steps -> field of `Row`."""


@dataclass(frozen=True)
class Row:
    """One step of a run in the table."""

    step: int
    """How many actions came before."""
    distance: str
    action: str
    seconds: str
    cost: str


def report_html(run: KeptRun) -> bytes:
    """Return the report of a run as the content of a file."""
    first, last = run.trial.episode.frames[0], run.trial.episode.frames[-1]
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    strip = strip_of(run)
    rows = _rows(run)
    page = environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        run=run,
        verdict=verdict_of(run.trial, run.entry.outcome, None, StopRule(0, False)).text,
        cards=_cards(run),
        start=data_url(start_picture(first, run.goal, PICTURE_HEIGHT)),
        end=data_url(resized(last, PICTURE_HEIGHT)),
        strip=strip,
        strip_remark=_strip_remark(run, strip),
        charts=[each for each in _charts(run) if each],
        pairs=_pairs(run),
        settings=_settings(run),
        model=model_line(run.entry.model) if run.entry.model else "",
        rows=rows,
        columns=_columns(rows),
        versions=versions(),
    )
    return page.encode(errors="backslashreplace")  # names of folders may be no text


def _cards(run: KeptRun) -> list[tuple[str, str]]:
    """Return what stands at the top: name -> value."""
    trial = run.trial
    seconds = run.plan_seconds.values
    cards = [
        ("Outcome", run.entry.outcome or "not known"),
        ("Steps", str(run.entry.num_steps)),
        ("Distance at the start", trial.distance_text(0, "")),
        ("Distance at the end", trial.distance_text(-1, "")),
        ("Planning, median", f"{np.median(seconds):.2f} s" if seconds else ""),
    ]
    return [(name, value) for name, value in cards if value]


def _strip_remark(run: KeptRun, strip: Sequence[Shown]) -> str:
    """Say why there is nothing imagined to show; nothing if there is something."""
    if any(shown.imagined for shown in strip):
        return ""
    if not len(run.trial.plans):
        return "What was imagined during this run was not kept."
    return f"{run.entry.model or 'What planned'} imagines nothing."


def _charts(run: KeptRun) -> list[str]:
    distance, seconds = run.distance, run.plan_seconds
    level = (100 * SUCCESS_M, "reached") if distance.unit == "cm" else None
    costs = [best_cost(plan) for plan in run.trial.plans]
    known = [cost for cost in costs if cost is not None]
    can_be_drawn = min(known, default=0.0) >= 0  # a cost of somebody else's may be anything
    return [
        chart("Distance to the goal", distance.unit, {"distance": distance.values}, level),
        chart("Planning time", seconds.unit, {"seconds": seconds.values}),
        chart("Least cost of each search", "", {"cost": known if can_be_drawn else ()}),
    ]


def _pairs(run: KeptRun) -> list[tuple[str, str]]:
    """Return the designated pixels and their goal pixels in words."""
    if run.goal is None:
        return []
    return [
        (
            f"row {source.row:g}, column {source.col:g}",
            "to keep still"
            if source == target
            else f"row {target.row:g}, column {target.col:g}",
        )
        for source, target in zip(run.goal.sources, run.goal.targets, strict=True)
    ]


def _settings(run: KeptRun) -> list[tuple[str, str]]:
    """Return the settings in words: name -> value."""
    words = {
        "cost": {name: choice.label for name, choice in cost_choices().items()},
        "stop_by": STOPS_BY,
    }
    found = []
    for name, value in run.settings.items():
        text = words.get(name, {}).get(value, str(value))
        if value is None:
            text = "as the seed decides"
        label = LABELS.get(name, name.replace("_", " ").capitalize())
        found.append((label, f"{text} {UNITS.get(name, '')}".strip()))
    return found


def _rows(run: KeptRun) -> list[Row]:
    trial = run.trial
    seconds = run.plan_seconds.values
    rows = []
    for step in range(run.entry.num_steps + 1):
        is_action = step < len(trial.episode.actions)
        plan = trial.plans[step] if step < len(trial.plans) else None
        cost = None if plan is None else best_cost(plan)
        rows.append(
            Row(
                step=step,
                distance=trial.distance_text(step, "") if step < _num_measured(run) else "",
                action=_numbers(trial.episode.actions[step]) if is_action else "",
                seconds=f"{seconds[step]:.2f}" if step < len(seconds) else "",
                cost="" if cost is None else f"{cost:.4g}",
            )
        )
    return rows


def _columns(rows: Sequence[Row]) -> dict[str, str]:
    """Return those of `COLUMNS` that say something."""
    return {
        title: name
        for title, name in COLUMNS.items()
        if any(getattr(row, name) != "" for row in rows)
    }


def _num_measured(run: KeptRun) -> int:
    return len(run.distance.values)


def _numbers(values: Any) -> str:
    return ", ".join(f"{value:.2f}" for value in values)
