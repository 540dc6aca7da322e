"""Collages of red squares on a grey table under a black bar as arm: their layers are known."""

import numpy as np
import pytest
import torch
from einops import rearrange

from visual_foresight.predictors.rigid.copy_paste import Collage, CutPaste
from visual_foresight.predictors.rigid.segmentation import (
    Layers,
    SegmentationNetwork,
    segmentation_loss,
)

SIZE, GREY, RED, BLACK = (48, 48), 0.6, (0.9, 0.1, 0.1), (0.02, 0.02, 0.02)
BACKGROUND = np.full((*SIZE, 3), GREY, np.float32)
TIP = (24, 20)
NUM_STEPS = 160


def scene(*corners: tuple[int, int], bar: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Return a frame with red squares of 7 pixels under a bar of 3 pixels, and the bar's mask."""
    frame, arm = BACKGROUND.copy(), np.zeros(SIZE, bool)
    for row, col in corners:
        frame[row : row + 7, col : col + 7] = RED
    if bar:
        arm[: TIP[0], TIP[1] - 1 : TIP[1] + 2] = True
        frame[arm] = BLACK
    return frame, arm


def cut(*scenes: tuple[np.ndarray, np.ndarray]) -> CutPaste:
    frames = np.stack([frame for frame, _ in scenes])
    arms = np.stack([arm for _, arm in scenes])
    tips = np.tile(np.array(TIP, np.float32), (len(frames), 1))
    return CutPaste(frames, BACKGROUND, arms.astype(np.float32), arms, tips)


@pytest.fixture(scope="module")
def collages() -> list[Collage]:
    rng = np.random.default_rng(0)
    cut_paste = cut(
        scene((30, 5)), scene((12, 32)), scene((25, 30), bar=False), scene((30, 5), (33, 28))
    )
    return [cut_paste.collage(rng) for _ in range(60)]


def test_what_the_arm_touches_is_not_whole() -> None:
    cut_paste = cut(scene((10, 17), (30, 5)), scene((10, 32)))
    assert [number for number, _ in cut_paste.whole] == [0, 1]
    assert cut_paste.labels[0][33, 8] > 0 and not cut_paste.labels[0][:20].any()
    assert cut_paste.bare_arms == [1]


def test_an_arm_in_the_way_of_everything_leaves_nothing() -> None:
    assert not cut(scene((10, 17))).whole


def test_layers_are_what_the_picture_shows(collages: list[Collage]) -> None:
    for made in collages:
        arm = made.arm > 0.5
        objects = made.objects > 0.5
        shown = BACKGROUND + made.difference
        np.testing.assert_allclose(
            shown[arm], np.broadcast_to(BLACK, shown[arm].shape), atol=0.06
        )
        np.testing.assert_allclose(
            shown[objects & ~arm], np.broadcast_to(RED, shown[objects & ~arm].shape), atol=0.06
        )
        np.testing.assert_allclose(shown[~objects & ~arm], GREY, atol=0.06)
    assert (
        sum((made.arm * made.objects).sum() for made in collages) > 100
    )  # arms lie over objects
    assert all(made.objects.sum() >= 49 for made in collages)


def test_borders_are_where_two_things_touch(collages: list[Collage]) -> None:
    bordered = [made for made in collages if made.border.any()]
    assert len(bordered) > len(collages) / 4
    assert all(made.objects[made.border > 0].all() for made in bordered)
    alone = [made for made in collages if made.objects.sum() == 49]
    assert alone and not any(made.border.any() for made in alone)


def test_an_arm_reaches_from_the_upper_border_to_its_tip(collages: list[Collage]) -> None:
    for made in collages:
        if made.arm.any():
            assert (
                made.arm[0].any()
                and abs(np.argwhere(made.arm)[:, 0].max() + 1 - made.tip[0]) <= 1
            )


def test_the_same_seed_makes_the_same_collage() -> None:
    cut_paste = cut(scene((30, 5)), scene((12, 32)))
    one = cut_paste.collage(np.random.default_rng(3))
    two = cut_paste.collage(np.random.default_rng(3))
    for name, value in vars(one).items():
        np.testing.assert_array_equal(value, getattr(two, name))


def batch(made: list[Collage]) -> tuple[tuple[torch.Tensor, ...], Layers]:
    """Return the network's inputs for collages, and their layers."""

    def stacked(name: str) -> torch.Tensor:
        return torch.from_numpy(np.stack([getattr(each, name) for each in made]))

    background = rearrange(torch.from_numpy(BACKGROUND), "h w c -> c h w")
    frames = background + rearrange(stacked("difference"), "b h w c -> b c h w")
    opacity = (stacked("difference").abs().amax(-1) > 0.2).float()
    truth = Layers(stacked("arm"), stacked("objects"), stacked("border"))
    return (frames, background, opacity, stacked("cover"), stacked("tip")), truth


def test_an_untrained_network_returns_the_prior(collages: list[Collage]) -> None:
    inputs, truth = batch(collages[:8])
    with torch.no_grad():
        found = Layers.from_logits(SegmentationNetwork()(*inputs))
    assert (
        (found.objects > 0.5) == (truth.objects > 0.5) & (truth.arm < 0.5)
    ).float().mean() > 0.99
    assert found.border.max() < 0.05


def test_layers_can_be_learnt(collages: list[Collage]) -> None:
    torch.manual_seed(0)
    segmentation = SegmentationNetwork()
    most_hidden = sorted(collages, key=lambda made: -(made.arm * made.objects).sum())[:12]
    inputs, truth = batch(most_hidden)
    optimizer = torch.optim.Adam(segmentation.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, NUM_STEPS)
    hidden = (truth.arm > 0.5) & (truth.objects > 0.5)
    for _ in range(NUM_STEPS):
        loss = segmentation_loss(segmentation(*inputs), truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        found = Layers.from_logits(segmentation(*inputs))
    assert (found.objects[hidden] > 0.5).float().mean() > 0.6  # behind the arm
    assert (found.objects[truth.objects < 0.5] < 0.5).float().mean() > 0.97
