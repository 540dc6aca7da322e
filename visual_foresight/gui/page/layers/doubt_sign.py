"""The sign that says when the model does not know, and the number behind it."""

from dataclasses import dataclass

from nicegui import ui

from visual_foresight.evaluation.prediction.doubt import (
    FILE,
    DoubtFindings,
    doubts,
    read_findings,
    signal_of,
)
from visual_foresight.predictors.checkpoints import resolve
from visual_foresight.types import Plan, UserError

MEANINGS = {
    "disagreement": "how far apart the model's members expect the designated pixel",
    "width": "the radius of a circle as large as the 90 % region of the map",
}
"""Signal -> what its number is."""


@dataclass(frozen=True)
class Doubt:
    """What is said of how sure a model is."""

    text: str
    hint: str
    is_warning: bool = False


def doubt_of(plan: Plan, ahead: int, rank: int, findings: DoubtFindings | None) -> Doubt | None:
    """Return what is said of a prediction; None where nothing is designated, or imagined.

    Args:
        plan: the one that is shown.
        ahead: actions after its frame.
        rank: 0 for the plan itself, 1 for its first runner-up, ...
        findings: what was measured of the model, if anything.
    """
    if not ahead or "maps" not in plan.prediction.gives:
        return None
    number = float(doubts(plan.prediction, ahead - 1, rank).max())
    signal = signal_of(plan.prediction)
    value = f"±{number:.1f} px"
    hint = f"{value} is {MEANINGS[signal]}."
    if findings is None or findings.signal != signal:
        unknown = "Nobody has measured for this model whether that tells of errors"
        return Doubt(f"doubt {value}", f"{hint} {unknown} (scripts/measure_doubt).")
    measured = (
        f"rank correlation with the error {findings.correlation:.2f} "
        f"[{findings.low:.2f}, {findings.high:.2f}] on {findings.num_points} points, "
        f"{findings.horizon} steps ahead ({FILE} beside the model's weights)"
    )
    if not findings.is_warning:
        return Doubt(
            f"{value}: no sign of doubt",
            f"{hint} For this model it does not tell of errors: {measured}.",
        )
    errors = (
        f"Above {findings.threshold_px:.1f} px its errors were {findings.error_more_px:.1f} px, "
        f"else {findings.error_less_px:.1f} px: {measured}."
    )
    if number > findings.threshold_px:
        text = f"The model does not know here: {value}"
        return Doubt(text, f"{hint} {errors}", is_warning=True)
    return Doubt(f"doubt {value}", f"{hint} {errors}")


def findings_of(model: str) -> DoubtFindings | None:
    """Return what was measured of a model's doubt; None for what is no checkpoint, too."""
    try:
        return read_findings(resolve(model))
    except UserError:
        return None


class DoubtSign:
    """Builds the sign and draws it."""

    def __init__(self) -> None:
        self._text = ui.label().classes("doubt").props("role=status tabindex=0")
        with self._text:
            self._hint = ui.tooltip("")

    def draw(self, doubt: Doubt | None) -> None:
        """Show what is said, or nothing."""
        self._text.set_visibility(doubt is not None)
        if doubt is None:
            return
        self._text.set_text(doubt.text)
        self._hint.set_text(doubt.hint)
        self._text.props["aria-description"] = doubt.hint
        self._text.classes(replace="doubt warning" if doubt.is_warning else "doubt")
