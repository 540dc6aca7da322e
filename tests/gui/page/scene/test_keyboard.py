"""Making a goal by keys alone, and what is said of each place: no browser, a real session."""

import pytest

from tests.gui import sessions
from visual_foresight.gui.page.prediction.timeline import Timeline
from visual_foresight.gui.page.scene.goal_editor import GoalEditor
from visual_foresight.gui.page.scene.spoken import spoken_hold, spoken_place
from visual_foresight.gui.session.goals import Draft, Handle, Pair
from visual_foresight.types import Pixel

MIDDLE = Pixel(32, 32)


@pytest.fixture
def editor(session):
    timeline = Timeline()
    timeline.follow(session.state)
    return GoalEditor(session, timeline)


def keys(editor, *names):
    for name in names:
        assert editor.type(name.removeprefix("Shift+"), name.startswith("Shift+"))


def test_each_cell_says_what_is_there_and_which_marks():
    draft = Draft((Pair(Pixel(3, 4), Pixel(9, 8)), Pair(Pixel(5, 5), Pixel(5, 5))))

    def describe(pixel):
        return "an object" if pixel.row < 6 else ""

    for pixel, said in (
        (Pixel(3, 4), "row 3, column 4: an object, designated pixel 1"),
        (Pixel(9, 8), "row 9, column 8: goal of pixel 1"),
        (Pixel(5, 5), "row 5, column 5: an object, pixel 2, to keep still"),
        (Pixel(7, 7), "row 7, column 7"),
        (None, ""),
    ):
        assert spoken_place(pixel, describe, draft) == said
    held = spoken_hold("row 9, column 8", Handle(0, "target"))
    assert held == "holding the goal of pixel 1, row 9, column 8"
    assert spoken_hold("row 9, column 8", None) == "row 9, column 8"


def test_a_marker_is_taken_moved_and_let_go_and_one_undo_takes_that_back(session, editor):
    keys(editor, "Enter", "Shift+ArrowRight", "Enter")
    pair = Pair(MIDDLE, Pixel(32, 40))
    assert session.state.draft.pairs == (pair,)
    keys(editor, "Enter", "ArrowUp", "Shift+ArrowUp")
    assert editor.in_hand == Handle(0, "target")
    keys(editor, "Enter", "ArrowDown")
    assert editor.in_hand is None
    assert session.state.draft.pairs == (Pair(MIDDLE, Pixel(23, 40)),)
    keys(editor, "Backspace")
    assert session.state.draft.pairs == (pair,)


def test_an_open_pair_is_closed_on_a_marker(session, editor):
    keys(editor, "Enter", "Enter")
    assert session.state.draft.pairs == (Pair(MIDDLE, MIDDLE),)


def test_a_recording_is_explored_and_not_changed(session, editor):
    sessions.make_goal(session)
    session.run()
    name = sessions.wait(session, lambda state: state.is_idle and state.entry_name).entry_name
    session.open(name)
    sessions.wait(session, lambda state: state.is_recorded)
    keys(editor, "ArrowUp")
    assert editor.cursor == Pixel(31, 32)
    keys(editor, "Enter", "Backspace", " ")
    assert session.state.draft == Draft()
    assert session.state.is_recorded
