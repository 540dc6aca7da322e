"""Files that are written whole or not at all."""

import pytest

from visual_foresight.system.files import replacing, write_bytes


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
