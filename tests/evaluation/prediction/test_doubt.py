"""Doubt in pixels, where it is known; and that a warning needs a measurement."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from visual_foresight.evaluation.prediction.doubt import (
    DoubtFindings,
    doubts,
    read_findings,
    signal_of,
    write_findings,
)
from visual_foresight.types import Pixel, Prediction
from visual_foresight.vision.pixel_maps import splat

SIZE = (40, 56)
FOUND = DoubtFindings("width", 0.4, 0.3, 0.5, 3.0, 2.0, 6.0, 100, 10, "sample")


def prediction(*places: Pixel) -> Prediction:
    """A prediction of one step for one candidate, in which the pixels are exactly there."""
    maps = splat(places, (20, 28), SIZE)[None, None]
    return Prediction(
        torch.zeros(1, 0, 3, *SIZE), maps, torch.zeros(1, 1, len(places)), None, SIZE
    )


def test_members_disagree_by_the_distance_from_their_mean():
    members = [
        prediction(Pixel(20.0, 20.0), Pixel(9, 9)),
        prediction(Pixel(20, 26), Pixel(9, 9)),
    ]
    joined = Prediction.average(members)
    assert signal_of(joined) == "disagreement"
    assert doubts(joined, 0) == pytest.approx(np.array([3, 0]), abs=1e-3)


def test_without_members_the_width_of_the_map_counts():
    flat = torch.zeros(1, 1, 2, 20, 28)
    flat[0, 0, 0, 3, 3] = 1
    flat[0, 0, 1, :10, :10] = 0.01
    wide = replace(prediction(), pixel_maps=flat, lost=torch.zeros(1, 1, 2))
    assert signal_of(wide) == "width"
    one_cell = np.sqrt(2 * 2 / np.pi)
    assert doubts(wide, 0) == pytest.approx(np.array([one_cell, np.sqrt(90) * one_cell]))


def test_a_warning_needs_a_correlation_that_is_there():
    assert FOUND.is_warning
    assert not replace(FOUND, low=0.1).is_warning


def test_findings_are_read_as_they_were_written(tmp_path):
    assert read_findings(tmp_path) is None
    write_findings(tmp_path, FOUND)
    assert read_findings(tmp_path) == FOUND
    (tmp_path / "doubt.json").write_text("{}")
    assert read_findings(tmp_path) is None
