"""`gui --data` on the command line: what cannot be shown is refused before anything listens."""

import sys

import pytest

from tests.fakes.commands import run_here
from tests.fakes.episodes import write_patches
from tests.gui.program import free_port
from visual_foresight.episodes.episode_files import episode_path
from visual_foresight.gui.server.serve import GuiConfig


@pytest.fixture
def refused(tmp_path, capsys):
    """Return a function that begins the page on data, and returns what is said of them."""

    def refused(data):
        flags = f"--model still --no-browser --port {free_port()} --out {tmp_path / 'out'}"
        return run_here(f"gui --data {data} {flags}", capsys, code=2)[1]

    return refused


def test_a_folder_without_episodes_is_refused(refused, tmp_path):
    assert "is no folder of episodes" in refused(tmp_path / "nowhere")
    empty = write_patches(tmp_path / "empty", (24, 40), 0)
    assert "holds no episodes yet" in refused(empty)


def test_a_damaged_first_episode_is_refused(refused, tmp_path):
    data = write_patches(tmp_path / "data", (24, 40), 2)
    episode_path(data, 0).write_bytes(b"nothing")
    said = refused(data)
    assert "episode_000000" in said and len(said.strip().splitlines()) == 1


def test_recorded_data_need_no_simulator(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pybullet", None)
    assert GuiConfig(model="still", data=tmp_path).data == tmp_path
