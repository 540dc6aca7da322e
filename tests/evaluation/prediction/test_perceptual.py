"""LPIPS and FVD through their real loading code, on small weights made here, and without any."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from visual_foresight.evaluation.prediction import perceptual
from visual_foresight.evaluation.prediction.perceptual import find_perceptual, frechet_distance
from visual_foresight.types import UserError

CHANNELS = ((3, 64, 11), (64, 192, 5), (192, 384, 3), (384, 256, 3), (256, 256, 3))
PLACES = (0, 3, 6, 8, 10)  # of AlexNet's convolutions among its layers


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the weights that this machine may have."""
    monkeypatch.delenv(perceptual.FOLDER_VARIABLE, raising=False)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))


def put_alexnet(folder: Path, monkeypatch: pytest.MonkeyPatch, drop: str = "") -> Path:
    """Write random weights of AlexNet, without the one called `drop`."""
    rng = torch.Generator().manual_seed(0)
    weights = {"classifier.1.weight": torch.zeros(2)}
    for place, (ins, outs, size) in zip(PLACES, CHANNELS, strict=True):
        weights[f"features.{place}.weight"] = 0.05 * torch.randn(
            outs, ins, size, size, generator=rng
        )
        weights[f"features.{place}.bias"] = torch.zeros(outs)
    weights.pop(drop, None)
    path = folder / perceptual.WEIGHTS["alex"].name
    torch.save(weights, path)
    digits = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    monkeypatch.setitem(
        perceptual.WEIGHTS, "alex", replace(perceptual.WEIGHTS["alex"], sha256=digits)
    )
    return path


class SmallI3d(nn.Module):
    """Is called as the published network; its features are each channel's mean and spread."""

    def forward(
        self, videos: Tensor, rescale: bool, resize: bool, return_features: bool
    ) -> Tensor:
        if rescale:
            videos = videos / 255 * 2 - 1
        return torch.cat([videos.mean(dim=[2, 3, 4]), videos.std(dim=[2, 3, 4])], 1)


def put_i3d(folder: Path) -> Path:
    path = folder / perceptual.WEIGHTS["i3d"].name
    with pytest.warns(FutureWarning, match="torch.jit.script"):
        torch.jit.script(SmallI3d()).save(str(path))
    return path


def frames(seed: int, batch: int = 2, steps: int = 10) -> Tensor:
    return torch.rand(batch, steps, 3, 32, 36, generator=torch.Generator().manual_seed(seed))


def test_without_weights_each_metric_has_a_sentence_and_none_a_number(tmp_path: Path) -> None:
    found = find_perceptual(tmp_path, "alex", 12)
    assert found.lpips is None and found.features is None
    lpips, fvd = found.notes
    assert "alexnet-owt-7be5be79.pth" in lpips and "233 MB" in lpips and "--weights" in lpips
    assert "i3d_torchscript.pt" in fvd and "VISUAL_FORESIGHT_WEIGHTS" in fvd


def test_lpips_loads_the_backbone_and_measures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_alexnet(tmp_path, monkeypatch)
    distance = find_perceptual(tmp_path, "alex", 12).lpips
    assert distance is not None
    first, second = frames(0), frames(1)
    assert torch.equal(distance(first, first), torch.zeros(2, 10))
    far = distance(first, second)
    near = distance(first, 0.9 * first + 0.1 * second)
    assert far.shape == (2, 10) and bool((far > near).all()) and bool((near > 0).all())


def test_weights_are_found_by_the_environment_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_alexnet(tmp_path, monkeypatch)
    monkeypatch.setenv(perceptual.FOLDER_VARIABLE, str(tmp_path))
    assert find_perceptual(None, "alex", 12).lpips is not None


def test_another_file_of_the_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_alexnet(tmp_path, monkeypatch).write_bytes(b"something else")
    with pytest.raises(UserError, match="not what its name says"):
        find_perceptual(tmp_path, "alex", 12)


def test_a_backbone_with_a_hole_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_alexnet(tmp_path, monkeypatch, drop="features.6.bias")
    with pytest.raises(UserError, match="features.6.bias"):
        find_perceptual(tmp_path, "alex", 12)


def test_fvd_features_come_from_the_torchscript_file(tmp_path: Path) -> None:
    put_i3d(tmp_path)
    features = find_perceptual(tmp_path, "alex", 12).features
    assert features is not None
    flat = features(torch.full((2, 10, 3, 8, 9), 0.2))
    # 51 / 255 * 2 - 1
    assert flat.numpy() == pytest.approx(np.tile([-0.6] * 3 + [0] * 3, (2, 1)), abs=1e-5)


def test_a_damaged_torchscript_file_is_named(tmp_path: Path) -> None:
    put_i3d(tmp_path).write_bytes(b"no network")
    with pytest.raises(UserError, match="i3d_torchscript.pt does not hold"):
        find_perceptual(tmp_path, "alex", 12)


def test_short_videos_have_no_fvd(tmp_path: Path) -> None:
    put_i3d(tmp_path)
    found = find_perceptual(tmp_path, "alex", 9)
    assert found.features is None and any("10 frames or more" in note for note in found.notes)


def test_the_frechet_distance_of_known_gaussians() -> None:
    rng = np.random.default_rng(0)
    drawn = rng.standard_normal((500, 3))
    root = np.linalg.cholesky(np.cov(drawn, rowvar=False))
    white = (drawn - drawn.mean(0)) @ np.linalg.inv(root).T  # its covariance is exactly 1
    assert frechet_distance(white, white) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(white, white + [1.0, 0, 2.0]) == pytest.approx(5)
    assert frechet_distance(white, 3 * white) == pytest.approx(3 * (1 + 9 - 2 * 3))
    with pytest.raises(ValueError, match="2 clips"):
        frechet_distance(white[:1], white)


def test_fewer_clips_than_features_are_fine() -> None:
    rng = np.random.default_rng(0)
    few = rng.standard_normal((4, 20))
    assert frechet_distance(few, few) == pytest.approx(0, abs=1e-4)
    assert frechet_distance(few, few + 1) == pytest.approx(20, abs=1e-4)
