"""Episodes from anywhere: opened by one door, split, identified, checked, trained on."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import visual_foresight
from tests.fakes.episodes import PATCH_HOMOGRAPHY, patch_episode
from tests.fakes.packages import bring
from visual_foresight import cli
from visual_foresight.episodes.dataset import Episodes
from visual_foresight.episodes.episode_files import episode_path, write_episode
from visual_foresight.episodes.formats.registry import episode_formats
from visual_foresight.episodes.info import INFO_NAME, DatasetInfo, read_info, write_info
from visual_foresight.episodes.opening import open_episodes
from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.episodes.source import EpisodeSource, fingerprint, identity, split
from visual_foresight.episodes.validation import validate
from visual_foresight.types import Episode, UserError, Workspace

SIZE = (16, 24)
WORKSPACE = Workspace((0.0, 0.0), (1.0, 1.0), (0.02, 0.02))
INFO = DatasetInfo("dot", SIZE, 2, WORKSPACE, PATCH_HOMOGRAPHY, "none", "0", {"seed": 7})
NUM_EPISODES = 6


def test_the_sample_of_the_readme_is_found_where_the_package_is_installed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    installed = folder.parent / "site" / "visual_foresight"
    monkeypatch.setattr(visual_foresight, "__file__", str(installed / "__init__.py"))
    with pytest.raises(UserError, match="data/sample is not here: run this in the folder of"):
        open_episodes(Path("data/sample"))
    shutil.copytree(folder, installed / "shipped" / "data" / "sample")
    assert len(open_episodes(Path("data/sample")).numbers) == NUM_EPISODES
    shutil.copytree(folder, Path("data/sample"))
    episode_path(Path("data/sample"), 0).unlink()
    assert len(open_episodes(Path("data/sample")).numbers) == NUM_EPISODES - 1, (
        "what is here counts"
    )
    with pytest.raises(UserError, match="is no folder of episodes"):
        open_episodes(Path("data/simple"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "set"
    write_info(path, INFO)
    for number in range(NUM_EPISODES):
        write_episode(path, number, patch_episode(number, SIZE))
    return path


@dataclass(frozen=True)
class Log:
    """A foreign dataset: a file of one line for each episode, which says its seed."""

    WILD: ClassVar[int] = 999
    """Seed of an episode with actions that are too large."""
    seeds: tuple[int, ...]
    info: DatasetInfo = INFO

    @property
    def numbers(self) -> Sequence[int]:
        return range(len(self.seeds))

    def packed(self, index: int) -> PackedEpisode:
        if self.seeds[index] < 0:
            raise UserError(f"line {index} is damaged")
        episode = PackedEpisode.pack(patch_episode(self.seeds[index], SIZE))
        if self.seeds[index] == self.WILD:
            episode.actions[3] = 40
        return episode


class LogFormat:
    """Reads whole datasets of that kind."""

    def open(self, path: Path) -> Log | None:
        if path.suffix != ".log":
            return None
        return Log(tuple(map(int, path.read_text().split())))


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    bring(monkeypatch, tmp_path / "package", "formats", "seeds", LogFormat)
    path = tmp_path / "robot.log"
    path.write_text("\n".join(map(str, range(NUM_EPISODES))))
    return path


@pytest.fixture(autouse=True)
def package(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()


def test_a_folder_of_ours_is_a_source(folder: Path) -> None:
    source = open_episodes(folder)
    assert isinstance(source, Episodes) and isinstance(source, EpisodeSource)
    assert list(source.numbers) == list(range(NUM_EPISODES))


def test_a_package_opens_a_foreign_dataset(log: Path, folder: Path) -> None:
    source = open_episodes(log)
    assert isinstance(source, EpisodeSource) and not isinstance(source, Episodes)
    assert isinstance(open_episodes(folder), Episodes), "the other formats still do"
    assert fingerprint(source) == fingerprint(open_episodes(folder))
    assert identity(source) == identity(open_episodes(folder))


def test_what_nobody_can_open_is_refused(log: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", tmp_path / "package"):
        with pytest.raises(
            UserError, match=r"no folder of episodes .* seeds can read: collect"
        ):
            open_episodes(path)


class Half:
    """Opens what is no source."""

    def open(self, path: Path) -> Any:
        return [1, 2, 3]


def test_formats_that_break_their_promise_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as patch:
        bring(patch, tmp_path / "package", "formats", "half", Half)
        with pytest.raises(UserError, match="'half' opens episodes without 'info'"):
            open_episodes(tmp_path)
    (tmp_path / "other").mkdir()
    bring(monkeypatch, tmp_path / "other", "formats", "empty", object)
    with pytest.raises(
        UserError, match=r"'empty' has neither open\(\).* nor suffix, write\(\)"
    ):
        open_episodes(tmp_path)


def test_a_split_is_seeded_disjoint_and_whole(folder: Path) -> None:
    episodes = Episodes(folder)
    training, held_out = split(episodes, 0.4, seed=1)
    assert (len(training.numbers), len(held_out.numbers)) == (4, 2)
    assert sorted(training.numbers + held_out.numbers) == list(range(NUM_EPISODES))
    assert split(episodes, 0.4, seed=1)[1].numbers == held_out.numbers
    others = [split(episodes, 0.4, seed=seed)[1].numbers for seed in range(2, 9)]
    assert any(numbers != held_out.numbers for numbers in others)
    assert len(split(episodes, 0.01, seed=1)[1].numbers) == 1
    expected = patch_episode(held_out.numbers[0], SIZE)
    np.testing.assert_array_equal(held_out.packed(0).unpack().frames, expected.frames)
    with pytest.raises(UserError, match="fraction between 0 and 1"):
        split(episodes, 1.0, seed=1)


def test_more_episodes_hardly_move_the_split(folder: Path) -> None:
    before = set(split(Episodes(folder), 0.4, seed=1)[0].numbers)
    for number in range(NUM_EPISODES, 10):
        write_episode(folder, number, patch_episode(number, SIZE))
    after = set(split(Episodes(folder), 0.4, seed=1)[1].numbers)
    assert len(before & after) <= 1


def test_the_fingerprint_tells_episodes_apart(folder: Path) -> None:
    episodes = Episodes(folder)
    for name in (fingerprint, identity):
        assert name(episodes) == name(Episodes(folder))
        assert len({name(each) for each in (episodes, *split(episodes, 0.4, seed=1))}) == 3


@pytest.mark.parametrize("what", ["frames", "tracks", "meta", "signals"])
def test_whatever_is_corrected_is_another_identity(folder: Path, what: str) -> None:
    before = identity(Episodes(folder))
    actions = fingerprint(Episodes(folder))
    episode = patch_episode(2, SIZE)
    changed: Any = {
        "frames": 255 - episode.frames,
        "tracks": episode.tracks + 1,
        "meta": {"seed": 2},
        "signals": {"reward": np.zeros(len(episode.actions), np.float32)},
    }[what]
    write_episode(folder, 2, replace(episode, **{what: changed}))
    assert identity(Episodes(folder)) != before
    assert fingerprint(Episodes(folder)) == actions


def test_a_corrected_calibration_is_another_identity(folder: Path) -> None:
    before = identity(Episodes(folder))
    content = json.loads((folder / INFO_NAME).read_text())
    (folder / INFO_NAME).write_text(json.dumps({**content, "package_version": "9"}))
    assert identity(Episodes(folder)) == before
    content["table"][0][0] *= 2
    (folder / INFO_NAME).write_text(json.dumps(content))
    assert identity(Episodes(folder)) != before


def test_a_foreign_dataset_is_validated(log: Path, capsys: pytest.CaptureFixture) -> None:
    assert (validate(log).num_sound, validate(log).problems) == (NUM_EPISODES, ())
    cli.main(["validate", "--folder", str(log)])
    printed = capsys.readouterr().out
    assert "short_episodes" in printed and f"count: {NUM_EPISODES}" in printed
    log.write_text("0\n-1\n2")
    with pytest.raises(SystemExit) as caught:
        cli.main(["validate", "--folder", str(log), "--json"])
    assert caught.value.code == 2
    figures = json.loads(capsys.readouterr().out)
    assert figures["sound_episodes"] == 2
    assert figures["doubts"]["short_episodes"]["episodes"] == 2
    assert figures["doubts"]["short_episodes"]["first"] == {"episode": 0, "frame": 0}
    assert "line 1 is damaged" in figures["problems"][str(log / "episode 1")]


def test_a_foreign_episode_that_breaks_a_law_is_refused(log: Path) -> None:
    log.write_text(f"0\n{Log.WILD}\n2")
    with pytest.raises(UserError, match=r"episode 1 has actions from .* to 40 .*: divide"):
        identity(open_episodes(log))
    (problem,) = validate(log).problems
    assert problem.path == log / "episode 1" and "divide" in problem.what


def test_a_foreign_dataset_is_trained_and_evaluated_on(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    run = tmp_path / "run"
    words = f"train pixels --data {log} --out {run} --points {tmp_path} --device cpu --recipe."
    recipe = "steps 2 --recipe.batch 2 --recipe.horizon 2 --precision float32 --json"
    cli.main((words + recipe).split())
    assert json.loads(capsys.readouterr().out)["steps"] == 2
    words = f"evaluate prediction --data {log} --model {run / 'checkpoint'} --horizon 3 --json"
    cli.main(words.split())
    assert json.loads(capsys.readouterr().out)["protocol"]["episodes"] == NUM_EPISODES


class Numpy:
    """A format of files that a package brings."""

    suffix = ".npy"

    def write(self, path: Path, episode: Episode) -> None:
        np.save(path, np.array([vars(episode)], object), allow_pickle=True)

    def read(self, path: Path) -> Episode:
        return Episode(**np.load(path, allow_pickle=True)[0])

    def read_meta(self, path: Path) -> Any:
        return self.read(path).meta


def test_collect_writes_with_a_format_of_a_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    bring(monkeypatch, tmp_path / "package", "formats", "numpy", Numpy)
    assert "numpy" in episode_formats() and "folder" not in episode_formats()
    data = tmp_path / "data"
    words = f"collect --env dot --folder {data} --steps 3 --workers 1 --format "
    cli.main([*(words + "numpy").split(), "--episodes", "2"])
    cli.main([*(words + "hdf5").split(), "--episodes", "3"])
    names = sorted(path.name for path in data.glob("episode*"))
    assert names == ["episode_000000.npy", "episode_000001.npy", "episode_000002.hdf5"]
    assert episode_path(data, 1).suffix == ".npy"
    assert read_info(data).env == "dot" and validate(data).num_sound == 3
    with pytest.raises(SystemExit) as caught:
        cli.main([*(words + "folder").split(), "--episodes", "4"])
    assert caught.value.code == 2
    assert "unknown format 'folder' of files: choose one of hdf5" in capsys.readouterr().err
