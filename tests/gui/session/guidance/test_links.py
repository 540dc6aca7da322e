"""Links: what they ask for, and what of a state they say; no browser is needed."""

from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

from tests.fakes.checkpoints import untrained
from tests.gui.sessions import DOT, dot, make_goal, wait
from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.gui.session.goals import Draft
from visual_foresight.gui.session.guidance.links import parse_link, query_of, sentence_of
from visual_foresight.gui.session.guidance.opening import open_link
from visual_foresight.types import Pixel, UserError

MODELS = ("still", "random")


def query(text):
    return dict(parse_qsl(text))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("seed=abc", "a seed is a whole number"),
        (f"seed={2**64}", "a seed is a whole number"),
        ("objects=0", "a whole number of 1 or more, got '0'"),
        ("objects=-2", "a whole number of 1 or more"),
        ("source=3", "written ROW,COL, as in 40,20; got '3'"),
        ("source=nan,1", "written ROW,COL"),
        ("goal=3,4", "0 pixels as source and 1 as goal"),
        ("model=../../etc", "'../../etc', which is not installed here"),
        ("run=" + "x" * 501, "501 characters"),
    ],
)
def test_what_is_wrong_with_a_link_is_said_in_a_sentence(text, sentence):
    with pytest.raises(UserError) as refused:
        parse_link(query(text), MODELS)
    assert sentence in str(refused.value)
    assert ": " in str(refused.value) or "; " in str(refused.value)


def test_an_address_that_asks_for_nothing_is_no_link():
    assert parse_link({"token": "abcdefgh", "seed": ""}, MODELS) is None


def test_a_link_to_a_scene_and_its_goal_opens_them(session):
    place, target = make_goal(session)
    written = query_of(session.state)
    session.reset(replace(DOT, seed=8))
    wait(session)
    open_link(session, parse_link(query(written), MODELS))
    state = wait(session)
    assert state.settings.seed == 3 and dot(state.frame) == place
    assert state.draft == Draft().clicked(place).clicked(target)
    assert query_of(state) == written


def test_a_link_to_a_run_opens_it(session):
    session.choose(replace(DOT, num_steps=1))
    make_goal(session)
    session.run()
    state = wait(session)
    written = query_of(state)
    assert query(written)["run"] == state.entries[0].name
    session.reset()
    wait(session)
    open_link(session, parse_link(query(written), MODELS))
    assert wait(session).is_recorded


def test_a_link_is_refused_while_a_run_is_under_way_or_its_pixel_is_outside(session):
    make_goal(session)
    session.step()
    wait(session)
    open_link(session, parse_link({"seed": "5"}, MODELS))
    assert "A run is under way" in session.state.message and session.state.settings.seed == 3
    session.stop()
    wait(session)
    open_link(session, parse_link({"source": "90,3"}, MODELS))
    state = wait(session)
    assert "outside the frame" in state.message and state.draft == Draft()
    open_link(session, parse_link({"source": "9,3"}, MODELS))
    assert wait(session).draft == Draft().clicked(Pixel(9, 3))
    with pytest.raises(UserError, match="unknown env 'moon': choose one of"):
        open_link(session, parse_link({"env": "moon"}, MODELS))


def test_what_a_link_opens_is_said_and_what_it_leaves_out(session):
    opens = "The link was copied; on this machine it opens "
    assert sentence_of(session.state) == f"{opens}this scene"
    make_goal(session)
    assert sentence_of(session.state) == f"{opens}this scene and goal"
    session.step()
    wait(session)
    before = f"{opens}the scene and goal as set, before anything was moved"
    assert sentence_of(session.state) == before
    session.stop()
    (entry,) = wait(session).entries
    assert sentence_of(session.state) == f"{opens}the run {entry.name}"
    make_goal(session)
    since = f"{opens}the run {entry.name}, without the goal made since"
    assert sentence_of(session.state) == since
    session.plan()
    assert sentence_of(wait(session)) == before, "it is planned for, and not yet carried out"
    session.reset()
    wait(session)
    session.set_goal_image(ImageGoal(session.state.frame))
    image = f"{opens}this scene, without the goal image"
    assert sentence_of(session.state) == image and "source" not in query_of(session.state)


def test_a_link_whose_model_has_other_frames_is_opened(session, tmp_path):
    session.choose(replace(DOT, num_steps=1))
    make_goal(session)
    session.run()
    (entry,) = wait(session).entries
    model = str(untrained(tmp_path / "wide", (48, 80), name="flow"))
    link = parse_link({"model": model, "seed": "5", "source": "40,70"}, (model,))
    assert link is not None
    open_link(session, link)
    state = wait(session)
    assert not state.is_error, state.message
    assert state.frame.shape == (48, 80, 3) and state.settings.seed == 5
    assert state.draft == link.draft and state.settings.model == model
    open_link(session, parse_link({"model": "flow", "run": entry.name}, ("flow",)))
    state = wait(session)
    assert state.is_recorded and state.entry_name == entry.name and not state.is_error
    assert state.frame.shape == (64, 64, 3), "the scene has the frames of the model"
