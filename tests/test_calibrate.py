"""`calibrate`: a dataset's camera from its own episodes, or from places that were clicked."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.commands import run_here
from tests.fakes.pushes import SIZE, TO_FRAME, push_film
from visual_foresight.episodes.episode_files import write_episode
from visual_foresight.episodes.info import DatasetInfo, read_info, write_info
from visual_foresight.types import Workspace
from visual_foresight.vision.homography import apply_homography

INFO = DatasetInfo(
    env="films",
    frame_size=SIZE,
    state_size=2,
    workspace=Workspace((0.0, 0.0), (0.3, 0.3), (0.02, 0.02)),
    homography=None,
    renderer="a test",
    package_version="0",
    collection={},
)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    write_info(folder, INFO)
    for number in range(120):
        film = push_film(number)
        write_episode(folder, number, replace(film, states=film.states[:, 1:].copy()))
    return folder


@pytest.fixture
def data(films: Path) -> Path:
    """The films, not calibrated."""
    write_info(films, INFO)
    return films


def test_a_calibration_is_written_and_right(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures, _ = run_here(f"calibrate --data {data}", capsys)
    written = np.array(read_info(data).homography)
    np.testing.assert_allclose(written, figures["homography"])
    pixels = np.mgrid[14:34:4, 18:46:4].reshape(2, -1).T
    missed_m = apply_homography(pixels, written) - apply_homography(
        pixels, np.linalg.inv(TO_FRAME)
    )
    assert 1000 * np.median(np.linalg.norm(missed_m, axis=1)) < 8  # a pixel shows 9 mm
    assert 0 < figures["spread_mm"] < 10


def test_a_calibration_is_not_replaced_unasked(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_info(
        data, replace(INFO, homography=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))
    )
    before = (data / "dataset.json").read_bytes()
    _, said = run_here(f"calibrate --data {data}", capsys, code=2)
    assert "--replace" in said
    figures, _ = run_here(f"calibrate --data {data} --dry-run", capsys)
    assert figures["written"] is None
    assert figures["differs_from_before_mm"] > 0
    assert (data / "dataset.json").read_bytes() == before


def test_clicked_pairs_give_the_homography(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = np.array([[0.05, 0.05], [0.05, 0.3], [0.25, 0.05], [0.25, 0.3], [0.15, 0.2]])
    pixels = apply_homography(places, TO_FRAME)
    rows = "\n".join(",".join(map(str, [*each])) for each in np.hstack([pixels, places]))
    pairs = tmp_path / "pairs.csv"
    pairs.write_text(f"row,col,x,y\n{rows}\n")
    figures, _ = run_here(f"calibrate --data {data} --pairs {pairs}", capsys)
    assert max(figures["missed_mm"]) < 0.1
    inverse = np.linalg.inv(TO_FRAME)
    np.testing.assert_allclose(
        np.array(figures["homography"]) / figures["homography"][2][2],
        inverse / inverse[2, 2],
        rtol=1e-4,
        atol=1e-6,
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("row,col,x,y\n1,2,3,4\n", "has 1"),
        ("row,col,x\n1,2,3\n", "row, col, x, y"),
        ("row,col,x,y\na,b,c,d\n", "row, col, x, y"),
        ("row,col,x,y\n" + "1,1,1,1\n2,2,2,2\n3,3,3,3\n4,4,4,4\n", "in a line"),
        ("row,col,x,y\n1,2,3,nan\n" + "1,1,1,1\n" * 3, "finite"),
    ],
)
def test_unfit_pairs_are_refused(
    data: Path, tmp_path: Path, text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = tmp_path / "pairs.csv"
    pairs.write_text(text)
    _, complaint = run_here(f"calibrate --data {data} --pairs {pairs}", capsys, code=2)
    assert said in complaint
    assert json.loads((data / "dataset.json").read_text())["table"] is None


def test_episodes_without_a_touch_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_info(tmp_path, INFO)
    _, complaint = run_here(f"calibrate --data {tmp_path}", capsys, code=2)
    assert "no episodes" in complaint
