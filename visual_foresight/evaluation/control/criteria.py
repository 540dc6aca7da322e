"""When a trial with a recorded goal has succeeded: three criteria that others use, side by side.

`common`: agent and block together within 20 px, and the block within 20 degrees (DINO-WM,
`env/pusht/pusht_wrapper.py`; stable-worldmodel). `block`: the block alone within 20 px and 20
degrees. `strict`: the block within 10 px and 10 degrees, held for three steps (CLEAR-LeWM). A pixel
of theirs is a millimetre.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from visual_foresight.evaluation.statistics import wilson
from visual_foresight.evaluation.tables import Table

WIDE_MM, WIDE_DEGREES = 20.0, 20.0
NARROW_MM, NARROW_DEGREES = 10.0, 10.0
HELD = 3
"""States in a row in which `strict` must hold: they are half a second apart, theirs a tenth."""
TITLES = {
    "common": "common, at some time",
    "common_at_end": "at the end",
    "block": "T, at some time",
    "block_at_end": "at the end",
    "strict": "T, strict",
}
"""Criterion -> head of its column."""


@dataclass(frozen=True)
class Errors:
    """How far a trial was from its goal, before the first and after each action."""

    agent_mm: Float[np.ndarray, " t"]
    block_mm: Float[np.ndarray, " t"]
    degrees: Float[np.ndarray, " t"]

    def to_json(self) -> list[list[float]]:
        """Return a list of [agent_mm, block_mm, degrees]."""
        columns = np.stack([self.agent_mm, self.block_mm, self.degrees], 1)
        return [[round(float(value), 3) for value in row] for row in columns]

    @classmethod
    def from_json(cls, written: list[list[float]]) -> "Errors":
        """Make them of what `to_json` returned."""
        agent_mm, block_mm, degrees = np.array(written, np.float64).T
        return cls(agent_mm, block_mm, degrees)

    def successes(self) -> dict[str, bool]:
        """Return for each criterion whether it was met."""
        together = np.hypot(self.agent_mm, self.block_mm)
        is_turned = self.degrees < WIDE_DEGREES
        common = (together < WIDE_MM) & is_turned
        block = (self.block_mm < WIDE_MM) & is_turned
        narrow = (self.block_mm < NARROW_MM) & (self.degrees < NARROW_DEGREES)
        return {
            "common": bool(common.any()),
            "common_at_end": bool(common[-1]),
            "block": bool(block.any()),
            "block_at_end": bool(block[-1]),
            "strict": _longest_run(narrow) >= HELD,
        }


def _longest_run(holds: Bool[np.ndarray, " t"]) -> int:
    """Return the most true values in a row."""
    longest = run = 0
    for each in holds:
        run = run + 1 if each else 0
        longest = max(longest, run)
    return longest


def criteria_figures(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the share of trials that met each criterion, with Wilson intervals.

    Args:
        records: of trials; those without "errors" have no figures.
    """
    if not records or not all("errors" in record for record in records):
        return {}
    met = [Errors.from_json(record["errors"]).successes() for record in records]
    figures: dict[str, Any] = {}
    for name in TITLES:
        rate = wilson(sum(each[name] for each in met), len(met))
        figures[f"success_{name}"] = rate.value
        figures[f"interval_{name}"] = [rate.low, rate.high]
    return figures


def criteria_table(title: str, rows: dict[str, dict[str, Any]]) -> Table | None:
    """Return the table of the criteria, or None where no row has them."""
    cells = []
    for row, figures in rows.items():
        if "success_strict" not in figures:
            continue
        texts = []
        for name in TITLES:
            low, high = figures[f"interval_{name}"]
            texts.append(f"{figures[f'success_{name}']:.2f} [{low:.2f}, {high:.2f}]")
        cells.append((row, str(figures["trials"]), *texts))
    return Table(title, ("method", "trials", *TITLES.values()), tuple(cells)) if cells else None
