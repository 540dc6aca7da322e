"""Known answers for the metrics of frames, and scikit-image's SSIM."""

import numpy as np
import pytest
import torch
from einops import rearrange
from skimage.metrics import structural_similarity

from visual_foresight.evaluation.prediction.frame_metrics import (
    check_ssim,
    inner,
    moving,
    psnr,
    seen_again,
    ssim,
)
from visual_foresight.types import UserError


def noisy_frames(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    true = torch.rand(2, 3, 3, 20, 26, generator=rng)
    return (true + 0.1 * torch.randn(true.shape, generator=rng)).clamp(0, 1), true


def test_psnr_of_a_constant_error() -> None:
    true = torch.full((2, 3, 3, 4, 5), 0.5)
    predicted = true.clone()
    predicted[0, 1] += 0.1  # mean square error 0.01: 20 dB
    decibels = psnr(predicted, true)
    assert decibels.shape == (2, 3)
    assert decibels[0, 1].item() == pytest.approx(20, abs=1e-4)
    assert decibels[1, 2].item() == pytest.approx(100)


def test_psnr_of_chosen_pixels_sees_no_others() -> None:
    true = torch.zeros(2, 3, 4, 5)
    predicted = true.clone()
    predicted[0, :, 1, 2] = 0.1
    predicted[0, :, 3, 3] = 1.0
    where = torch.zeros(2, 4, 5, dtype=torch.bool)
    where[0, 1, 2] = True
    assert psnr(predicted, true, where).tolist() == pytest.approx([20, 100], abs=1e-4)


def test_ssim_is_that_of_scikit_image() -> None:
    predicted, true = noisy_frames()
    ours = ssim(predicted, true)
    for i, j in np.ndindex(2, 3):
        theirs = structural_similarity(
            rearrange(predicted[i, j], "c h w -> h w c").double().numpy(),
            rearrange(true[i, j], "c h w -> h w c").double().numpy(),
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=1.0,
            channel_axis=-1,
        )
        assert ours[i, j].item() == pytest.approx(theirs, abs=1e-4)


def test_ssim_of_equal_frames_is_one_and_of_flat_ones_known() -> None:
    _, true = noisy_frames()
    assert ssim(true, true).numpy() == pytest.approx(1, abs=1e-5)
    dark, light = torch.full((1, 3, 12, 13), 0.2), torch.full((1, 3, 12, 13), 0.6)
    # no contrast: the light term alone
    expected = (2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4)
    assert ssim(dark, light).item() == pytest.approx(expected, abs=1e-4)


def test_ssim_of_chosen_pixels_is_that_of_the_windows_around_them() -> None:
    predicted, true = noisy_frames()
    where = torch.zeros(2, 3, 20, 26, dtype=torch.bool)
    where[0, 0, 8, 9] = True
    where[0, 1, 0, 0] = True  # its window does not fit
    found = ssim(predicted, true, where)
    cut = (0, 0, slice(None), slice(3, 14), slice(4, 15))
    assert found[0, 0].item() == pytest.approx(ssim(predicted[cut], true[cut]).item(), abs=1e-5)
    assert found[0, 1].item() == 0 and not inner(where)[0, 1].any()


def test_moving_pixels_differ_from_the_newest_frame_in_some_channel() -> None:
    newest = torch.full((1, 3, 4, 5), 0.5)
    future = newest[:, None].repeat(1, 2, 1, 1, 1)
    future[0, 1, 2, 3, 4] = 0.6
    future[0, 1, 2, 0, 0] = 0.55  # too little
    found = moving(future, newest)
    assert found.shape == (1, 2, 4, 5)
    assert found.nonzero().tolist() == [[0, 1, 3, 4]]


def test_small_frames_have_no_ssim() -> None:
    check_ssim((11, 30))
    with pytest.raises(UserError, match="11 pixels a side"):
        check_ssim((30, 10))


def test_seen_again_are_pixels_that_moved_and_look_as_at_first() -> None:
    moves = torch.tensor([[0, 1, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1]]).bool()
    expected = torch.tensor([[0, 0, 1, 1, 0, 1], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]]).bool()
    found = seen_again(rearrange(moves, "w t -> 1 t 1 w"))
    assert torch.equal(rearrange(found, "1 t 1 w -> w t"), expected)
