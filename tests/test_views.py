"""Two cameras, from collecting to the control loop; and one camera as if there were no others."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.fakes.packages import bring
from tests.fakes.two_views import TWO_VIEWS, TwoViews, TwoViewsConfig
from visual_foresight.cli import main
from visual_foresight.collect.collection import CollectConfig, collect
from visual_foresight.control.loop import finish, run_trial
from visual_foresight.control.replay import ReplayController, reimagine
from visual_foresight.envs.pushing.env import PushEnv
from visual_foresight.envs.registry import make
from visual_foresight.episodes.dataset import Episodes
from visual_foresight.episodes.episode_files import read_episode, write_episode
from visual_foresight.episodes.info import INFO_NAME, read_info, write_info
from visual_foresight.episodes.source import identity, in_views, split
from visual_foresight.episodes.validation import validate
from visual_foresight.evaluation.prediction.command import PredictionConfig, evaluate_model
from visual_foresight.evaluation.prediction.segments import batch_of, segments_of
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.predictors.checkpoints import Seen, load, read_config, seen_by
from visual_foresight.training.config import TrainConfig
from visual_foresight.training.loop import train
from visual_foresight.types import Pixel, UserError, to_float

SIZE = (32, 48)


def collection(folder: Path, views: str = "front,side") -> CollectConfig:
    return CollectConfig(
        folder, episodes=3, steps=6, frame_size=SIZE, workers=1, seed=4, views=views
    )


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of episodes from two cameras, collected by the command line."""
    folder = tmp_path_factory.mktemp("both")
    words = f"collect --folder {folder} --episodes 3 --steps 6 --workers 1 --seed 4"
    main([*words.split(), "--views", "front,side", "--frame-size", "32", "48"])
    return folder


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("front")
    collect(collection(folder, ""), progress=False)
    return folder


def training(data: Path, out: Path, predictor: str, views: str = "") -> TrainConfig:
    return TrainConfig(
        data,
        out,
        predictor=predictor,
        views=views,
        steps=2,
        batch=2,
        horizon=2,
        every=2,
        device="cpu",
        precision="float32",
        held_out_share=0.3,
        points=out.parent / "points",
    )


def test_a_second_camera_changes_nothing_else(both: Path, front: Path) -> None:
    assert validate(both).num_sound == validate(front).num_sound == 3
    for number in range(3):
        name = f"episode_{number:06d}.hdf5"
        two, one = read_episode(both / name), read_episode(front / name)
        assert list(two.other_views) == ["side"] and not one.other_views
        np.testing.assert_array_equal(two.frames, one.frames)
        np.testing.assert_array_equal(two.actions, one.actions)
        np.testing.assert_array_equal(two.tracks, one.tracks)
        assert two.other_views["side"].shape == one.frames.shape


def test_the_folder_knows_its_cameras(both: Path, front: Path) -> None:
    env = PushEnv(SIZE, views=("front", "side"))
    info = read_info(both)
    assert info.views == env.info.views and info.main_view == "front"
    assert list(read_info(front).views) == ["front"] and read_info(front).main_view is None
    env.close()


def test_a_folder_of_one_view_says_nothing_of_views(front: Path, tmp_path: Path) -> None:
    content = json.loads((front / INFO_NAME).read_text())
    assert not {"main_view", "other_views", "views"} & (content | content["collection"]).keys()
    collect(collection(tmp_path, "front"), progress=False)
    for path in front.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_the_shipped_episodes_are_written_as_they_are(tmp_path: Path) -> None:
    sample = Path(__file__).parents[1] / "data" / "sample"
    for number in (0, 3):
        path = sample / f"episode_{number:06d}.hdf5"
        written = write_episode(tmp_path, number, read_episode(path))
        assert written.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("views", "sentence"),
    [
        ("", "views front,side there, front here"),
        ("side", "views front,side there, side here"),
        ("side,front", "views front,side there, side,front here"),
        ("front,top", "the pushing table has no view 'top': choose among front, side"),
        ("side,side", "'side' is named twice"),
        ("front,", "has no view ''"),
    ],
)
def test_other_views_in_the_same_folder_are_refused(
    both: Path, views: str, sentence: str
) -> None:
    before = sorted(path.name for path in both.iterdir())
    with pytest.raises(UserError, match=sentence):
        collect(collection(both, views), progress=False)
    assert sorted(path.name for path in both.iterdir()) == before


def test_bad_views_on_the_command_line_are_one_sentence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(f"collect --env dot --views top,front --folder {tmp_path / 'new'}".split())
    assert caught.value.code == 2
    sentence = "the env 'dot' has no view 'front': choose among top"
    assert capfd.readouterr().err == f"visual-foresight: {sentence}\n"
    assert not (tmp_path / "new").exists()


def test_an_episode_without_a_view_is_found(both: Path, front: Path, tmp_path: Path) -> None:
    (tmp_path / INFO_NAME).write_bytes((both / INFO_NAME).read_bytes())
    for number, folder in enumerate((both, front)):
        name = f"episode_{number:06d}.hdf5"
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    report = validate(tmp_path)
    (problem,) = report.problems
    assert problem.path.name == "episode_000001.hdf5"
    assert problem.what == "has the further views none, not side"
    with pytest.raises(UserError, match="further views none, not side: move it elsewhere"):
        Episodes(tmp_path)[1]


def test_episodes_are_read_in_the_views_wanted(both: Path) -> None:
    stored = Episodes(both)
    beside = in_views(stored, ("side",))
    turned = in_views(stored, ("side", "front"))
    assert in_views(stored, ()) is in_views(stored, ("front", "side")) is stored
    assert beside.info.view == stored.info.other_views["side"]
    assert beside.info.main_view == "side" and not beside.info.other_views
    whole, seen = stored[0], turned.packed(0).unpack()
    np.testing.assert_array_equal(seen.frames, whole.other_views["side"])
    np.testing.assert_array_equal(seen.other_views["front"], whole.frames)
    assert seen.tracks.shape == (7, 0, 2) and "track_kinds" not in seen.meta
    assert not beside.packed(0).other_views
    part, _ = split(turned, 0.3, 0)
    assert list(part.info.views) == ["side", "front"]
    assert len({identity(stored), identity(beside), identity(turned)}) == 3
    with pytest.raises(UserError, match="the data has no view 'top'"):
        in_views(stored, ("top",))


def test_clips_have_all_views(both: Path) -> None:
    stored = Episodes(both)
    clip = stored.clip([(0, 1), (2, 2)], 3)
    assert clip.other_views["side"].shape == clip.frames.shape == (2, 4, 3, *SIZE)
    own = stored[2].other_views["side"][2:6]
    assert torch.equal(clip.other_views["side"][1], to_float(own))
    newest = clip.newest(2).to("cpu")
    assert torch.equal(newest.other_views["side"], clip.other_views["side"][:, 2:])
    assert torch.equal(clip.oldest(2).other_views["side"], clip.other_views["side"][:, :2])


def test_a_model_learns_from_the_side(both: Path, tmp_path: Path) -> None:
    folder = train(training(both, tmp_path / "run", "flow", "side"), progress=False)
    assert seen_by(folder) == Seen(SIZE, ("side",))
    side = read_info(both).other_views["side"]
    config = read_config(folder)
    assert tuple(map(tuple, config["config"]["homography"])) == side.homography
    env = make("push", seen_by(folder).frame_size, views=seen_by(folder).views)
    load(folder, frame_size=env.info.frame_size, views=tuple(env.info.views))
    env.close()
    with pytest.raises(UserError, match="another views"):
        train(training(both, tmp_path / "run", "flow"), progress=False)
    with pytest.raises(UserError, match="reads the views side.*shows front"):
        load(folder, views=("front",))


def test_a_model_of_one_view_reads_the_first(both: Path, front: Path, tmp_path: Path) -> None:
    """As many weights of the same values, whatever other cameras there were."""
    first = train(training(both, tmp_path / "two", "pixels"), progress=False)
    alone = train(training(front, tmp_path / "one", "pixels"), progress=False)
    assert (seen_by(first).views, seen_by(alone).views) == (("front",), ())
    assert "views" not in read_config(alone)["meta"]
    names = "weights.safetensors"
    assert (first / names).read_bytes() == (alone / names).read_bytes()


def test_a_predictor_that_reads_two_views(
    both: Path, front: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "packages").mkdir()
    bring(monkeypatch, tmp_path / "packages", "predictors", "two_views", TWO_VIEWS)
    folder = train(training(both, tmp_path / "run", "two_views"), progress=False)
    assert seen_by(folder) == Seen(SIZE, ("front", "side"))
    load(folder, views=("front", "side"))
    for views in (("front",), ("side", "front")):
        with pytest.raises(UserError, match="reads the views front, side"):
            load(folder, views=views)
    turned = train(training(both, tmp_path / "turned", "two_views", "side,front"), False)
    assert seen_by(turned).views == ("side", "front")
    alone = train(training(front, tmp_path / "alone", "two_views"), progress=False)
    assert read_config(alone)["config"]["views"] == []


def test_the_loop_shows_a_predictor_both_views() -> None:
    env = PushEnv(SIZE, views=("front", "side"))
    env.reset(seed=2)
    model = TwoViews(TwoViewsConfig(SIZE)).requires_grad_(False)
    model.share.fill_(0.5)
    actions = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.5]])
    goal = PixelGoal((Pixel(10, 20),), (Pixel(12, 22),))
    controller = ReplayController(model, actions)
    steps = list(run_trial(env, controller, goal, None, torch.Generator(), num_steps=3))
    for step in steps[:-1]:
        assert list(step.observation.frames) == ["front", "side"] and step.plan is not None
        seen = to_float(step.observation.frame)
        light = 0.5 * to_float(step.observation.frames["side"]).mean()
        torch.testing.assert_close(step.plan.prediction.frames[0, 0], seen + light)
    episode = finish(goal, steps).episode
    for number, step in enumerate(steps):
        side = step.observation.frames["side"]
        np.testing.assert_array_equal(episode.other_views["side"][number], side)
    again = list(reimagine(model, episode, 2))
    for plan, step in zip(again, steps[:-1], strict=True):
        assert step.plan is not None
        there = step.plan.prediction.frames[:, 0]
        torch.testing.assert_close(plan.prediction.frames[:, 0], there)
    env.close()


def test_a_model_is_evaluated_in_its_own_view(both: Path, front: Path, tmp_path: Path) -> None:
    folder = train(training(both, tmp_path / "run", "flow", "side"), progress=False)

    def measured(data: Path, model: Path | str) -> float:
        config = PredictionConfig(data, str(model), horizon=2)
        return evaluate_model(config)["steps"]["1"]["psnr"]

    seen = in_views(Episodes(both), ("side",))
    write_info(tmp_path / "side", seen.info)
    for index, number in enumerate(seen.numbers):
        write_episode(tmp_path / "side", number, seen.packed(index).unpack())
    assert measured(both, folder) == pytest.approx(measured(tmp_path / "side", folder))
    assert measured(both, "still") == pytest.approx(measured(front, "still"))
    with pytest.raises(UserError, match="has no view 'side'"):
        measured(front, folder)


def test_context_has_the_other_views(both: Path) -> None:
    episode = Episodes(both)[0]
    (segment, *_) = segments_of([episode], context=2, horizon=2)
    context = batch_of([segment, segment]).context
    start = segment.start - 1
    seen = to_float(episode.other_views["side"][start : start + 2])
    assert torch.equal(context.other_views["side"], torch.stack([seen, seen]))
