"""The bank of contact states on disk: what is said of a file that cannot be used."""

import errno
import os
from pathlib import Path

import pytest

from visual_foresight.evaluation.ranking.contact_states import PROTOCOL, BankJob, load_bank
from visual_foresight.system.fingerprint import fingerprint
from visual_foresight.types import UserError

JOB = BankJob(seed=0, index=0, candidates=2, horizon=2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / f"bank_{fingerprint([PROTOCOL, JOB.identity])}.npz"
    found.write_bytes(b"no bank")
    return found


def test_a_damaged_bank_may_be_deleted(path: Path) -> None:
    with pytest.raises(UserError, match="is damaged .* delete it, and it is made anew"):
        load_bank([JOB], path.parent, 1)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.EMFILE])
def test_a_bank_that_cannot_be_read_now_is_not_called_damaged(
    path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(path: Path) -> bytes:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(UserError, match=rf"cannot be read \({os.strerror(number)}\)") as said:
        load_bank([JOB], path.parent, 1)
    assert "delete" not in str(said.value) and "damaged" not in str(said.value)
