"""A program that is killed in the middle of a run loses the step under way, and no more."""

import pytest

from benchmarks.campaigns.kill_page import BARS, kill_again_and_again
from visual_foresight.gui.session.archive import Archive

pytestmark = pytest.mark.slow
NUM_KILLS = 2
EARLY = 4
"""A seed of which both moments are in the first third of a run."""


def test_a_killed_program_loses_the_step_under_way_and_no_more(browser, tmp_path):
    out = tmp_path / "out"
    campaign = kill_again_and_again(browser, out, NUM_KILLS, EARLY)
    figures = campaign.figures()
    assert {name: figures[name] for name in BARS} == BARS, campaign.kills
    assert figures["cut_off"] + figures["moved_nothing"] == NUM_KILLS
    assert figures["cut_off"], "at least one run had moved something"
    archive = Archive(out)
    for entry in archive.entries:
        assert len(archive.open(entry.name).plans) == entry.num_steps
    assert Archive(out).entries == archive.entries, "each was finished once"
