"""How unsure a model is of a prediction, and whether that has been found to mean anything.

A number is what members of the model disagree by, or else how wide its pixel maps are. A model may
be wide and right, or sharp and wrong: only a measurement on recorded episodes tells from where on
the number is a warning, and some models have no such number (`scripts/measure_doubt`).
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from visual_foresight.types import Prediction
from visual_foresight.vision.regions import densest

FILE = "doubt.json"
"""Its name in the folder of a checkpoint."""
SHARE = 0.9
"""Of the mass of a pixel map that its region holds."""
LEAST_CORRELATION = 0.2
"""A number whose rank correlation with the error may be less than this is no warning."""


@dataclass(frozen=True)
class DoubtFindings:
    """What was found of a model's doubt, on points of objects that move."""

    signal: str
    """What the number is: `disagreement` of members, or `width` of pixel maps, in pixels."""
    correlation: float
    """Rank correlation (Spearman's) of the number with the error of the expected place."""
    low: float
    """Lower end of its interval of 95 %, over episodes."""
    high: float
    """Upper end of it."""
    threshold_px: float
    """Three quarters of the numbers are less."""
    error_less_px: float
    """Mean error where the number is at most the threshold."""
    error_more_px: float
    """Mean error where it is more."""
    num_points: int
    horizon: int
    """Steps ahead at which was measured."""
    data: str
    """Name of the folder of episodes."""

    @property
    def is_warning(self) -> bool:
        """Return whether a number above the threshold is a warning."""
        return self.low >= LEAST_CORRELATION


def doubts(prediction: Prediction, step: int, rank: int = 0) -> Float[np.ndarray, " p"]:
    """Return how unsure a model is of each designated pixel, in pixels.

    With members, that is the root mean square distance of their expected places from the mean of
    these; without, the radius of a circle as large as the 90 % region of the pixel map. It computes
    with NumPy alone (see `types.to_uint8`).

    Args:
        prediction: with pixel maps.
        step: how far ahead; 0 is after the first action.
        rank: which of the candidates.
    """
    height, width = prediction.frame_size
    if prediction.members:
        maps = np.stack([_maps(member, step, rank) for member in prediction.members])
        rows = (np.arange(maps.shape[-2]) + 0.5) * height / maps.shape[-2]
        cols = (np.arange(maps.shape[-1]) + 0.5) * width / maps.shape[-1]
        places = np.stack([maps.sum(-1) @ rows, maps.sum(-2) @ cols], -1)
        return np.sqrt(np.square(places - places.mean(0)).sum(-1).mean(0))
    found = _maps(prediction, step, rank)
    cell = height * width / max(found[0].size if len(found) else 1, 1)
    areas = [cell * densest(pixel_map, SHARE).sum() for pixel_map in found]
    return np.sqrt(np.array(areas) / np.pi)


def signal_of(prediction: Prediction) -> str:
    """Return what `doubts` says of a prediction: see `DoubtFindings.signal`."""
    return "disagreement" if prediction.members else "width"


def _maps(prediction: Prediction, step: int, rank: int) -> Float[np.ndarray, "p map_h map_w"]:
    return prediction.pixel_maps[rank, step].detach().float().cpu().numpy()


def read_findings(checkpoint: Path) -> DoubtFindings | None:
    """Return what was found of a checkpoint's doubt; None if nobody has measured it."""
    try:
        written = json.loads((checkpoint / FILE).read_text(encoding="utf-8"))
        return DoubtFindings(**written)
    except (OSError, ValueError, TypeError):  # it is missing, or of another version
        return None


def write_findings(checkpoint: Path, findings: DoubtFindings) -> None:
    """Write what was found of a checkpoint's doubt beside its weights."""
    text = json.dumps(asdict(findings), indent=2) + "\n"
    (checkpoint / FILE).write_text(text, encoding="utf-8")
