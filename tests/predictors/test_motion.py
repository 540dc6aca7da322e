import pytest
import torch

from visual_foresight.pixel_maps import expected_places, splat_places
from visual_foresight.predictors.motion import Motion, move_frames, move_maps, resize_motion, warp

SIZE = (12, 20)


def one_flow(down: float, right: float, source: int) -> Motion:
    """Everything moves alike, taken from one source alone (0 first, 1 now, 2 flow, 3 new)."""
    flows = torch.tensor([-float(down), -float(right)]).reshape(1, 1, 2, 1, 1).expand(1, 1, 2, *SIZE)
    masks = torch.zeros(1, 4, *SIZE)
    masks[:, source] = 1
    return Motion(flows.clone(), masks)


def test_a_whole_pixel_translation_moves_a_frame_exactly() -> None:
    frame = torch.rand(1, 3, *SIZE)
    moved = move_frames(one_flow(2, -3, 2), torch.zeros_like(frame), frame, torch.zeros_like(frame))
    torch.testing.assert_close(moved[..., 2:, :-3], frame[..., :-2, 3:], atol=1e-5, rtol=0)


@pytest.mark.parametrize("shift", [(1.0, 2.0), (0.5, -0.25), (-1.75, 3.1)])
@pytest.mark.parametrize("map_size", [SIZE, (6, 10)])
def test_a_translation_moves_a_map_exactly(shift: tuple[float, float], map_size: tuple[int, int]) -> None:
    place = torch.tensor([[[5.3, 9.2]]])
    maps = splat_places(place, map_size, SIZE)
    moved, lost = move_maps(resize_motion(one_flow(*shift, 2), map_size), maps, SIZE)
    torch.testing.assert_close(expected_places(moved, SIZE), place + torch.tensor(shift), atol=1e-4, rtol=0)
    torch.testing.assert_close(lost, torch.zeros(1, 1), atol=1e-5, rtol=0)


def test_masks_choose_the_source() -> None:
    first, now, new = torch.rand(3, 1, 3, *SIZE).unbind(0)
    for source, picture in ((0, first), (1, now), (3, new)):
        torch.testing.assert_close(move_frames(one_flow(1, 1, source), first, now, new), picture)


def test_lost_mass_is_reported_and_the_rest_is_a_distribution() -> None:
    maps = splat_places(torch.tensor([[[4.0, 4.0], [4.0, 12.0]]]), SIZE, SIZE)
    motion = one_flow(0, 0, 1)
    motion.masks[:, 1, :, :10], motion.masks[:, 3, :, :10] = 0.25, 0.75  # the left half is mostly made anew
    moved, lost = move_maps(motion, maps, SIZE)
    torch.testing.assert_close(lost, torch.tensor([[0.75, 0.0]]))
    torch.testing.assert_close(moved.sum((-2, -1)), torch.ones(1, 2))


def test_where_all_mass_is_lost_the_map_stays() -> None:
    maps = splat_places(torch.tensor([[[4.0, 4.0]]]), SIZE, SIZE)
    moved, lost = move_maps(one_flow(0, 0, 3), maps, SIZE)
    torch.testing.assert_close(moved, maps)
    torch.testing.assert_close(lost, torch.ones(1, 1))


def test_beyond_the_border_is_the_border() -> None:
    frame = torch.rand(1, 1, *SIZE)
    far = torch.full((1, 2, *SIZE), 100.0)
    torch.testing.assert_close(warp(frame, far, SIZE), frame[..., -1:, -1:].expand_as(frame))
