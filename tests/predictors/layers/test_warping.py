"""Motions with known answers: translations, turns, kernels and points."""

from dataclasses import replace

import pytest
import torch

from visual_foresight.predictors.layers.point_maps import Points
from visual_foresight.predictors.layers.warping import (
    KernelMotion,
    Motion,
    affine_flows,
    move_frames,
    move_maps,
    resize_motion,
    warp,
)
from visual_foresight.vision.pixel_maps import expected_places, first_maps, splat_places

SIZE = (12, 20)


def one_flow(down: float, right: float, source: int) -> Motion:
    """Everything moves alike, taken from one source alone (0 first, 1 now, 2 flow, 3 new)."""
    flows = (
        torch.tensor([-float(down), -float(right)])
        .reshape(1, 1, 2, 1, 1)
        .expand(1, 1, 2, *SIZE)
    )
    masks = torch.zeros(1, 4, *SIZE)
    masks[:, source] = 1
    return Motion(flows.clone(), masks)


def test_a_whole_pixel_translation_moves_a_frame_exactly() -> None:
    frame = torch.rand(1, 3, *SIZE)
    moved = move_frames(
        one_flow(2, -3, 2), torch.zeros_like(frame), frame, torch.zeros_like(frame)
    )
    torch.testing.assert_close(moved[..., 2:, :-3], frame[..., :-2, 3:], atol=1e-5, rtol=0)


@pytest.mark.parametrize("shift", [(1.0, 2.0), (0.5, -0.25), (-1.75, 3.1)])
@pytest.mark.parametrize("map_size", [SIZE, (6, 10)])
def test_a_translation_moves_a_map_exactly(
    shift: tuple[float, float], map_size: tuple[int, int]
) -> None:
    place = torch.tensor([[[5.3, 9.2]]])
    maps = splat_places(place, map_size, SIZE)
    moved, lost = move_maps(resize_motion(one_flow(*shift, 2), map_size), maps, SIZE)
    torch.testing.assert_close(
        expected_places(moved, SIZE), place + torch.tensor(shift), atol=1e-4, rtol=0
    )
    torch.testing.assert_close(lost, torch.zeros(1, 1), atol=1e-5, rtol=0)


@pytest.mark.parametrize("shift", [(1.0, 2.0), (0.5, -0.25), (-1.75, 3.1)])
def test_a_translation_moves_points_exactly_and_does_not_spread_them(
    shift: tuple[float, float],
) -> None:
    place = torch.tensor([[[5.3, 9.2], [4.5, 6.5]]])
    points = Points.at(place, SIZE)
    flow = torch.tensor(shift).reshape(1, 2, 1, 1).expand(1, 2, *SIZE) / 8
    moved = points
    for _ in range(8):
        moved = moved.moved(flow, SIZE)
    maps = moved.maps(SIZE)
    torch.testing.assert_close(
        expected_places(maps, SIZE), place + torch.tensor(shift), atol=1e-4, rtol=0
    )
    torch.testing.assert_close(maps.sum((-2, -1)), torch.ones(1, 2))
    torch.testing.assert_close(
        moved.places - points.places, torch.tensor(shift).expand_as(moved.places)
    )


def test_a_place_is_one_point_and_one_near_the_border_is_in_the_outermost_cells() -> None:
    places = torch.tensor([[[5.3, 9.2], [4.5, 6.5], [-3.0, 100.0]]])
    points = Points.at(places, SIZE)
    torch.testing.assert_close(points.places[:, :2], places[:, :2], atol=1e-4, rtol=0)
    corner = torch.tensor([0.5, SIZE[1] - 1.5])
    torch.testing.assert_close(points.places[0, 2], corner, atol=1e-4, rtol=0)
    torch.testing.assert_close(points.maps(SIZE), first_maps(places, SIZE))


def test_points_stop_at_the_border_of_the_frame() -> None:
    points = Points.at(torch.tensor([[[5.0, 9.0]]]), SIZE)
    moved = points.moved(torch.full((1, 2, *SIZE), 50.0), SIZE)
    assert moved.places.tolist() == [[[SIZE[0] - 1, SIZE[1] - 1]]]
    assert moved.maps(SIZE).sum() == 1


def test_candidates_move_points_independently() -> None:
    points = Points.at(torch.tensor([[[5.0, 9.0]]]), SIZE).widened(2)
    flow = torch.zeros(2, 2, *SIZE)
    flow[1, 1] = 3.0
    found = expected_places(points.moved(flow, SIZE).maps(SIZE), SIZE)
    torch.testing.assert_close(found, torch.tensor([[[5.0, 9.0]], [[5.0, 12.0]]]))


def test_no_map_has_no_points() -> None:
    points = Points.at(torch.zeros(2, 0, 2), SIZE).moved(torch.ones(2, 2, *SIZE), SIZE)
    assert points.maps(SIZE).shape == (2, 0, SIZE[0] // 2, SIZE[1] // 2)


def test_masks_choose_the_source() -> None:
    first, now, new = torch.rand(3, 1, 3, *SIZE).unbind(0)
    for source, picture in ((0, first), (1, now), (3, new)):
        torch.testing.assert_close(
            move_frames(one_flow(1, 1, source), first, now, new), picture
        )


def test_the_last_flows_move_the_map_of_the_frame_before() -> None:
    earlier, now = splat_places(torch.tensor([[[4.0, 4.0]], [[6.0, 12.0]]]), SIZE, SIZE)[
        :, None
    ].unbind(0)
    motion = replace(one_flow(1, 2, 2), num_earlier=1)
    moved, _ = move_maps(motion, now, SIZE, earlier)
    torch.testing.assert_close(
        expected_places(moved, SIZE), torch.tensor([[[5.0, 6.0]]]), atol=1e-4, rtol=0
    )
    moved, _ = move_maps(motion, now, SIZE)  # nothing is known of it: it did not move
    torch.testing.assert_close(
        expected_places(moved, SIZE), torch.tensor([[[7.0, 14.0]]]), atol=1e-4, rtol=0
    )


def test_lost_mass_is_reported_and_the_rest_is_a_distribution() -> None:
    maps = splat_places(torch.tensor([[[4.0, 4.0], [4.0, 12.0]]]), SIZE, SIZE)
    motion = one_flow(0, 0, 1)
    # the left half is mostly made anew
    motion.masks[:, 1, :, :10], motion.masks[:, 3, :, :10] = 0.25, 0.75
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


def one_kernel(down: int, right: int, local: bool, spacing_px: int = 1) -> KernelMotion:
    """Everything moves by so many taps, by one kernel for all places or by one for each."""
    kernels = torch.zeros(1, 1, 7, 7, 1, 1)
    kernels[0, 0, 3 - down, 3 - right] = 1
    masks = torch.zeros(1, 4, *SIZE)
    masks[:, 2] = 1
    return KernelMotion(
        kernels.expand(1, 1, 7, 7, *SIZE) if local else kernels, masks, spacing_px
    )


@pytest.mark.parametrize("local", [True, False], ids=["dna", "cdna"])
@pytest.mark.parametrize("spacing_px", [1, 2])
def test_a_kernel_of_one_tap_translates_a_frame_exactly(local: bool, spacing_px: int) -> None:
    frame = torch.rand(1, 3, *SIZE)
    moved = move_frames(one_kernel(2, -3, local, spacing_px), frame * 0, frame, frame * 0)
    down, right = 2 * spacing_px, 3 * spacing_px
    torch.testing.assert_close(moved[..., down:, :-right], frame[..., :-down, right:])
    # the border
    torch.testing.assert_close(
        moved[..., :down, :-right], frame[..., :1, right:].expand(1, 3, down, -1)
    )


@pytest.mark.parametrize("local", [True, False], ids=["dna", "cdna"])
@pytest.mark.parametrize("map_size", [SIZE, (6, 10), (4, 5), (8, 15)])
def test_a_kernel_translates_a_map_exactly_on_any_grid(
    local: bool, map_size: tuple[int, int]
) -> None:
    place = torch.tensor([[[6.3, 9.2]]])
    maps = splat_places(place, map_size, SIZE)
    moved, lost = move_maps(resize_motion(one_kernel(-1, 3, local), map_size), maps, SIZE)
    torch.testing.assert_close(
        expected_places(moved, SIZE), place + torch.tensor([-1.0, 3.0]), atol=1e-4, rtol=0
    )
    torch.testing.assert_close(lost, torch.zeros(1, 1), atol=1e-5, rtol=0)


def test_candidates_have_kernels_of_their_own() -> None:
    frames = torch.rand(2, 3, *SIZE)
    one = one_kernel(1, 0, False)
    two = one_kernel(0, -2, False)
    both = KernelMotion(
        torch.cat([one.kernels, two.kernels]), torch.cat([one.masks, two.masks])
    )
    moved = move_frames(both, frames * 0, frames, frames * 0)
    for number, motion in enumerate((one, two)):
        alone = frames[number : number + 1]
        torch.testing.assert_close(
            moved[number : number + 1], move_frames(motion, alone * 0, alone, alone * 0)
        )


@pytest.mark.parametrize("map_size", [SIZE, (6, 10)])
def test_an_affine_map_translates_a_map_exactly(map_size: tuple[int, int]) -> None:
    matrix = torch.tensor([[1.0, 0.0, -1.5 * 2 / SIZE[0]], [0.0, 1.0, 2.0 * 2 / SIZE[1]]])
    motion = Motion(
        affine_flows(matrix[None, None], map_size, SIZE),
        one_flow(0, 0, 2).masks[..., : map_size[0], : map_size[1]],
    )
    place = torch.tensor([[[5.3, 9.2]]])
    moved, lost = move_maps(motion, splat_places(place, map_size, SIZE), SIZE)
    torch.testing.assert_close(
        expected_places(moved, SIZE), place + torch.tensor([1.5, -2.0]), atol=1e-4, rtol=0
    )
    torch.testing.assert_close(lost, torch.zeros(1, 1), atol=1e-5, rtol=0)


def test_an_affine_map_can_rotate_the_frame() -> None:
    frame = torch.rand(1, 3, *SIZE)
    flows = affine_flows(torch.tensor([[[[-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]]]), SIZE, SIZE)
    torch.testing.assert_close(
        warp(frame, flows[:, 0], SIZE), frame.flip(-1, -2), atol=1e-5, rtol=0
    )


@pytest.mark.parametrize(
    "motion", [one_kernel(2, -1, True), one_kernel(2, -1, False)], ids=["dna", "cdna"]
)
def test_kernels_keep_mass_and_place_in_training_in_bfloat16(motion: KernelMotion) -> None:
    place = torch.tensor([[[5.3, 9.2]]])
    blurred = KernelMotion(motion.kernels * 0.9 + 0.1 / 49, motion.masks)
    maps = splat_places(place, (6, 10), SIZE)
    exact, _ = move_maps(resize_motion(blurred, (6, 10)), maps, SIZE)
    with torch.autocast("cpu", torch.bfloat16):
        moved, _ = move_maps(resize_motion(blurred, (6, 10)), maps, SIZE)
    torch.testing.assert_close(moved, exact)


def test_an_affine_map_keeps_its_place_in_bfloat16() -> None:
    matrices = torch.tensor([[[[0.97, 0.02, 0.011], [0.03, 1.01, -0.013]]]])
    exact = affine_flows(matrices, SIZE, SIZE)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(affine_flows(matrices, SIZE, SIZE), exact)


def test_points_keep_their_fraction_of_a_pixel_in_bfloat16() -> None:
    places = torch.tensor([[[20.3, 41.7], [55.1, 60.9]]])
    with torch.autocast("cpu", torch.bfloat16):
        drawn = Points.at(places, (64, 64)).maps((64, 64))
    torch.testing.assert_close(drawn, first_maps(places, (64, 64)))
