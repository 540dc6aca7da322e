"""Laws that every predictor keeps, on tiny non-square frames.

Every registered predictor is tested, and every wrapper over one of them. What predictors learn is
measured by `evaluate`, not here.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.fakes.clips import noise_clip
from visual_foresight.interfaces import FramesOnly, Learner, MotionPredictor, Predictor
from visual_foresight.predictors.checkpoints import load, read_config, save
from visual_foresight.predictors.layers.point_maps import Points
from visual_foresight.predictors.layers.warping import Motion, move_maps, resize_motion
from visual_foresight.predictors.registry import PREDICTORS, create, learned, model_of
from visual_foresight.predictors.rollouts import free_running_rollout, training_rollout
from visual_foresight.predictors.wrappers.on_device import OnDevice
from visual_foresight.predictors.wrappers.tracked_frames import TrackedFrames
from visual_foresight.training.clip_sampler import Batch
from visual_foresight.training.config import TrainConfig
from visual_foresight.training.losses import objective
from visual_foresight.types import Clip, Prediction
from visual_foresight.vision.pixel_maps import expected_places, first_maps, splat_places

SIZE, MAP_SIZE = (16, 24), (8, 12)
# states in [0, 1] are anywhere in the frame
HOMOGRAPHY = ((1 / 16, 0.0, 0.0), (0.0, 1 / 24, 0.0), (0.0, 0.0, 1.0))
DATA = {
    "frame_size": SIZE,
    "action_size": 3,
    "state_size": 5,
    "channels": 8,
    "homography": HOMOGRAPHY,
}
PLACES = torch.tensor([[6.0, 9.0], [11.0, 3.0]])
TRAINING = TrainConfig(data=Path(), out=Path(), steps=100)
LEARNED = learned()
WRAPPERS: dict[str, Callable[[], Predictor]] = {
    "on_device": lambda: OnDevice(a_model("flow"), torch.device("cpu")),
    "tracked_frames": lambda: TrackedFrames(a_model("pixels")),
}
IGNORE_ACTIONS = ("still",)
MOVE_PIXELS_VISIBLY = [name for name in LEARNED if "motions" in dir(model_of(name).predictor)]


def a_model(name: str) -> Any:
    """Return a learned predictor with large weights, ready to imagine."""
    torch.manual_seed(0)
    model: Any = create(name, DATA)
    # A new network takes everything from one frame: no law would be tested. With 0.2, rounding
    # grows fourfold a step.
    for key, parameter in model.named_parameters():
        if ".segmentation." not in key:  # it would see a heap of objects in noise: chaos
            nn.init.normal_(parameter, std=0.15)
    known = clip(8, 6, seed=1)
    model.calibrate(Clip(known.actions, torch.full_like(known.frames, 0.14), known.states))
    return model.eval().requires_grad_(False)


def a_predictor(name: str) -> Predictor:
    if name in WRAPPERS:
        return WRAPPERS[name]()
    if name in LEARNED:
        return a_model(name)
    return model_of(name).predictor()


@pytest.fixture(params=[*PREDICTORS, *WRAPPERS])
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def predictor(name: str) -> Predictor:
    return a_predictor(name)


def clip(batch: int, steps: int, seed: int = 0) -> Clip:
    """Noise, and something coloured near the fingertip."""
    noise = noise_clip(batch, steps, SIZE, action_size=3, state_size=5, seed=seed)
    frames = 0.1 + 0.08 * noise.frames
    frames[..., 5:7, 8:11] = torch.tensor([0.95, 0.02, 0.95])[:, None, None]
    # near the first of `PLACES`
    return Clip(noise.actions, frames, 0.25 + noise.states / 4)


def num_maps(predictor: Predictor) -> int:
    """Return how many designated pixels the predictor can follow here."""
    return 0 if isinstance(predictor, FramesOnly) else len(PLACES)


def places_for(predictor: Predictor, count: int = 1) -> Tensor:
    """Return designated pixels of so many scenes."""
    return PLACES[: num_maps(predictor)].expand(count, -1, -1)


def seen_by(predictor: Predictor, scenes: int = 1) -> Any:
    """Return a carry that follows the designated pixels."""
    carry = predictor.observe(clip(scenes, predictor.context - 1))
    return predictor.designate(carry, places_for(predictor))


def imagine(
    predictor: Predictor, actions: Tensor, decode: bool = True, scenes: int = 1
) -> Prediction:
    return predictor.imagine(seen_by(predictor, scenes), actions, decode)


def assert_same(one: Prediction, two: Prediction, **tolerance: Any) -> None:
    torch.testing.assert_close(one.frames, two.frames, **tolerance)
    torch.testing.assert_close(one.pixel_maps, two.pixel_maps, **tolerance)
    torch.testing.assert_close(one.lost, two.lost, **tolerance)


def test_it_is_a_predictor(predictor: Predictor) -> None:
    assert isinstance(predictor, Predictor)
    assert predictor.context >= 1


def test_shapes_ranges_and_distributions(predictor: Predictor) -> None:
    prediction = imagine(predictor, clip(4, 6).actions, scenes=4)
    p = num_maps(predictor)
    assert prediction.frame_size == SIZE
    assert prediction.frames.shape == (4, 6, 3, *SIZE)
    assert prediction.pixel_maps.shape == (4, 6, p, *MAP_SIZE)
    assert ((prediction.frames >= 0) & (prediction.frames <= 1 + 1e-5)).all()
    assert (prediction.pixel_maps >= 0).all()
    torch.testing.assert_close(prediction.pixel_maps.sum((-2, -1)), torch.ones(4, 6, p))
    assert prediction.lost.shape == (4, 6, p)
    assert (prediction.lost <= 1 + 1e-5).all()
    for member in prediction.members:
        assert member.frame_size == SIZE
        assert member.frames.shape == prediction.frames.shape
        assert member.pixel_maps.shape == prediction.pixel_maps.shape


def test_an_action_changes_nothing_before_it(predictor: Predictor) -> None:
    actions = clip(4, 6).actions
    changed = actions.clone()
    changed[:, 3] += 0.5
    one = imagine(predictor, actions)
    two = imagine(predictor, changed)
    torch.testing.assert_close(one.frames[:, :3], two.frames[:, :3])
    torch.testing.assert_close(one.pixel_maps[:, :3], two.pixel_maps[:, :3])


@pytest.mark.parametrize(
    "name", [name for name in (*PREDICTORS, *WRAPPERS) if name not in IGNORE_ACTIONS]
)
def test_an_action_changes_what_comes_after_it(name: str) -> None:
    predictor = a_predictor(name)
    actions = clip(4, 6).actions
    changed = actions.clone()
    changed[:, 3] += 0.5
    one = imagine(predictor, actions)
    two = imagine(predictor, changed)
    assert not torch.allclose(one.frames[:, 3], two.frames[:, 3])
    if num_maps(predictor):
        assert not torch.allclose(one.pixel_maps[:, 3:], two.pixel_maps[:, 3:])


@pytest.mark.parametrize("scenes", [1, 5])
def test_candidates_do_not_see_one_another(predictor: Predictor, scenes: int) -> None:
    actions = clip(5, 4).actions
    seen = clip(scenes, predictor.context - 1)
    pixels = places_for(predictor)[:, :1]
    together = predictor.imagine(
        predictor.designate(predictor.observe(seen), pixels), actions, decode=True
    )
    for number in (0, 3):
        scene = slice(number, number + 1) if scenes > 1 else slice(1)
        own = Clip(seen.actions[scene], seen.frames[scene], seen.states[scene])
        carry = predictor.designate(predictor.observe(own), pixels)
        alone = predictor.imagine(carry, actions[number : number + 1], decode=True)
        torch.testing.assert_close(
            alone.frames[0], together.frames[number], atol=5e-5, rtol=1e-4
        )
        torch.testing.assert_close(
            alone.pixel_maps[0], together.pixel_maps[number], atol=5e-5, rtol=1e-4
        )


@pytest.mark.parametrize("decode", [True, False])
def test_six_steps_are_four_and_two(predictor: Predictor, decode: bool) -> None:
    actions = clip(3, 6).actions
    whole = imagine(predictor, actions, decode)
    begin = imagine(predictor, actions[:, :4], decode)
    end = predictor.imagine(begin.carry, actions[:, 4:], decode)
    torch.testing.assert_close(torch.cat([begin.frames, end.frames], 1), whole.frames)
    torch.testing.assert_close(
        torch.cat([begin.pixel_maps, end.pixel_maps], 1), whole.pixel_maps
    )
    torch.testing.assert_close(torch.cat([begin.lost, end.lost], 1), whole.lost)
    for number, member in enumerate(whole.members):
        parts = [begin.members[number].pixel_maps, end.members[number].pixel_maps]
        torch.testing.assert_close(torch.cat(parts, 1), member.pixel_maps)


def test_what_is_imagined_does_not_depend_on_decoding(predictor: Predictor) -> None:
    actions = clip(3, 5).actions
    decoded = imagine(predictor, actions, True)
    undecoded = imagine(predictor, actions, False)
    torch.testing.assert_close(decoded.pixel_maps, undecoded.pixel_maps)
    torch.testing.assert_close(decoded.lost, undecoded.lost)
    assert undecoded.frames.shape[:2] == (3, 0)
    assert undecoded.frame_size == SIZE


def test_imagining_leaves_no_trace(predictor: Predictor) -> None:
    actions = clip(3, 5).actions
    given = actions.clone()
    weights = predictor.state_dict() if isinstance(predictor, nn.Module) else {}
    before = {key: value.clone() for key, value in weights.items()}
    first = imagine(predictor, actions)
    imagine(predictor, -actions)
    assert_same(imagine(predictor, actions), first, rtol=0, atol=0)
    assert torch.equal(actions, given)
    for key, value in weights.items():
        assert torch.equal(value, before[key]), key


def test_imagining_from_a_carry_leaves_the_carry_as_it_was(predictor: Predictor) -> None:
    actions = clip(3, 5).actions
    carry = seen_by(predictor)
    first = predictor.imagine(carry, actions, decode=True)
    predictor.imagine(carry, -actions, decode=True)
    assert_same(predictor.imagine(carry, actions, decode=True), first, rtol=0, atol=0)


def test_imagining_draws_nothing_from_the_global_generator(predictor: Predictor) -> None:
    state = torch.get_rng_state()
    imagine(predictor, clip(2, 3).actions)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_free_running_rollout_imagines_what_follows_the_context(predictor: Predictor) -> None:
    whole = clip(2, predictor.context + 2)
    places = places_for(predictor, 2)
    prediction = free_running_rollout(predictor, whole, places)
    assert prediction.frames.shape == (2, 3, 3, *SIZE)
    other_future = whole.frames.clone()
    other_future[:, predictor.context :] = 0.7
    unseen = Clip(whole.actions, other_future, whole.states)
    assert_same(free_running_rollout(predictor, unseen, places), prediction, rtol=0, atol=0)


@pytest.mark.parametrize("progress", [0.0, 1.0])
def test_a_training_rollout_is_decided_by_its_generator(
    predictor: Predictor, progress: float
) -> None:
    whole = clip(3, predictor.context + 2)
    places = places_for(predictor, 3)

    def rollout() -> tuple[Prediction, Tensor]:
        rng = torch.Generator().manual_seed(0)
        return training_rollout(predictor, whole, places, rng, progress)

    prediction, auxiliary_loss = rollout()
    assert prediction.frame_size == SIZE
    assert prediction.frames.shape[1] in (0, 3)
    assert prediction.pixel_maps.shape == (3, 3, num_maps(predictor), *MAP_SIZE)
    assert auxiliary_loss.isfinite()
    again, auxiliary_loss_again = rollout()
    assert_same(again, prediction, rtol=0, atol=0)
    assert torch.equal(auxiliary_loss_again, auxiliary_loss)


@pytest.mark.parametrize("name", MOVE_PIXELS_VISIBLY)
def test_the_motions_shown_are_those_that_are_applied(name: str) -> None:
    model = a_model(name)
    assert isinstance(model, MotionPredictor)
    actions = clip(3, 4).actions
    carry = seen_by(model)
    imagined = model.imagine(carry, actions)
    points = Points.at(PLACES[None], SIZE).widened(3)
    maps = first_maps(PLACES.expand(3, -1, -1), SIZE)
    earlier = maps
    for step, motion in enumerate(model.motions(carry, actions)):
        if isinstance(motion, Motion) and motion.forward is not None:
            points = points.moved(motion.forward, SIZE)
            lost = torch.zeros(3, 2)
            maps = points.maps(SIZE)
        else:
            moved, lost = move_maps(resize_motion(motion, MAP_SIZE), maps, SIZE, earlier)
            earlier = maps
            maps = moved
        shown = imagined.pixel_maps[:, step]
        if isinstance(motion, Motion) and motion.drawn:
            # A picture of a motion that is computed otherwise.
            away = expected_places(maps, SIZE) - expected_places(shown, SIZE)
            assert away.abs().max() < 1.0
        else:
            torch.testing.assert_close(shown, maps)
            torch.testing.assert_close(imagined.lost[:, step], lost)


@pytest.mark.parametrize("name", LEARNED)
def test_saved_and_loaded_it_is_the_same(name: str, tmp_path: Path) -> None:
    model = a_model(name)
    model.calibrate(clip(6, 4))
    save(model, tmp_path / "checkpoint", {"steps": 3})
    assert read_config(tmp_path / "checkpoint")["predictor"] == name
    loaded = load(tmp_path / "checkpoint", frame_size=SIZE, action_size=3)
    assert isinstance(loaded, Learner)
    assert loaded.config == model.config
    actions = clip(3, 5).actions
    assert_same(imagine(loaded, actions), imagine(model, actions), rtol=0, atol=0)


def a_moving_square(num: int, steps: int) -> Clip:
    """Something moves with the action; in the last clip, something else rests."""
    moves = torch.tensor([[0.0, 2.0], [1.0, 0.0]]).repeat(num, 1)[:num]
    places = (
        torch.tensor([6.0, 5.0]) + torch.arange(steps + 1.0)[None, :, None] * moves[:, None]
    )
    frames = 0.3 + 0.6 * splat_places(places, MAP_SIZE, SIZE)[:, :, None].repeat_interleave(
        2, -1
    ).repeat_interleave(2, -2)
    actions = torch.cat([moves / 2, torch.zeros(num, 1)], -1)[:, None].repeat(1, steps, 1)
    states = torch.cat([places / 20, torch.zeros(num, steps + 1, 3)], -1)
    frames = frames.expand(num, steps + 1, 3, *SIZE).contiguous()
    frames[-1, :, :, 9:13, 17:21] = torch.tensor([0.9, 0.1, 0.1])[:, None, None]
    return Clip(actions, frames, states)


@pytest.mark.parametrize("name", LEARNED)
def test_a_few_gradient_steps_help_and_reach_every_weight(name: str) -> None:
    torch.manual_seed(0)
    homography = ((0.05, 0.0, 0.0), (0.0, 0.05, 0.0), (0.0, 0.0, 1.0))
    model: Any = create(name, DATA | {"homography": homography})
    seen = a_moving_square(3, model.context + 2)
    places = seen.states[:, :, None, :2] * 20
    points = slice(0 if isinstance(model, FramesOnly) else None)
    batch = Batch(
        seen, places[:, :, points], torch.ones(places.shape[:3], dtype=torch.bool)[:, :, points]
    )
    model.calibrate(seen)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    missed = {key for key, _ in model.named_parameters()}  # frames are not always learnt from
    losses = []
    for step in (*range(15), *range(15, 100, 3)):  # what is learnt first, and last
        loss, _ = objective(model, batch, TRAINING, step)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        missed -= {
            key for key, parameter in model.named_parameters() if parameter.grad is not None
        }
        with torch.no_grad():
            parts = objective(model, batch, TRAINING, step=0)[1]  # always the same chance
        losses.append(
            {
                name: part.item()
                for name, part in (parts | {"loss": parts["loss"] - parts["extra"]}).items()
            }
        )
    assert not missed
    first, last = losses[0], losses[-1]
    assert last["loss"] < first["loss"]
    # `rigid` draws first
    assert any(last[name] < 0.95 * first[name] for name in ("loss", "pixels") if name in last)
