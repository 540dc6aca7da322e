"""What the program computes stays the same (see `measure`)."""

import json

import numpy as np
import pytest

from tests.golden.measure import GROUPS, ROOT, VALUES, from_png

KNOWN = json.loads(VALUES.read_text())


def difference(name, found, wanted):
    """Return the largest difference of two values: of frames, the mean over their pixels."""
    if name == "frames":
        return max(
            float(np.abs(from_png(one).astype(float) - from_png(other).astype(float)).mean())
            for one, other in zip(found, wanted, strict=True)
        )
    return float(np.abs(np.array(found) - np.array(wanted)).max())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("group", "member"),
    [(group, member) for group, (_, members) in GROUPS.items() for member in members],
)
def test_what_is_computed_stays_the_same(group, member):
    measure, _ = GROUPS[group]
    found = json.loads(json.dumps(measure(member)))
    wanted = KNOWN[group][member]
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        tolerance = KNOWN["tolerances"].get(name)
        if tolerance is None:
            assert found[name] == value, name
        else:
            assert difference(name, found[name], value) <= tolerance, name


@pytest.mark.parametrize("suite", KNOWN["trials"])
def test_the_trials_are_the_published_ones(suite):
    distances_m = KNOWN["trials"][suite]["distances_m"]
    tasks = KNOWN["tasks"][suite]["tasks"]
    published = json.loads((ROOT / "models" / "rigid" / "trials.json").read_text())["trials"]
    of_suite = [trial for trial in published if trial["suite"] == suite]
    first = of_suite[: len(distances_m)]
    assert [trial["distances_m"] for trial in first] == distances_m
    assert [trial["task"] for trial in first] == tasks[: len(first)]
