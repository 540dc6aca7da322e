"""The window in which runs are compared: a table, their ends, and their distances in one chart."""

from collections.abc import Sequence

import numpy as np
from nicegui import run, ui

from visual_foresight.gui.page.tabs.gallery.card import picture_address
from visual_foresight.gui.page.tabs.gallery.window import window
from visual_foresight.gui.session.exports.curves import chart
from visual_foresight.gui.session.exports.kept_run import KeptRun
from visual_foresight.gui.session.gallery.gallery import Gallery
from visual_foresight.gui.session.settings import cost_choices
from visual_foresight.types import UserError

COLUMNS = ("Run", "The end", "Outcome", "Steps", "Distance", "Planning", "Model", "Cost")


async def compare(gallery: Gallery, names: Sequence[str], address: str) -> None:
    """Compare runs in a window.

    Args:
        gallery: where they are read.
        names: of the runs.
        address: the path before that of the page's own files.
    """
    with window("Comparison", is_wide=True) as dialog:
        content = ui.element("div").classes("w-full")
        with content:
            ui.label("The runs are being read ...").classes("soft")
        with ui.element("div").classes("buttons"):
            ui.element("div").classes("grow")
            ui.button("Close", on_click=dialog.close).props("flat autofocus")
    try:
        runs = await run.io_bound(gallery.compare, names) or ()
        sentence = ""
    except UserError as error:
        runs, sentence = (), str(error)
    if content.is_deleted:
        return
    content.clear()
    with content:
        if sentence:
            ui.label(sentence).props("role=alert")
            return
        _build_table(runs, address)
        with ui.element("div").classes("comparison-charts"):
            for unit, curves in distances_by_unit(runs).items():
                drawing = chart("Distance to the goal", unit, curves, has_legend=True)
                ui.html(drawing, sanitize=False)


def distances_by_unit(runs: Sequence[KeptRun]) -> dict[str, dict[str, tuple[float, ...]]]:
    """Return unit -> name of a run -> its distances: what has another unit needs another chart."""
    found: dict[str, dict[str, tuple[float, ...]]] = {}
    for each in runs:
        if each.distance.values:
            found.setdefault(each.distance.unit, {})[each.entry.name] = each.distance.values
    return found


def comparison_row(each: KeptRun) -> tuple[str, ...]:
    """Return what the table says of a run, in the order of `COLUMNS` after its end."""
    trial = each.trial
    seconds = each.plan_seconds.values
    planning = f"{sum(seconds):.1f} s, {np.median(seconds):.2f} s each" if seconds else ""
    distance = trial.distance_text(-1, "")
    if distance:
        distance = f"{trial.distance_text(0, '')} → {distance}"
    kept = str(each.settings.get("cost", ""))
    choice = cost_choices().get(kept)
    return (
        each.entry.outcome,
        str(each.entry.num_steps),
        distance,
        planning,
        each.entry.model,
        choice.label if choice else kept,
    )


def _build_table(runs: Sequence[KeptRun], address: str) -> None:
    region = ui.element("div").classes("comparison")
    region.props('tabindex=0 role=region aria-label="Table of the compared runs"')
    with region, ui.element("table"):
        with ui.element("thead"), ui.element("tr"):
            for column in COLUMNS:
                ui.html(column, sanitize=False, tag="th").props("scope=col")
        with ui.element("tbody"):
            for each in runs:
                _build_row(each, address)


def _build_row(each: KeptRun, address: str) -> None:
    with ui.element("tr"):
        with ui.element("th").props("scope=row"):
            ui.label(each.entry.name)
        with ui.element("td"), ui.element("div").classes("run-end"):
            image = ui.element("img")
            image.props["src"] = picture_address(each.entry, address)
            image.props["alt"] = f"The end of {each.entry.name}"
        for text in comparison_row(each):
            with ui.element("td"):
                ui.label(text)
