"""Red squares on a grey table, seen from straight above, pushed in known ways."""

import pytest
import torch
from torch import Tensor

from tests.fakes.clips import clip_of
from visual_foresight.predictors.rigid.model import Rigid, RigidConfig
from visual_foresight.types import Clip, UserError
from visual_foresight.vision.pixel_maps import expected_places, first_maps

SIZE, PIXEL_M = (40, 48), 0.008
HOMOGRAPHY = ((PIXEL_M, 0.0, 0.0), (0.0, PIXEL_M, 0.0), (0.0, 0.0, 1.0))  # x down, y right
STEP_M = 0.04


def table_with(*corners: tuple[int, int]) -> Tensor:
    """Return a frame with red squares of 6 pixels."""
    frame = torch.full((3, *SIZE), 0.6)
    for row, col in corners:
        frame[:, row : row + 6, col : col + 6] = torch.tensor([0.9, 0.1, 0.1])[:, None, None]
    return frame


def seen(frame: Tensor, tip: tuple[float, float]) -> Clip:
    """Return a clip of two equal frames in which the fingertip rests at (row, col)."""
    state = torch.tensor([tip[0] * PIXEL_M, tip[1] * PIXEL_M])
    return clip_of(frame.expand(2, *frame.shape), states=state.expand(2, 2))


@pytest.fixture
def model() -> Rigid:
    """Return a model that is calibrated, but not trained."""
    torch.manual_seed(0)
    model = Rigid(RigidConfig(SIZE, 2, 2, homography=HOMOGRAPHY))
    rng = torch.Generator().manual_seed(0)
    actions = torch.rand(32, 10, 2, generator=rng) * 2 - 1
    places = 0.2 + torch.cat([torch.zeros(32, 1, 2), STEP_M * actions.cumsum(1)], 1)
    model.calibrate(Clip(actions, table_with().expand(32, 11, 3, *SIZE), places))
    return model.eval().requires_grad_(False)


def at(*places: tuple[float, float]) -> Tensor:
    return torch.tensor(places)[None]


def test_a_pixel_goes_with_the_body_that_is_pushed_and_others_stay(model: Rigid) -> None:
    carry = model.observe(seen(table_with((18, 20), (26, 34)), (20.5, 12.0)))
    actions = torch.tensor([[[0.0, 1.0], [0.0, 1.0]]])  # 5 pixels to the right, twice
    carry = model.designate(carry, at((20.5, 22.5), (28.5, 36.5), (10.0, 40.0)))
    places = expected_places(model.imagine(carry, actions).pixel_maps[0], SIZE)
    pushed, resting, beside = places[-1]
    # From 12 to 22, less the finger's 1.5 and the square's 3 pixels: it is met at 15.5 or so,
    # and may slide on.
    assert 26.0 < pushed[1] < 28.5 and abs(pushed[0] - 20.5) < 0.5
    torch.testing.assert_close(resting, torch.tensor([28.5, 36.5]))
    torch.testing.assert_close(beside, torch.tensor([10.0, 40.0]))


def test_a_pixel_beside_the_edge_of_a_body_goes_with_it_one_farther_off_stays(
    model: Rigid,
) -> None:
    carry = model.observe(seen(table_with((18, 20)), (20.5, 12.0)))
    above = (17.0, 22.5)
    carry = model.designate(carry, at(above, (15.0, 22.5), (20.5, 22.5)))
    actions = torch.tensor([[[0.0, 1.0], [0.0, 1.0]]])
    places = expected_places(model.imagine(carry, actions).pixel_maps[0], SIZE)
    beside, off, inside = places[-1]
    assert beside[1] - 22.5 == pytest.approx(float(inside[1]) - 22.5, abs=0.3)
    torch.testing.assert_close(off, torch.tensor([15.0, 22.5]))


def test_the_frame_shows_the_body_where_its_pixels_went(model: Rigid) -> None:
    carry = model.observe(seen(table_with((18, 20)), (20.5, 12.0)))
    carry = model.designate(carry, at((20.5, 22.5)))
    imagined = model.imagine(carry, torch.tensor([[[0.0, 1.0], [0.0, 1.0]]]), decode=True)
    red = imagined.frames[0, -1, 0] - imagined.frames[0, -1, 1] > 0.4
    middle = red.nonzero().float().mean(0)
    torch.testing.assert_close(
        middle, expected_places(imagined.pixel_maps[0, -1, 0], SIZE), atol=0.5, rtol=0
    )
    assert 25 <= red.sum() <= 49


def test_the_flow_drawn_is_the_motion_of_the_body(model: Rigid) -> None:
    carry = model.observe(seen(table_with((18, 20)), (20.5, 12.0)))
    actions = torch.tensor([[[0.0, 1.0], [0.0, 1.0]]])
    carry = model.designate(carry, at((20.5, 22.5)))
    steps = model.imagine(carry, actions).pixel_maps[0, :, 0]
    before, after = expected_places(steps, SIZE)
    motion = model.motions(carry, actions)[1]
    assert motion.forward is not None
    row, col = before.round().long().tolist()
    torch.testing.assert_close(motion.forward[0, :, row, col], after - before, atol=0.5, rtol=0)
    row, col = after.round().long().tolist()
    torch.testing.assert_close(
        motion.flows[0, 0, :, row, col], before - after, atol=0.5, rtol=0
    )
    assert motion.flows[0, 0, :, 35, 5].abs().max() == 0


def test_segments_are_the_bodies_where_they_are_and_where_they_are_imagined(
    model: Rigid,
) -> None:
    carry = model.observe(seen(table_with((18, 20), (26, 34)), (20.5, 12.0)))
    masks = model.segments(carry)[0] > 0.5
    shown = table_with((18, 20), (26, 34))[0] > 0.8
    assert torch.equal(masks.any(0), shown)
    assert masks.flatten(1).sum(1).tolist() == [36, 36]
    carry = model.designate(carry, at((20.5, 22.5), (28.5, 36.5)))
    later = model.imagine(carry, torch.tensor([[[0.0, 1.0], [0.0, 1.0]]]))
    middles = [mask.nonzero().float().mean(0) for mask in model.segments(later.carry)[0] > 0.5]
    places = expected_places(later.pixel_maps[0, -1], SIZE)
    torch.testing.assert_close(
        torch.stack(sorted(middles, key=lambda at: at[0].item())), places, atol=0.5, rtol=0
    )
    assert model.segments(model.observe(seen(table_with(), (20.5, 12.0)))).shape == (
        1,
        0,
        *SIZE,
    )


def test_imagining_goes_on_where_it_stopped(model: Rigid) -> None:
    carry = model.observe(seen(table_with((18, 20)), (22.0, 12.0)))
    actions = torch.tensor([[[0.0, 1.0], [0.2, 1.0], [0.0, 0.7]]])
    carry = model.designate(carry, at((20.5, 22.5)))
    whole = model.imagine(carry, actions)
    part = model.imagine(carry, actions[:, :2])
    rest = model.imagine(part.carry, actions[:, 2:])
    torch.testing.assert_close(rest.pixel_maps[:, 0], whole.pixel_maps[:, 2])
    # A pixel of the body, designated where the body has been imagined to be, goes with it, too.
    moved = expected_places(part.pixel_maps[:, -1], SIZE)
    anew = model.imagine(model.designate(part.carry, moved), actions[:, 2:])
    found = expected_places(anew.pixel_maps[:, 0], SIZE)
    true = expected_places(whole.pixel_maps[:, 2], SIZE)
    torch.testing.assert_close(found, true, atol=0.2, rtol=0)


def test_a_mirrored_push_is_a_mirrored_push(model: Rigid) -> None:
    torch.manual_seed(0)
    torch.nn.init.normal_(model.residual_push.error.weight, std=0.05)
    middle = (SIZE[1] - 1) / 2
    frame, tip = table_with((18, 14)), (22.0, 8.0)
    mirrored = seen(frame.flip(-1), (tip[0], 2 * middle - tip[1]))
    actions = torch.tensor([[[0.0, 1.0], [0.1, 1.0]]])
    carry = model.designate(model.observe(seen(frame, tip)), at((20.5, 16.5)))
    one = model.imagine(carry, actions)
    carry = model.designate(model.observe(mirrored), at((20.5, 2 * middle - 16.5)))
    other = model.imagine(carry, actions * torch.tensor([1.0, -1.0]))
    plain = expected_places(one.pixel_maps[0, -1, 0], SIZE)
    row, col = expected_places(other.pixel_maps[0, -1, 0], SIZE)
    mirrored_back = torch.stack([row, 2 * middle - col])
    torch.testing.assert_close(plain, mirrored_back, atol=0.15, rtol=0)
    assert plain[1] > 19


def test_an_empty_table_stays_empty(model: Rigid) -> None:
    place = at((9.0, 9.0))
    carry = model.designate(model.observe(seen(table_with(), (20.0, 20.0))), place)
    imagined = model.imagine(carry, torch.ones(3, 4, 2))
    resting = first_maps(place, SIZE).expand(3, -1, -1, -1)
    torch.testing.assert_close(imagined.pixel_maps[:, -1], resting)


def test_one_frame_is_not_enough(model: Rigid) -> None:
    with pytest.raises(ValueError, match="at least 2 frames"):
        model.observe(clip_of(table_with()[None], state_size=2))


def test_frames_of_odd_sizes_are_refused() -> None:
    with pytest.raises(UserError, match="multiples of 8"):
        Rigid(RigidConfig((30, 40)))


@pytest.mark.parametrize("progress", [0.0, 0.3, 0.9])
def test_each_phase_of_training_gives_a_gradient_to_what_it_trains_alone(
    model: Rigid, progress: float
) -> None:
    trained = {0.0: "scene_encoder.arm", 0.3: "segmentation", 0.9: "residual_push"}[progress]
    untrained = {0.0: "residual_push", 0.3: "residual_push", 0.9: "scene_encoder"}[progress]
    model.requires_grad_(True)
    frames = torch.stack([table_with((18, 20)), table_with((18, 21)), table_with((18, 21))])
    tips = torch.tensor([[20.5, 12.0], [20.5, 16.0], [20.5, 20.0]]) * PIXEL_M
    clip = clip_of(frames, actions=torch.tensor([[0.0, 0.8], [0.0, 0.8]]), states=tips)
    rng = torch.Generator().manual_seed(0)
    prediction, extra = model.training_rollout(clip, at((20.5, 23.5)), rng, progress)
    loss = extra + prediction.frames.sum() + expected_places(prediction.pixel_maps, SIZE).sum()
    loss.backward()
    learnt = {name for name, each in model.named_parameters() if each.grad is not None}
    assert any(trained in name for name in learnt)
    assert not any(untrained in name for name in learnt)


def test_a_phase_with_nothing_to_learn_from_has_a_loss_without_a_gradient(model: Rigid) -> None:
    model.requires_grad_(True)
    empty = table_with().expand(1, 3, 3, *SIZE)
    clip = clip_of(empty, states=torch.full((3, 2), 0.2))
    places = at((20.5, 22.5))
    for progress in (0.3, 0.9):  # no object to segment, none to push
        for seed in range(20):
            rng = torch.Generator().manual_seed(seed)
            prediction, extra = model.training_rollout(clip, places, rng, progress)
            if not prediction.frames.shape[1]:
                break
        assert extra.item() == 0
        assert not extra.requires_grad and not prediction.pixel_maps.requires_grad
