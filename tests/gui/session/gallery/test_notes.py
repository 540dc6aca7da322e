"""Notes: short texts that survive, whatever is in their files."""

import pytest

from visual_foresight.gui.session.gallery.notes import (
    LONGEST_NOTE,
    clean_note,
    read_note,
    write_note,
)
from visual_foresight.types import UserError


def test_a_note_comes_back_and_an_empty_one_removes_its_file(tmp_path):
    path = tmp_path / "notes" / "dot-000000.txt"
    assert read_note(path) == ""
    note = clean_note("  <b>Übung</b> & 推す\x00\x1b[2J\nsecond line  ")
    assert note == "<b>Übung</b> & 推す[2J\nsecond line"
    write_note(path, note)
    assert read_note(path) == note
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    write_note(path, "")
    write_note(path, "")
    assert not path.exists()


def test_a_note_that_is_too_long_is_refused_with_its_length():
    assert clean_note("x" * LONGEST_NOTE)
    with pytest.raises(UserError, match="500 letters at most, this one has 501: shorten it"):
        clean_note("x" * (LONGEST_NOTE + 1))


def test_what_somebody_else_wrote_is_read_as_far_as_it_can_be_shown(tmp_path):
    path = tmp_path / "note.txt"
    path.write_bytes(b"\xff\xfe" + "ü".encode() * 10_000)
    note = read_note(path)
    assert len(note) <= LONGEST_NOTE and note.endswith("ü")


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "notes").write_text("a file, where a folder has to be")
    with pytest.raises(UserError, match="a file or folder cannot be used"):
        write_note(tmp_path / "notes" / "dot-000000.txt", "note")
