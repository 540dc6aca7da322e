"""Squares on a plain table and a black bar from above.

Which layers a collage has is known, and can be learnt.
"""

import numpy as np
import pytest
import torch
from einops import rearrange

from visual_foresight.predictors.rigid.copy_paste import Collage, CutPaste
from visual_foresight.predictors.rigid.segmentation import (
    Layers,
    SegmentationNetwork,
    layers,
    unlike,
)

SIZE, GREY, RED, BLACK = (48, 48), 0.6, (0.9, 0.1, 0.1), (0.02, 0.02, 0.02)
EMPTY = np.full((*SIZE, 3), GREY, np.float32)
TIP = (24, 20)
NUM_STEPS = 160


def scene(*corners: tuple[int, int], bar: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Return a frame with red squares of 7 pixels, half behind a bar 3 pixels wide, and where the bar is."""
    frame, arm = EMPTY.copy(), np.zeros(SIZE, bool)
    for row, col in corners:
        frame[row : row + 7, col : col + 7] = RED
    if bar:
        arm[: TIP[0], TIP[1] - 1 : TIP[1] + 2] = True
        frame[arm] = BLACK
    return frame, arm


def cut(*scenes: tuple[np.ndarray, np.ndarray]) -> CutPaste:
    frames, arms = (np.stack(each) for each in zip(*scenes, strict=True))
    return CutPaste(
        frames, EMPTY, arms.astype(np.float32), arms, np.tile(np.float32(TIP), (len(frames), 1))
    )


@pytest.fixture(scope="module")
def collages() -> list[Collage]:
    rng = np.random.default_rng(0)
    scissors = cut(
        scene((30, 5)), scene((12, 32)), scene((25, 30), bar=False), scene((30, 5), (33, 28))
    )
    return [scissors.collage(rng) for _ in range(60)]


def test_what_the_arm_touches_is_not_whole() -> None:
    scissors = cut(scene((10, 17), (30, 5)), scene((10, 32)))
    assert [number for number, _ in scissors.whole] == [0, 1]
    assert scissors.pieces[0][33, 8] > 0 and not scissors.pieces[0][:20].any()
    assert scissors.bare_arms == [1]


def test_an_arm_in_the_way_of_everything_leaves_nothing() -> None:
    assert not cut(scene((10, 17))).whole


def test_layers_are_what_the_picture_shows(collages: list[Collage]) -> None:
    for made in collages:
        arm, thing = made.arm > 0.5, made.thing > 0.5
        shown = EMPTY + made.apart
        np.testing.assert_allclose(
            shown[arm], np.broadcast_to(BLACK, shown[arm].shape), atol=0.06
        )
        np.testing.assert_allclose(
            shown[thing & ~arm], np.broadcast_to(RED, shown[thing & ~arm].shape), atol=0.06
        )
        np.testing.assert_allclose(shown[~thing & ~arm], GREY, atol=0.06)
    assert sum((made.arm * made.thing).sum() for made in collages) > 100  # arms lie over things
    assert all(made.thing.sum() >= 49 for made in collages)


def test_borders_are_where_two_things_touch(collages: list[Collage]) -> None:
    bordered = [made for made in collages if made.border.any()]
    assert len(bordered) > len(collages) / 4
    assert all(made.thing[made.border > 0].all() for made in bordered)
    alone = [made for made in collages if made.thing.sum() == 49]
    assert alone and not any(made.border.any() for made in alone)


def test_an_arm_comes_from_the_upper_rim(collages: list[Collage]) -> None:
    for made in collages:
        if made.arm.any():
            assert (
                made.arm[0].any()
                and abs(np.argwhere(made.arm)[:, 0].max() + 1 - made.tip[0]) <= 1
            )


def test_the_same_chance_makes_the_same_collage() -> None:
    scissors = cut(scene((30, 5)), scene((12, 32)))
    one, two = (scissors.collage(np.random.default_rng(3)) for _ in range(2))
    for name, value in vars(one).items():
        np.testing.assert_array_equal(value, getattr(two, name))


def batch(made: list[Collage]) -> tuple[tuple[torch.Tensor, ...], Layers]:
    apart, cover, tip, *truth = (
        torch.from_numpy(np.stack([getattr(each, name) for each in made]))
        for name in ("apart", "cover", "tip", "arm", "thing", "border")
    )
    background = rearrange(torch.from_numpy(EMPTY), "h w c -> c h w")
    frames = background + rearrange(apart, "b h w c -> b c h w")
    plain = (apart.abs().amax(-1) > 0.2).float()
    return (frames, background, plain, cover, tip), Layers(*truth)


def test_at_first_sight_all_is_as_is_plain(collages: list[Collage]) -> None:
    seen, truth = batch(collages[:8])
    with torch.no_grad():
        found = layers(SegmentationNetwork()(*seen))
    assert (
        (found.thing > 0.5) == (truth.thing > 0.5) & (truth.arm < 0.5)
    ).float().mean() > 0.99
    assert found.border.max() < 0.05


def test_layers_can_be_learnt(collages: list[Collage]) -> None:
    torch.manual_seed(0)
    segmentation, (seen, truth) = (
        SegmentationNetwork(),
        batch(sorted(collages, key=lambda made: -(made.arm * made.thing).sum())[:12]),
    )
    optimizer = torch.optim.Adam(segmentation.parameters(), lr=2e-3)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, NUM_STEPS)
    hidden = (truth.arm > 0.5) & (truth.thing > 0.5)
    for _ in range(NUM_STEPS):
        loss = unlike(segmentation(*seen), truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        falling.step()
    with torch.no_grad():
        found = layers(segmentation(*seen))
    assert (found.thing[hidden] > 0.5).float().mean() > 0.6  # behind the arm
    assert (found.thing[truth.thing < 0.5] < 0.5).float().mean() > 0.97
