"""`dataset.json`: round trips, and what is said about files that cannot be used."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visual_foresight.envs.dot import DotEnv
from visual_foresight.episodes.info import (
    INFO_NAME,
    DatasetInfo,
    describe,
    read_info,
    write_info,
)
from visual_foresight.types import UserError, Workspace

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
SMALL = st.floats(-9, 9)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@st.composite
def values(draw: st.DrawFn) -> dict[str, Any]:
    """Return the fields of a `DatasetInfo`, the workspace as its three limits."""
    size = draw(st.integers(1, 5))
    limits = draw(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=size, max_size=size))
    steps = st.lists(NUMBERS.filter(bool), min_size=size, max_size=size).map(tuple)
    row = st.tuples(SMALL, SMALL, SMALL)
    rows = st.tuples(row, row, row).filter(lambda rows: abs(np.linalg.det(rows)) > 1e-3)
    return {
        "env": draw(st.text()),
        "frame_size": draw(st.tuples(st.integers(1, 999), st.integers(1, 999))),
        "state_size": draw(st.integers(0, 99)),
        "workspace": (tuple(map(min, limits)), tuple(map(max, limits)), draw(steps)),
        "homography": draw(rows),
        "renderer": draw(st.text()),
        "package_version": draw(st.text()),
        "collection": draw(st.dictionaries(st.text(), JSON_VALUES)),
    }


@settings(max_examples=40, deadline=None)
@given(values())
def test_info_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("info")
    workspace = Workspace(*values["workspace"])
    info = DatasetInfo(**{**values, "workspace": workspace})
    write_info(folder, info)
    assert read_info(folder) == info
    assert info.action_size == len(workspace.high)
    assert [path.name for path in folder.iterdir()] == [INFO_NAME]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    env = DotEnv((20, 28))
    env.reset(seed=0)
    write_info(tmp_path, describe("dot", env, {"seed": 7}))
    return tmp_path


def test_the_description_is_the_envs(folder: Path) -> None:
    info, env = read_info(folder), DotEnv((20, 28))
    assert (info.env, info.frame_size, info.state_size) == ("dot", (20, 28), 2)
    assert info.workspace == env.workspace
    np.testing.assert_array_equal(info.homography, env.homography)
    assert (info.renderer, info.collection) == ("numpy", {"seed": 7})


def test_the_homography_has_its_first_name_in_the_file(folder: Path) -> None:
    content = json.loads((folder / INFO_NAME).read_text())
    assert "table" in content and "homography" not in content


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no JSON: Expecting value at line 1, column 1; correct it there"),
        ('{\n "env": "dot",\n}', "no JSON: .* at line 3, column 1"),
        ("[]", "the content of .* is wrong: an object in braces was expected, found"),
        ("{}", "has no field `schema_version`: add it"),
        ('{"schema_version": 1}', "has no field `env`"),
    ],
)
def test_a_file_that_is_no_description_is_refused_in_words(
    folder: Path, text: str, sentence: str
) -> None:
    (folder / INFO_NAME).write_text(text)
    with pytest.raises(UserError, match=sentence) as caught:
        read_info(folder)
    assert INFO_NAME in str(caught.value) and "delete" not in str(caught.value)


def test_a_file_in_another_encoding_is_refused_in_words(folder: Path) -> None:
    (folder / INFO_NAME).write_bytes(b'{"env": "d\xf6t"}')
    with pytest.raises(UserError, match="no text in UTF-8 .byte 10.: save it as UTF-8"):
        read_info(folder)


EYE = [[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]]
LIMITS = {"low": [0.0, 0.0], "high": [1.0, 1.0], "step": [0.1, 0.1]}


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        (
            "table",
            [[0, 0, 0]] * 3,
            "`table` .* a homography, which can be inverted, was expected",
        ),
        (
            "table",
            [*EYE[:2], [0, 0, float("nan")]],
            r"`table\[2\]\[2\]` .* a number .* found nan",
        ),
        ("table", [*EYE[:2], [0, 0, 10**400]], r"`table\[2\]\[2\]`"),
        ("table", EYE[:2], "`table` .* three rows of three numbers, or null,"),
        ("table", "none", "`table` .* found 'none'"),
        ("table", [*EYE[:2], "abc"], "`table` .* three rows"),
        (
            "workspace",
            {**LIMITS, "step": ["4 cm", 0.1]},
            r"`workspace.step\[0\]` .* found '4 cm'",
        ),
        ("workspace", {**LIMITS, "step": [0.1]}, "`workspace.low` .* as many numbers"),
        ("workspace", {**LIMITS, "step": [0.1, 0]}, r"`workspace.step\[1\]` .* not 0, was"),
        ("workspace", {**LIMITS, "low": [2, 0]}, r"`workspace.low\[0\]` .* at most"),
        ("workspace", None, "`workspace` .* an object in braces was expected, found None"),
        ("workspace", {"action_size": "2"}, "`workspace.action_size` .* a whole number"),
        ("collection", None, "`collection` .* an object in braces was expected, found None"),
        ("collection", [], "`collection`"),
        ("frame_size", [20], "`frame_size` .* two whole numbers"),
        ("frame_size", [20, True], "`frame_size`"),
        ("state_size", "four", "`state_size` .* a whole number of 0 or more .* found 'four'"),
        ("env", 3, "`env` .* a text was expected, found 3"),
        (
            "other_views",
            {"side": {"frame_size": [4, 4]}},
            "no field `other_views.side.homography`",
        ),
        ("main_view", 1, "`main_view`"),
    ],
)
def test_a_wrong_field_is_named_with_what_was_expected_and_found(
    folder: Path, field: str, value: Any, sentence: str
) -> None:
    content = json.loads((folder / INFO_NAME).read_text())
    (folder / INFO_NAME).write_text(json.dumps({**content, field: value}))
    with pytest.raises(UserError, match=sentence):
        read_info(folder)


def test_what_would_be_refused_is_not_written(folder: Path) -> None:
    before = (folder / INFO_NAME).read_bytes()
    info = read_info(folder)
    with pytest.raises(UserError, match="`table` .* can be inverted"):
        write_info(folder, replace(info, homography=((0.0, 0.0, 0.0),) * 3))
    assert (folder / INFO_NAME).read_bytes() == before
    # NumPy's numbers are written as plain ones.
    write_info(folder, replace(info, collection={"seed": np.int64(7)}))
    assert (folder / INFO_NAME).read_bytes() == before


def test_another_schema_is_refused_in_words(folder: Path) -> None:
    content = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps({**content, "schema_version": 99}))
    with pytest.raises(UserError, match="schema version 99"):
        read_info(folder)
