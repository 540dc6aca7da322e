"""Files that are written whole or not at all."""

import pytest

from visual_foresight.system.files import (
    remedy,
    replacing,
    require_folder,
    require_place,
    write_bytes,
)
from visual_foresight.types import UserError


def test_writes_into_a_new_folder_and_replaces(tmp_path):
    path = tmp_path / "new" / "a.bin"
    write_bytes(path, b"old")
    write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_keeps_the_old_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")
    with pytest.raises(OSError, match="No space"), replacing(path) as temporary:
        assert temporary.suffix == path.suffix and temporary.parent == path.parent
        temporary.write_bytes(b"ha")
        raise OSError(28, "No space left on device")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "error",
    [OSError(28, "No space left on device"), OSError("write failed: No space left on device")],
)
def test_a_full_disk_is_named(tmp_path, error):
    """Who writes to an open file does not hear where it is."""
    path = tmp_path / "a.bin"
    with pytest.raises(OSError, match="No space") as caught, replacing(path):
        raise error
    said = remedy(caught.value)
    assert said is not None and f"the disk is full ({path}): make room" in said


def test_what_cannot_be_written_is_found_out_before_the_work(tmp_path):
    require_place(tmp_path / "new" / "a.html", "the report")
    assert list((tmp_path / "new").iterdir()) == []
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    file = tmp_path / "file"
    file.touch()
    require_place(file, "the report")
    for place, words in (
        (tmp_path, "the report is one file, but .* is a folder"),
        (link, "a link to .*nowhere, which is not there: remove the link"),
        (link / "a.html", "cannot be written to .*: choose another place"),
        (file / "a.html", "cannot be written to .*: choose another place"),
        (tmp_path / ("a" * 300) / "a.html", "File name too long"),
    ):
        with pytest.raises(UserError, match=words):
            require_place(place, "the report")
    require_folder(tmp_path / "results", "the results")
    for folder in (file, link):
        with pytest.raises(UserError, match=f"the results cannot be written to {folder} "):
            require_folder(folder, "the results")
