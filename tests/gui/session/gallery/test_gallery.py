"""What is had of kept runs, and what deleting takes: of runs that differ in what is known of them.

The same few runs serve all tests, which copy what they change.
"""

import json
import re
import shutil
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO

import imageio.v3 as iio
import numpy as np
import pytest

from tests.gui.sessions import DOT, make_goal, wait
from visual_foresight.episodes.validation import validate
from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.gui.session.archive import CUT_OFF, Archive
from visual_foresight.gui.session.gallery.gallery import EXPORTS, MOST_COMPARED, Gallery
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.settings import Settings
from visual_foresight.gui.session.view_only import ViewOnly
from visual_foresight.types import UserError

REACHED, RANDOM, FAN, IMAGE, OLDER, CUT = [f"dot-{number:06d}" for number in range(6)]
NOTE = "<script>alert(1)</script> & a second\nline"


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """An output folder with a run of each kind."""
    out = tmp_path_factory.mktemp("kept") / "out"
    session = Session(replace(DOT, num_steps=1), out)
    wait(session)
    make_goal(session, right=3)
    session.run()
    assert wait(session).entries[-1].outcome == "reached"
    session.reset(replace(DOT, num_steps=3, model="random"))
    wait(session)
    make_goal(session)
    session.run()
    wait(session)
    session.reset(replace(DOT, num_steps=3))
    wait(session)
    session.imagine_fan()
    wait(session)
    session.carry_out(1)
    wait(session)
    session.reset(replace(DOT, num_steps=3))
    session.set_goal_image(ImageGoal(255 - wait(session).frame))
    session.run()
    wait(session)
    for _ in range(2):
        make_goal(session)
        session.run()
        wait(session)
    assert session.write_note(REACHED, NOTE)
    names = [entry.name for entry in session.state.entries]
    session.close()
    assert names == [REACHED, RANDOM, FAN, IMAGE, OLDER, CUT]
    shutil.rmtree(out / "imagined" / OLDER)
    _cut_off(out, CUT)
    return out


def _cut_off(out, name):
    """Leave a run as a program leaves it that is killed."""
    notes = out / "imagined" / name / "run.json"
    kept = json.loads(notes.read_text())
    notes.write_text(json.dumps({**kept, "finished": False}))
    (out / "dot" / f"episode_{name[-6:]}.hdf5").unlink()


@pytest.fixture
def gallery(kept):
    return Gallery(Archive(kept))


@pytest.fixture
def opened(kept, tmp_path):
    """A session on a copy of the folder."""
    out = tmp_path / "out"
    shutil.copytree(kept, out)
    session = Session(DOT, out)
    wait(session)
    yield session, out
    session.close()


class Page(HTMLParser):
    """Reads a report: what it would load, and its texts."""

    def __init__(self, content):
        super().__init__()
        self.loaded: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(content.decode())
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.loaded += [value for name, value in attrs if name in ("src", "href", "srcset")]

    def handle_data(self, data):
        self.words.append(data)


@pytest.mark.parametrize(
    ("name", "said", "unsaid"),
    [
        (REACHED, ("Reached: ", "simulator's judge", "one step before"), ()),
        (RANDOM, ("random imagines nothing.", "Designated pixel"), ("Least cost",)),
        (FAN, ("Fan: ", "None: the actions were chosen"), ("Distance", "reached")),
        (IMAGE, ("Done: ", "An image", "difference of what the camera saw"), ("cm to go",)),
        (OLDER, ("was not kept", "Planned in, s"), ("one step before",)),
        (CUT, ("Cut off: ", "one step before"), ()),
    ],
)
def test_a_report_says_what_is_known_of_a_run_and_loads_nothing(gallery, name, said, unsaid):
    page = Page(gallery.export(name, ".html"))
    for text in (*said, name, "Versions", "visual-foresight", "Settings", "Every step"):
        assert text in page.text, text
    for text in unsaid:
        assert text not in page.text, text
    assert page.loaded and all(url.startswith("data:image/") for url in page.loaded)
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    assert "url(" not in page.text and "@import" not in page.text
    assert (NOTE.split("\n")[0] in page.text) == (name == REACHED)


def test_figures_have_the_names_of_the_command_line_and_the_run_s_numbers(gallery, kept):
    figures = json.loads(gallery.export(REACHED, ".json"))
    trial = Archive(kept).open(REACHED)
    assert figures["success"] is True and figures["note"] == NOTE
    assert figures["final_distance_cm"] == round(100 * trial.distances_m[-1], 2)
    assert figures["distances_m"] == list(trial.distances_m)
    assert figures["settings"]["model"] == "still" and figures["settings"]["seed"] == 3
    np.testing.assert_array_equal(np.float32(figures["actions"]), trial.episode.actions)
    steps = figures["num_steps"]
    for name in ("actions", "plan_seconds", "best_costs"):
        assert len(figures[name]) == steps, name
    assert figures["replan_seconds_median"] == pytest.approx(
        np.median(figures["plan_seconds"]), abs=1e-3
    )
    assert set(figures["versions"]) >= {"visual-foresight", "python", "torch"}
    of_fan = json.loads(gallery.export(FAN, ".json"))
    assert of_fan["goal"] is None and of_fan["distances"] == of_fan["distances_m"] == []
    assert "success" not in of_fan
    assert json.loads(gallery.export(OLDER, ".json"))["best_costs"] == []


def test_an_exported_episode_is_a_dataset_that_validates(gallery, kept, tmp_path):
    for name in (REACHED, FAN, CUT):
        with zipfile.ZipFile(BytesIO(gallery.export(name, ".zip"))) as content:
            content.extractall(tmp_path)
        assert validate(tmp_path / name).num_sound == 1
        (episode,) = (tmp_path / name).glob("episode_*")
        assert episode.read_bytes() == (kept / "dot" / episode.name).read_bytes()


def test_animations_are_exported_as_they_are_kept(gallery, kept):
    content = {suffix: gallery.export(RANDOM, suffix) for suffix in (".gif", ".mp4")}
    for suffix, each in content.items():
        assert each == (kept / f"{RANDOM}{suffix}").read_bytes()
    assert len(iio.imread(content[".gif"])) > 3
    assert content[".mp4"][4:8] == b"ftyp"


def test_a_picture_is_made_once_and_made_again_if_it_cannot_be_kept(gallery, kept):
    content = gallery.picture(REACHED)
    assert (kept / "pictures" / f"{REACHED}.jpg").read_bytes() == content
    picture = iio.imread(content)
    assert picture.shape == (128, 256, 3)
    shutil.rmtree(kept / "pictures")
    (kept / "pictures").write_text("a file, where a folder has to be")
    assert gallery.picture(REACHED) == content
    (kept / "pictures").unlink()


def test_what_is_not_there_is_one_sentence(gallery, kept):
    for name in ("dot-000099", "../../etc/passwd", ""):
        for suffix in EXPORTS:
            with pytest.raises(UserError, match="there is no run"):
                gallery.export(name, suffix)
        with pytest.raises(UserError, match="there is no run"):
            gallery.picture(name)
    with pytest.raises(UserError, match=r"exported as one of \.html, .* got '\.exe'"):
        gallery.export(REACHED, ".exe")
    path = kept / "dot" / f"episode_{IMAGE[-6:]}.hdf5"
    away = path.rename(path.with_name("away"))
    try:
        for suffix in EXPORTS:  # somebody removed its file meanwhile
            with pytest.raises(UserError, match=r"not there|missing|no such|does not exist"):
                gallery.export(IMAGE, suffix)
    finally:
        away.rename(path)


def test_runs_are_compared_two_to_six_at_once(gallery):
    both = gallery.compare([FAN, REACHED])
    assert [run.entry.name for run in both] == [FAN, REACHED]
    assert both[0].distance.values == () and both[1].distance.unit == "cm"
    for names in ([REACHED], [REACHED] * (MOST_COMPARED + 1)):
        with pytest.raises(UserError, match=f"2 to {MOST_COMPARED} runs are compared at once"):
            gallery.compare(names)


def files_of(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_deleting_takes_all_of_a_run_and_nothing_else(opened):
    session, out = opened
    for name in (REACHED, RANDOM):
        session.gallery.picture(name)
        session.gallery.export(name, ".gif")
        session.write_note(name, "kept with it")
    before = files_of(out)
    mine = {path for path in before if re.search(r"(dot-|episode_)000000", str(path))}
    assert len(mine) > 6
    session.open(REACHED)
    wait(session)
    session.delete(REACHED)
    state = wait(session)
    assert state.message == f"Deleted {REACHED}" and not state.is_error
    assert REACHED not in [entry.name for entry in state.entries] and REACHED not in state.notes
    assert state.trial is None and state.entry_name == "" and not state.is_recorded
    assert files_of(out) == {path: before[path] for path in before.keys() - mine}
    session.delete(REACHED)
    assert "there is no run" in wait(session).message


def test_the_run_that_is_shown_is_deleted_and_its_number_is_not_given_again(opened):
    session, _ = opened
    make_goal(session)
    session.run()
    name = wait(session).entry_name
    session.delete(name)
    state = wait(session)
    assert state.trial is None and state.is_editable and not state.is_error
    session.again()
    assert (name, wait(session).entry_name) == ("dot-000006", "dot-000007")


def test_nothing_is_deleted_while_a_run_is_under_way_but_notes_are_written(opened):
    session, _ = opened
    session.choose(Settings(**{**vars(DOT), "num_steps": 200, "stop_within_cm": 0}))
    make_goal(session)
    session.run()
    wait(session, lambda state: state.num_done > 1)
    session.delete(RANDOM)
    assert session.write_note(RANDOM, "written meanwhile")
    state = session.state
    assert state.notes[RANDOM] == "written meanwhile"
    assert RANDOM in [entry.name for entry in state.entries]
    session.stop()
    wait(session)


def test_a_later_session_finds_notes_and_dates(opened):
    session, out = opened
    dates = {entry.name: entry.date for entry in session.state.entries}
    assert session.state.notes == {REACHED: NOTE}
    again = Archive(out)
    assert {entry.name: entry.date for entry in again.entries} == dates
    assert dates[REACHED] < dates[RANDOM] < dates[FAN] < dates[CUT]
    assert {entry.outcome for entry in again.entries if entry.name == CUT} == {CUT_OFF}
    assert not session.write_note("dot-000099", "of nothing")
    assert "there is no run" in session.state.message


def test_a_page_that_looks_on_sees_everything_and_changes_nothing(opened):
    session, out = opened
    looking = ViewOnly(session)
    assert looking.gallery.picture(REACHED) and looking.gallery.export(REACHED, ".json")
    assert len(looking.gallery.compare([REACHED, FAN])) == 2
    before = files_of(out)
    looking.delete(REACHED)
    assert not looking.write_note(REACHED, "mine")
    assert "view only" in looking.state.message
    assert files_of(out) == before and session.state.notes == {REACHED: NOTE}
