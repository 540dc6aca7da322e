"""The suite `pusht25`: its pairs, its tasks, and its three criteria."""

import json
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.pusht25 import lies_inside, make_pairs, moves
from visual_foresight.envs.pusht.env import PushTEnv
from visual_foresight.evaluation.control.command import ControlConfig, evaluate_control
from visual_foresight.evaluation.control.criteria import Errors, criteria_figures
from visual_foresight.evaluation.control.goal_pairs import (
    PAIR_SUITES,
    PAIRS_FOLDER,
    block_pose,
    designated_mm,
    read_pairs,
)
from visual_foresight.evaluation.control.outcomes import as_text
from visual_foresight.types import UserError

SUITE = PAIR_SUITES["pusht25"]


def test_the_committed_pairs_are_those_that_the_seed_makes():
    committed = json.loads((PAIRS_FOLDER / "pusht25.json").read_text())
    assert len(committed) == 100
    assert len({pair["episode"] for pair in committed}) == 100
    for made, kept in zip(make_pairs(2), committed[:2], strict=True):
        for name, value in made.items():
            np.testing.assert_allclose(kept[name], value, atol=1e-3)


def test_the_t_moves_in_every_pair_and_is_seen():
    for pair in read_pairs("pusht25"):
        x, y, angle = pair.goal_letter
        letter = replace(pair.start.table.letters[0], place_mm=(x, y), angle=angle)
        goal = replace(pair.start, table=replace(pair.start.table, letters=(letter,)))
        assert moves(pair.start, goal)
        assert lies_inside(pair.start) and lies_inside(goal)


@pytest.mark.parametrize("size", [(64, 64), (48, 72)])
def test_a_task_begins_in_its_state_with_two_points_on_the_t(size):
    with closing(PushTEnv(size)) as env:
        task = SUITE.task(env, 0, 3)
        points = task.begin(env)
        assert [point.kind for point in points] == ["object", "object"]
        np.testing.assert_allclose(env.truth()[0, :2] * 1000, np.array(task.pair.letter[:2]))
        for point, source in zip(points, task.goal.sources, strict=True):
            assert env.where(point)[0].distance(source) < 1e-6
        other = SUITE.task(env, 0, 4)
        assert other.fingerprint != task.fingerprint
        with pytest.raises(UserError, match="has 100 pairs"):
            SUITE.task(env, 0, 100)


def test_two_points_tell_the_pose():
    pose = block_pose(designated_mm((200.0, 300.0, 0.0)))
    np.testing.assert_allclose(pose, (200.0, 255.0, 0.0), atol=1e-9)
    turned = block_pose(designated_mm((200.0, 300.0, np.pi / 2)))
    np.testing.assert_allclose(turned, (245.0, 300.0, np.pi / 2), atol=1e-9)


def errors(block_mm, degrees=0.0, agent_mm=0.0):
    count = len(block_mm)
    return Errors(
        np.full(count, float(agent_mm)),
        np.array(block_mm, float),
        np.full(count, float(degrees)),
    )


def test_criteria():
    missed = dict.fromkeys(
        ("common", "common_at_end", "block", "block_at_end", "strict"), False
    )
    assert errors([90, 30, 25]).successes() == missed
    passing = errors([90, 15, 30]).successes()
    assert passing == missed | {"common": True, "block": True}
    far_agent = errors([90, 15, 15], agent_mm=14).successes()
    assert far_agent == missed | {"block": True, "block_at_end": True}
    assert errors([90, 15, 15], degrees=20).successes() == missed
    held = errors([90, 9, 9, 9, 30]).successes()
    assert held["strict"] and not held["block_at_end"]
    assert not errors([90, 9, 9, 30, 9]).successes()["strict"]
    assert not errors([9, 9, 9], degrees=10).successes()["strict"]


def test_figures_are_shares_of_trials_and_come_back_from_json():
    records = [{"errors": errors(each).to_json()} for each in ([5, 5, 5], [90, 90, 90])]
    figures = criteria_figures(records)
    assert figures["success_strict"] == figures["success_block_at_end"] == 0.5
    assert figures["interval_strict"][0] < 0.5 < figures["interval_strict"][1]
    assert criteria_figures([{}]) == {}


def test_doing_nothing_never_succeeds(tmp_path):
    config = ControlConfig(
        methods=("nothing",), suites=("pusht25",), trials=3, workers=1, out=tmp_path
    )
    figures = evaluate_control(config)
    row = figures["suites"]["pusht25"]["nothing"]
    assert row["success_block"] == row["success_strict"] == 0
    assert row["trials"] == 3
    assert "T, strict" in as_text(figures)
