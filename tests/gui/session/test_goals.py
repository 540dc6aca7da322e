"""Making a goal, click by click."""

from visual_foresight.gui.session.goals import Draft, Handle, Pair
from visual_foresight.types import Pixel, PixelGoal

A, B, C, D = Pixel(1, 2), Pixel(9, 4), Pixel(5, 20), Pixel(7, 21)


def test_two_clicks_make_a_goal_and_two_more_a_second_pair():
    draft = Draft().clicked(A)
    assert draft.is_open and draft.goal is None
    draft = draft.clicked(B)
    assert draft.goal == PixelGoal((A,), (B,))
    assert draft.clicked(C).goal is None, "half a pair is no goal"
    assert draft.clicked(C).clicked(D).goal == PixelGoal((A, C), (B, D))


def test_what_keeps_still_drops_an_open_pair():
    draft = Draft().kept(C).clicked(A).clicked(B)
    assert draft.goal == PixelGoal((C, A), (C, B))
    assert Draft().clicked(A).kept(C).pairs == (Pair(C, C),)


def test_markers_are_found_and_dragged():
    draft = Draft().clicked(A).clicked(B).kept(C)
    assert draft.handle_at(Pixel(8, 4), 2) == Handle(0, "target")
    assert draft.handle_at(Pixel(12, 12), 2) is None
    assert draft.dragged(Handle(0, "target"), D).goal == PixelGoal((A, C), (D, C))
    assert draft.dragged(Handle(0, "source"), D).goal == PixelGoal((D, C), (B, C))
    handle = draft.handle_at(C, 2)
    assert handle is not None and draft.dragged(handle, D).pairs[1] == Pair(D, D)


def test_of_two_markers_in_one_place_the_newest_is_grabbed():
    assert Draft().kept(A).kept(A).handle_at(A, 1) == Handle(1, "source", both=True)


def test_a_marker_dragged_across_its_partner_is_not_welded_to_it():
    draft = Draft().clicked(A).clicked(B)
    handle = draft.handle_at(B, 1)
    assert handle is not None
    assert draft.dragged(handle, A).dragged(handle, D).goal == PixelGoal((A,), (D,))
