"""The program of `scripts/check_python` keeps up with the package that it calls."""

import sys

from benchmarks.another_python import import_everything, plan_with_dot


def test_a_short_trial_in_the_world_of_the_dot():
    trial = plan_with_dot("still", num_steps=2)
    assert len(trial.plans) == 2
    assert trial.episode.frames.shape == (3, 64, 64, 3)


def test_every_module_is_imported():
    assert import_everything() > 100
    assert {"visual_foresight.cli", "visual_foresight.gui.page.page"} <= sys.modules.keys()
