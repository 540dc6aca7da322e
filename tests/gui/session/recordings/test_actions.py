"""Actions made by hand."""

import numpy as np
import pytest

from visual_foresight.gui.session.recordings.actions import Actions, Stretch, stretches_of
from visual_foresight.types import UserError


def test_stretches_are_held_one_after_the_other():
    actions = (
        Actions("hand").with_added(Stretch((1.0, -0.5), 2)).with_added(Stretch((0.0, 1.0)))
    )
    np.testing.assert_array_equal(actions.by_hand(), [[1, -0.5], [1, -0.5], [0, 1]])
    assert actions.num_by_hand == 3
    assert actions.stretches[0].text == "2 x (1, -0.5)"


def test_one_stretch_is_changed_or_removed():
    first, second, other = Stretch((1.0,)), Stretch((0.5,), 3), Stretch((-1.0,), 2)
    actions = Actions("hand", (first, second))
    assert actions.with_changed(1, other).stretches == (first, other)
    assert actions.with_changed(0, None).stretches == (second,)


def test_recorded_actions_become_stretches_that_give_them_back():
    recorded = np.array([[0.25, -1.0005], [0.0, 0.5]], np.float32)
    actions = Actions("hand", stretches_of(recorded))
    np.testing.assert_array_equal(actions.by_hand(), recorded.clip(-1, 1))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Stretch((1.5,)), "are in"),
        (lambda: Stretch((float("nan"),)), "are in"),
        (lambda: Stretch((1.0,), 0), "held for 1 to 200 steps"),
        (lambda: Actions("hand", (Stretch((1.0,), 150),) * 2), "at most 200 steps"),
        (lambda: Actions("hand").by_hand(), "press Add"),
    ],
)
def test_what_is_no_action_is_refused(make, words):
    with pytest.raises(UserError, match=words):
        make()
