"""Fingerprints tell JSON values apart, and nothing else."""

from visual_foresight.system.fingerprint import fingerprint


def test_equal_values_have_equal_fingerprints() -> None:
    assert fingerprint({"a": 1, "b": [2.5, None]}) == fingerprint({"b": [2.5, None], "a": 1})
    assert len(fingerprint([])) == 16


def test_other_values_have_other_fingerprints() -> None:
    values: tuple[object, ...] = ({}, [], {"a": 1}, {"a": 2}, {"b": 1}, [1, 2], [2, 1], "1", 1)
    assert len({fingerprint(value) for value in values}) == len(values)
