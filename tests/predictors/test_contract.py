"""Laws that every learned predictor keeps, on tiny non-square frames.

What they learn is measured by `evaluate`, not here.
"""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from visual_foresight.interfaces import FramesOnly, Learner, MotionPredictor
from visual_foresight.predictors.checkpoints import load, read_config, save
from visual_foresight.predictors.layers.point_maps import Points
from visual_foresight.predictors.layers.warping import Motion, move_maps, resize_motion
from visual_foresight.predictors.registry import PREDICTORS, create
from visual_foresight.training.clip_sampler import Batch
from visual_foresight.training.config import TrainConfig
from visual_foresight.training.losses import objective
from visual_foresight.types import Clip, Prediction, UserError
from visual_foresight.vision.pixel_maps import splat_places

SIZE, MAP_SIZE = (16, 24), (8, 12)
# states in [0, 1] are anywhere in the frame
TABLE = ((1 / 16, 0.0, 0.0), (0.0, 1 / 24, 0.0), (0.0, 0.0, 1.0))
DATA = {
    "frame_size": SIZE,
    "action_size": 3,
    "state_size": 5,
    "channels": 8,
    "homography": TABLE,
}
LEARNED = [name for name, classes in PREDICTORS.items() if classes()[1] is not None]
TRAINING = TrainConfig(data=Path(), out=Path(), steps=100)


@pytest.fixture(params=LEARNED)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def model(name: str) -> nn.Module:
    torch.manual_seed(0)
    model = create(name, DATA)
    # A new network takes everything from one frame: no law would be tested. With 0.2, rounding
    # grows fourfold a step.
    for key, parameter in model.named_parameters():
        if ".segmentation." not in key:  # it would see a heap in noise, and a heap is chaotic
            nn.init.normal_(parameter, std=0.15)
    known = clip(8, 6, seed=1)
    model.calibrate(Clip(known.actions, torch.full_like(known.frames, 0.14), known.states))
    return model.eval().requires_grad_(False)


def clip(batch: int, steps: int, seed: int = 0) -> Clip:
    """Noise, and something coloured near the fingertip."""
    rng = torch.Generator().manual_seed(seed)
    frames = 0.1 + 0.08 * torch.rand(batch, steps + 1, 3, *SIZE, generator=rng)
    frames[..., 5:7, 8:11] = torch.tensor([0.95, 0.02, 0.95])[:, None, None]
    return Clip(
        torch.rand(batch, steps, 3, generator=rng) * 2 - 1,
        frames,
        # near the first of the pixels below
        0.25 + torch.rand(batch, steps + 1, 5, generator=rng) / 4,
    )


def num_maps(model: nn.Module) -> int:
    return 0 if isinstance(model, FramesOnly) else 2


def imagine(
    model: Learner, actions: Tensor, decode: bool = True, scenes: int = 1
) -> Prediction:
    maps = splat_places(torch.tensor([[6.0, 9.0], [11.0, 3.0]]), MAP_SIZE, SIZE)[
        : num_maps(model)
    ]
    spread = maps.expand(len(actions), *maps.shape)
    return model.imagine(
        model.observe(clip(scenes, model.context - 1)), actions, spread, decode
    )


def assert_same(one: Prediction, two: Prediction, **tolerance: float) -> None:
    for part in ("frames", "pixel_maps", "lost"):
        torch.testing.assert_close(getattr(one, part), getattr(two, part), **tolerance)


def test_shapes_ranges_and_distributions(model: Learner) -> None:
    prediction = imagine(model, clip(4, 6).actions, scenes=4)
    p = num_maps(model)
    assert prediction.frames.shape == (4, 6, 3, *SIZE)
    assert prediction.pixel_maps.shape == (4, 6, p, *MAP_SIZE)
    assert ((prediction.frames >= 0) & (prediction.frames <= 1 + 1e-5)).all()
    assert (prediction.pixel_maps >= 0).all()
    torch.testing.assert_close(prediction.pixel_maps.sum((-2, -1)), torch.ones(4, 6, p))
    assert prediction.lost.shape == (4, 6, p)
    assert (prediction.lost <= 1 + 1e-5).all()


def test_an_action_changes_only_what_comes_after_it(model: Learner) -> None:
    actions = clip(4, 6).actions
    changed = actions.clone()
    changed[:, 3] += 0.5
    one, two = imagine(model, actions), imagine(model, changed)
    torch.testing.assert_close(one.frames[:, :3], two.frames[:, :3])
    assert not torch.allclose(one.frames[:, 3], two.frames[:, 3])
    if num_maps(model):
        torch.testing.assert_close(one.pixel_maps[:, :3], two.pixel_maps[:, :3])
        assert not torch.allclose(one.pixel_maps[:, 3:], two.pixel_maps[:, 3:])


@pytest.mark.parametrize("scenes", [1, 5])
def test_candidates_do_not_see_one_another(model: Learner, scenes: int) -> None:
    actions, seen = clip(5, 4).actions, clip(scenes, model.context - 1)
    maps = splat_places(torch.tensor([[6.0, 9.0]] * 5), MAP_SIZE, SIZE)[:, None][
        :, : num_maps(model)
    ]
    together = model.imagine(model.observe(seen), actions, maps, decode=True)
    for number in (0, 3):
        scene = slice(number, number + 1) if scenes > 1 else slice(1)
        its_own = Clip(seen.actions[scene], seen.frames[scene], seen.states[scene])
        alone = model.imagine(
            model.observe(its_own), actions[number : number + 1], maps[:1], decode=True
        )
        torch.testing.assert_close(
            alone.frames[0], together.frames[number], atol=5e-5, rtol=1e-4
        )
        torch.testing.assert_close(
            alone.pixel_maps[0], together.pixel_maps[number], atol=5e-5, rtol=1e-4
        )


@pytest.mark.parametrize("decode", [True, False])
def test_six_steps_are_four_and_two(model: Learner, decode: bool) -> None:
    actions = clip(3, 6).actions
    whole = imagine(model, actions, decode)
    begin = imagine(model, actions[:, :4], decode)
    end = model.imagine(begin.carry, actions[:, 4:], begin.pixel_maps[:, -1], decode)
    # The maps of several members go on from their average (see `Prediction.average`), so of
    # those, frames alone are the same.
    for part in ("frames",) if whole.members else ("frames", "pixel_maps", "lost"):
        parts = torch.cat([getattr(begin, part), getattr(end, part)], 1)
        torch.testing.assert_close(parts, getattr(whole, part))


def test_what_is_imagined_does_not_depend_on_decoding(model: Learner) -> None:
    actions = clip(3, 5).actions
    seen, unseen = imagine(model, actions, True), imagine(model, actions, False)
    torch.testing.assert_close(seen.pixel_maps, unseen.pixel_maps)
    torch.testing.assert_close(seen.lost, unseen.lost)
    assert unseen.frames.shape == (3, 0, 3, *SIZE)


def test_imagining_leaves_no_trace(model: Learner) -> None:
    actions = clip(3, 5).actions
    weights = {key: value.clone() for key, value in model.state_dict().items()}
    first = imagine(model, actions)
    imagine(model, -actions)
    assert_same(imagine(model, actions), first, rtol=0, atol=0)
    for key, value in model.state_dict().items():
        assert torch.equal(value, weights[key]), key


def test_no_designated_pixels_is_an_empty_axis(model: Learner) -> None:
    prediction = model.imagine(
        model.observe(clip(1, model.context - 1)),
        clip(2, 3).actions,
        torch.zeros(2, 0, *MAP_SIZE),
    )
    assert prediction.pixel_maps.shape == (2, 3, 0, *MAP_SIZE)
    assert prediction.lost.shape == (2, 3, 0)


def test_who_cannot_move_pixels_says_so(model: Learner) -> None:
    if not isinstance(model, FramesOnly):
        pytest.skip("it moves pixels")
    carry = model.observe(clip(1, model.context - 1))
    with pytest.raises(UserError, match="cannot move pixels, but 1 pixel maps were asked for"):
        model.imagine(carry, clip(2, 3).actions, torch.full((2, 1, *MAP_SIZE), 1 / 96))


def test_the_motions_shown_are_those_that_are_applied(model: Learner) -> None:
    if not isinstance(model, MotionPredictor):
        pytest.skip("it shows no motion")
    actions, seen = clip(3, 4).actions, clip(1, model.context - 1)
    maps = splat_places(torch.tensor([[6.0, 9.0], [11.0, 3.0]]), MAP_SIZE, SIZE).expand(
        3, 2, *MAP_SIZE
    )
    imagined = model.imagine(model.observe(seen), actions, maps)
    points, earlier = Points.of(maps, SIZE).widened(3), maps
    for step, motion in enumerate(model.motions(model.observe(seen), actions)):
        if isinstance(motion, Motion) and motion.drawn:
            pytest.skip("it draws a motion that it computes otherwise")
        if isinstance(motion, Motion) and motion.forward is not None:
            points, lost = points.moved(motion.forward, SIZE), torch.zeros(3, 2)
            maps = points.maps(MAP_SIZE, SIZE)
        else:
            moved, lost = move_maps(resize_motion(motion, MAP_SIZE), maps, SIZE, earlier)
            earlier, maps = maps, moved
        torch.testing.assert_close(imagined.pixel_maps[:, step], maps)
        torch.testing.assert_close(imagined.lost[:, step], lost)


def test_saved_and_loaded_it_is_the_same(model: Learner, name: str, tmp_path: Path) -> None:
    model.calibrate(clip(6, 4))
    save(model, tmp_path / "checkpoint", {"steps": 3})
    assert read_config(tmp_path / "checkpoint")["predictor"] == name
    loaded = load(tmp_path / "checkpoint", frame_size=SIZE, action_size=3)
    assert loaded.config == model.config
    actions = clip(3, 5).actions
    assert_same(imagine(loaded, actions), imagine(model, actions), rtol=0, atol=0)


def a_moving_square(num: int, steps: int) -> Clip:
    """Something moves with the action.

    Down in every other clip, right in the others; in the last, something else rests.
    """
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


def test_a_few_gradient_steps_help_and_reach_every_weight(name: str) -> None:
    torch.manual_seed(0)
    model = create(
        name, DATA | {"homography": ((0.05, 0.0, 0.0), (0.0, 0.05, 0.0), (0.0, 0.0, 1.0))}
    )
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
