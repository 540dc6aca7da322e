"""A page that a person can look at: tables, plots, filmstrips, animations and the action fan,
in one HTML file.

It needs no network and no other file, follows the reader's choice of light or dark, and carries
its figures as JSON.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jinja2 import Environment, StrictUndefined

from visual_foresight.episodes.info import DatasetInfo
from visual_foresight.evaluation.prediction.aggregate import protocol_rows, tables_of
from visual_foresight.evaluation.prediction.evaluator import Evaluation, imagine
from visual_foresight.evaluation.prediction.segments import batch_of
from visual_foresight.evaluation.report.fan import action_fan
from visual_foresight.evaluation.report.pictures import (
    FLOW_PX,
    Filmstrip,
    filmstrip,
    flow_wheel,
)
from visual_foresight.evaluation.report.plots import plots_of
from visual_foresight.interfaces import Predictor, Sampler
from visual_foresight.system.files import write_bytes

TEMPLATE = Path(__file__).with_name("report.html.jinja")


def write_report(
    path: Path,
    figures: Mapping[str, Any],
    predictor: Predictor,
    evaluation: Evaluation,
    info: DatasetInfo,
) -> None:
    """Write the page, whole or not at all.

    Args:
        path: where to.
        figures: what `prediction.evaluate_model` returns.
        predictor: what was judged; of one that draws futures, the first one is shown.
        judgement: what the figures are made of.
        info: what the episodes have in common.
    """
    shown = predictor.resampled(1) if isinstance(predictor, Sampler) else predictor
    chosen = _chosen(evaluation)
    strips = tuple(
        _filmstrip(shown, evaluation, number, title) for title, number in chosen.items()
    )
    fan = action_fan(shown, evaluation.segments[_liveliest(evaluation)], info)
    headline_step = str(min(10, len(figures["steps"])))
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page = environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        figures=figures,
        headline_step=headline_step,
        headlines=_headlines(figures["steps"][headline_step]),
        protocol=protocol_rows(figures),
        tables=tables_of(figures),
        plots=plots_of(figures),
        strips=strips,
        fan=fan,
        wheel=flow_wheel(),
        flow_px=FLOW_PX,
    )
    write_bytes(path, page.encode())


@torch.inference_mode()
def _filmstrip(
    predictor: Predictor, evaluation: Evaluation, number: int, title: str
) -> Filmstrip:
    segment = evaluation.segments[number]
    future = imagine(predictor, batch_of([segment]))
    return filmstrip(
        predictor,
        segment,
        future,
        f"{title}: episode {segment.episode}, from frame {segment.now}",
    )


def _chosen(evaluation: Evaluation) -> dict[str, int]:
    """Choose clips by rank, not by taste: the best, the middle and the worst of those that
    count, by the mean over steps.

    Ranked by the pixel's error over still's, where objects move and the predictor moves maps,
    and by PSNR otherwise.
    """
    measurements = evaluation.measurements
    if "ratio" in measurements and (measurements["ratio"].weights.sum(1) > 0).any():
        measure, what = measurements["ratio"], "error of the object's pixel over still's"
    else:
        measure, what = measurements["psnr"], "PSNR"
    counted = np.flatnonzero(measure.weights.sum(1) > 0)
    values = measure.values[counted].sum(1) / measure.weights[counted].sum(1)
    order = counted[np.argsort(values if what != "PSNR" else -values, kind="stable")]
    places = {
        "The best clip": 0,
        "The middle clip": len(order) // 2,
        "The worst clip": len(order) - 1,
    }
    if len(order) < len(places):
        places = {f"Clip {place + 1}": place for place in range(len(order))}
    return {f"{name} by {what}": int(order[place]) for name, place in places.items()}


def _liveliest(evaluation: Evaluation) -> int:
    """Return the clip in which points on objects move most, or else the most pixels.

    There, actions matter.
    """
    for name in ("still_px", "psnr_moving"):
        if name in evaluation.measurements:
            sums = (
                evaluation.measurements[name].values
                if name == "still_px"
                else evaluation.measurements[name].weights
            )
            if sums.any():
                return int(sums.sum(1).argmax())
    return 0


def _headlines(step: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return (what, value, note) of the figures of a step that are to be seen first."""
    found = []
    if "ratio" in step:
        low, high = step["interval_ratio"]
        found.append(
            ("object error over still", f"{step['ratio']:.2f}", f"[{low:.2f}, {high:.2f}]")
        )
        still = f"[{step['interval_px'][0]:.1f}, {step['interval_px'][1]:.1f}], still {step['still_px']:.1f}"
        found.append(("object error", f"{step['error_px']:.1f} px", still))
        found.append(
            ("truth in the 90 % region", f"{step['coverage_90']:.0%}", "90 % would be right")
        )
    found.append(("PSNR", f"{step['psnr']:.1f} dB", f"still {step['still_psnr']:.1f} dB"))
    found.append(("SSIM", f"{step['ssim']:.3f}", f"still {step['still_ssim']:.3f}"))
    if "psnr_moving" in step:
        what = "PSNR of moving pixels"
        found.append(
            (what, f"{step['psnr_moving']:.1f} dB", f"still {step['still_psnr_moving']:.1f} dB")
        )
    return found
