"""What there is to choose from, and what cannot be chosen."""

import os
import shutil
from pathlib import Path

import pytest

from visual_foresight.gui.session.settings import Settings, installed_models
from visual_foresight.predictors.checkpoints import resolve
from visual_foresight.types import UserError


def test_a_folder_whose_name_is_no_text_is_not_sent_to_the_browser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    strange = os.fsdecode(b"runs/caf\xe9")
    for folder in (strange, "runs/café"):
        shutil.copytree(resolve("flow"), folder)
    offered = installed_models()
    assert "runs/café" in offered and strange not in offered
    with pytest.raises(UserError, match="no UTF-8.: rename it"):
        Settings(model=strange)
