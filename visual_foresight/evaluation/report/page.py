"""The report of `evaluate prediction`: tables, plots, filmstrips and the action fan on one page.

It is one HTML file that needs no network and no other file, follows the reader's choice of light
or dark, and carries its figures as JSON.
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
from visual_foresight.evaluation.prediction.segments import Segment, batch_of
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
HEADLINE_STEP = 10
"""Imagined step whose figures stand at the top; the last one, where there are fewer."""


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
        figures: what `evaluate_model` returns.
        predictor: what was evaluated; of one that draws futures, the first one is shown.
        evaluation: what the figures are made of.
        info: what the episodes have in common.
    """
    shown = predictor.resampled(1) if isinstance(predictor, Sampler) else predictor
    strips = tuple(
        _filmstrip(shown, segment, title) for title, segment in _chosen(evaluation).items()
    )
    fan = action_fan(shown, _liveliest(evaluation), info)
    headline_step = str(min(HEADLINE_STEP, len(figures["steps"])))
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
    write_bytes(path, page.encode(errors="backslashreplace"))  # names of files may be no text


@torch.inference_mode()
def _filmstrip(predictor: Predictor, segment: Segment, title: str) -> Filmstrip:
    future = imagine(predictor, batch_of([segment]))
    where = f"episode {segment.episode}, from frame {segment.start}"
    return filmstrip(predictor, segment, future, f"{title}: {where}")


def _chosen(evaluation: Evaluation) -> dict[str, Segment]:
    """Return the best, the middle and the worst segment, by their titles.

    They are ranked by the mean over steps of the designated pixel's error over the baseline's,
    where objects move and the predictor moves maps, and by that of PSNR otherwise.
    """
    measurements = evaluation.measurements
    if "ratio" in measurements and (measurements["ratio"].weights.sum(1) > 0).any():
        measurement = measurements["ratio"]
        what = "error of the object's pixel over still's"
        sign = 1
    else:
        measurement = measurements["psnr"]
        what = "PSNR"
        sign = -1
    counted = np.flatnonzero(measurement.weights.sum(1) > 0)
    values = measurement.values[counted].sum(1) / measurement.weights[counted].sum(1)
    order = counted[np.argsort(sign * values, kind="stable")]
    if len(order) < 3:
        ranks = {f"Clip {rank + 1}": rank for rank in range(len(order))}
    else:
        ranks = {
            "The best clip": 0,
            "The middle clip": len(order) // 2,
            "The worst clip": len(order) - 1,
        }
    return {
        f"{name} by {what}": evaluation.segments[order[rank]] for name, rank in ranks.items()
    }


def _liveliest(evaluation: Evaluation) -> Segment:
    """Return the segment in which points on objects move most, or else the most pixels move.

    There, actions matter.
    """
    measurements = evaluation.measurements
    candidates = []
    if "still_px" in measurements:
        candidates.append(measurements["still_px"].values)
    if "psnr_moving" in measurements:
        candidates.append(measurements["psnr_moving"].weights)
    for motion in candidates:
        if motion.any():
            return evaluation.segments[int(motion.sum(1).argmax())]
    return evaluation.segments[0]


def _headlines(step: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return (what, value, note) of the figures of a step that stand at the top."""
    found = []
    if "ratio" in step:
        low, high = step["interval_ratio"]
        found.append(
            ("object error over still", f"{step['ratio']:.2f}", f"[{low:.2f}, {high:.2f}]")
        )
        low, high = step["interval_px"]
        note = f"[{low:.1f}, {high:.1f}], still {step['still_px']:.1f}"
        found.append(("object error", f"{step['error_px']:.1f} px", note))
        found.append(
            ("truth in the 90 % region", f"{step['coverage_90']:.0%}", "90 % would be right")
        )
    found.append(("PSNR", f"{step['psnr']:.1f} dB", f"still {step['still_psnr']:.1f} dB"))
    found.append(("SSIM", f"{step['ssim']:.3f}", f"still {step['still_ssim']:.3f}"))
    if "psnr_moving" in step:
        note = f"still {step['still_psnr_moving']:.1f} dB"
        found.append(("PSNR of moving pixels", f"{step['psnr_moving']:.1f} dB", note))
    return found
