"""The way from a click in a real browser to the action that the robot carries out."""

from pathlib import Path

import pytest

from benchmarks import click_walk
from visual_foresight.predictors.registry import FLAGSHIP

pytestmark = pytest.mark.slow
PAGE = Path(__file__).parents[3] / "docs" / "architecture.md"


def test_the_way_is_short_and_the_documents_walk_it(browser, tmp_path):
    functions = click_walk.way(browser, tmp_path, FLAGSHIP)
    for name, figure in click_walk.figures_of(functions).items():
        assert figure["value"] <= figure["bar"], (name, functions)
    assert all(milestone in functions for milestone in click_walk.MILESTONES)
    walk = PAGE.read_text().split("## ")[2]
    assert [file for file in click_walk.files_of(functions) if f"`{file}`" not in walk] == []
