"""Making a goal, click by click."""

from hypothesis import given
from hypothesis import strategies as st

from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.gui.session.goals import Draft, Handle, Pair
from visual_foresight.types import Pixel

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


PLACES = st.builds(Pixel, st.integers(0, 47).map(float), st.integers(0, 63).map(float))
PAIRS = st.lists(st.tuples(PLACES, PLACES), min_size=1, max_size=4)


def draft_of(pairs):
    draft = Draft()
    for source, target in pairs:
        draft = draft.clicked(source).clicked(target)
    return draft


@given(PAIRS)
def test_what_is_clicked_is_the_goal_and_a_half_pair_is_none(pairs):
    draft = draft_of(pairs)
    sources, targets = zip(*pairs, strict=True)
    assert draft.goal == PixelGoal(sources, targets) and not draft.is_open
    half = draft.clicked(A)
    assert half.is_open and half.goal is None
    assert half.kept(B) == draft.kept(B)


@given(PAIRS, PLACES, st.data())
def test_what_is_dragged_away_and_back_is_as_it_was(pairs, there, data):
    draft = draft_of(pairs)
    source, target = data.draw(st.sampled_from(pairs))
    place = data.draw(st.sampled_from((source, target)))
    handle = draft.handle_at(place, reach_px=0)
    assert handle is not None
    away = draft.dragged(handle, there)
    assert away.dragged(handle, place) == draft
    assert len(away.pairs) == len(draft.pairs)
    changed = [one != other for one, other in zip(draft.pairs, away.pairs, strict=True)]
    assert changed == [index == handle.index and there != place for index in range(len(pairs))]
    grabbed = away.handle_at(there, reach_px=0)
    assert grabbed is not None


@given(PAIRS, PLACES, st.floats(0, 100))
def test_the_marker_that_is_found_is_the_nearest_within_reach(pairs, place, reach_px):
    draft = draft_of(pairs)
    distances = [place.distance(end) for pair in pairs for end in pair]
    handle = draft.handle_at(place, reach_px)
    if handle is None:
        assert min(distances) > reach_px
        return
    source, target = pairs[handle.index]
    found = source if handle.end == "source" else target
    assert place.distance(found) == min(distances) <= reach_px
