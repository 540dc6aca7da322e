"""`dataset.json`: round trips, and what is said about files that cannot be used."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.episodes import noise_episode
from visual_foresight.envs.dot import DotEnv
from visual_foresight.episodes.info import (
    INFO_NAME,
    DatasetInfo,
    describe,
    misfit,
    read_info,
    write_info,
)
from visual_foresight.types import UserError, Workspace

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@st.composite
def values(draw: st.DrawFn) -> dict[str, Any]:
    """Return the fields of a `DatasetInfo`, the workspace as its three limits."""
    size = draw(st.integers(1, 5))
    limit = st.lists(NUMBERS, min_size=size, max_size=size).map(tuple)
    row = st.tuples(NUMBERS, NUMBERS, NUMBERS)
    return {
        "env": draw(st.text()),
        "frame_size": draw(st.tuples(st.integers(1, 999), st.integers(1, 999))),
        "state_size": draw(st.integers(0, 99)),
        "workspace": draw(st.tuples(limit, limit, limit)),
        "homography": draw(st.tuples(row, row, row)),
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
    info = DatasetInfo(**{**values, "workspace": Workspace(*values["workspace"])})
    write_info(folder, info)
    assert read_info(folder) == info
    assert info.action_size == len(info.workspace.high)
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


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema_version": 1}'])
def test_a_damaged_info_is_refused_in_words(folder: Path, text: str) -> None:
    (folder / "dataset.json").write_text(text)
    with pytest.raises(UserError, match=r"dataset\.json is damaged"):
        read_info(folder)


def test_another_schema_is_refused_in_words(folder: Path) -> None:
    content = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps({**content, "schema_version": 99}))
    with pytest.raises(UserError, match="schema version 99"):
        read_info(folder)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, None),
        (
            {"frames": np.zeros((4, 28, 20, 3), np.uint8)},
            "has frames of (height, width, channels) (28, 20, 3), not (20, 28, 3)",
        ),
        ({"actions": np.zeros((3, 4), np.float32)}, "has actions of size 4, not 2"),
        ({"states": np.zeros((4, 5), np.float32)}, "has states of size 5, not 2"),
        ({"states": np.full((4, 2), np.nan, np.float32)}, "has a NaN"),
        ({"actions": np.full((3, 2), np.inf, np.float32)}, "has a NaN"),
    ],
)
def test_a_misfit_is_named(folder: Path, changes: dict[str, Any], sentence: str | None) -> None:
    fitting = noise_episode(num_actions=3, frame_size=(20, 28), state_size=2)
    assert misfit(replace(fitting, **changes), read_info(folder)) == sentence
