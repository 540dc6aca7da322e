"""What the program computes stays what it was (see `measure`)."""

import json

import numpy as np
import pytest

from tests.golden.measure import GROUPS, ROOT, VALUES, from_png

KNOWN = json.loads(VALUES.read_text())


def difference(name, found, wanted):
    """Return by how much two values differ.

    Frames by their mean, numbers by their largest difference.
    """
    if name == "frames":
        pairs = [
            (from_png(a).astype(float), from_png(b).astype(float))
            for a, b in zip(found, wanted, strict=True)
        ]
        return max(float(np.abs(a - b).mean()) for a, b in pairs)
    return float(np.abs(np.array(found) - np.array(wanted)).max())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("group", "member"),
    [(group, member) for group, (_, members) in GROUPS.items() for member in members],
)
def test_what_is_computed_stays_the_same(group, member):
    found = json.loads(json.dumps(GROUPS[group][0](member)))
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
    published = json.loads((ROOT / "models" / "rigid" / "trials.json").read_text())["trials"]
    first = [trial for trial in published if trial["suite"] == suite][
        : len(KNOWN["trials"][suite]["distances_m"])
    ]
    assert [trial["distances_m"] for trial in first] == KNOWN["trials"][suite]["distances_m"]
    assert [trial["task"] for trial in first] == KNOWN["tasks"][suite]["tasks"][: len(first)]
