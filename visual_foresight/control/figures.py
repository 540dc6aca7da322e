"""The figures of a trial, as `plan --json` prints them and as the page exports them."""

from typing import Any

from visual_foresight.control.judge import SUCCESS_M
from visual_foresight.control.trial import Trial


def trial_figures(trial: Trial) -> dict[str, Any]:
    """Return whether a trial reached its goal, and how far that was before and after it.

    Returns:
        "success" (within 5 cm), "start_distance_cm" and "final_distance_cm". Where there was no
        judge, "believed_start_distance_px", "believed_final_distance_px" and, with a calibration,
        the same in "_cm", in their place. What is not known is left out.
    """
    if trial.is_believed:
        return _believed(trial)
    if not trial.distances_m:
        return {}
    return {
        "success": trial.success(SUCCESS_M),
        "start_distance_cm": round(100 * trial.distances_m[0], 2),
        "final_distance_cm": round(100 * trial.distances_m[-1], 2),
    }


def _believed(trial: Trial) -> dict[str, Any]:
    """Return the distances that the locator believes: there was no judge."""
    figures = {}
    for unit, distances, scale in (
        (trial.goal.unit, trial.distances, 1),
        ("cm", trial.distances_m, 100),
    ):
        if distances:
            figures[f"believed_start_distance_{unit}"] = round(scale * distances[0], 2)
            figures[f"believed_final_distance_{unit}"] = round(scale * distances[-1], 2)
    return figures
