"""LPIPS and FVD: distances in the features of networks whose weights are not shipped.

Weights are looked for in the folder that is given, in `$VISUAL_FORESIGHT_WEIGHTS`, and among
PyTorch's downloads; nothing is ever downloaded. Without them a metric is left out, and a note
says so. LPIPS is that of the `lpips` package (Zhang et al. 2018, version 0.1), over a torchvision
backbone. FVD (Unterthiner et al. 2019) takes the 400 logits of the I3D network that StyleGAN-V
published as TorchScript, as recent papers do.
"""

import hashlib
import os
import pickle
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from visual_foresight.types import UserError

FOLDER_VARIABLE = "VISUAL_FORESIGHT_WEIGHTS"
"""Environment variable with a folder of weights."""
I3D_FRAMES = 10
"""The shortest video that the network takes."""
FEW_CLIPS = 2048
"""With fewer clips than this, FVD is known to be biased upwards."""


@dataclass(frozen=True)
class WeightFile:
    """A file of weights that a user has to supply."""

    name: str
    source: str
    """Where it can be had."""
    size: str
    sha256: str
    """The first digits of its SHA-256; empty where its makers published none."""


PYTORCH = "download.pytorch.org/models"
WEIGHTS = {
    "alex": WeightFile("alexnet-owt-7be5be79.pth", PYTORCH, "233 MB", "7be5be79"),
    "vgg": WeightFile("vgg16-397923af.pth", PYTORCH, "528 MB", "397923af"),
    "i3d": WeightFile(
        "i3d_torchscript.pt", "StyleGAN-V, www.dropbox.com/s/ge9e5ujwgetktms", "49 MB", ""
    ),
}


@dataclass(frozen=True)
class Perceptual:
    """The perceptual distances that can be computed, and a sentence for each that cannot."""

    lpips: (
        Callable[[Float[Tensor, "b t c h w"], Float[Tensor, "b t c h w"]], Float[Tensor, "b t"]]
        | None
    ) = None
    """Distance of predicted and true frames in [0, 1]."""
    features: Callable[[Float[Tensor, "b t c h w"]], Float[Tensor, "b d"]] | None = None
    """Features of videos in [0, 1]; FVD compares their distributions."""
    notes: tuple[str, ...] = ()
    i3d: str = ""
    """SHA-256 of FVD's network, whose makers published none; empty where it is missing."""


def find_perceptual(folder: Path | None, net: str, horizon: int) -> Perceptual:
    """Load LPIPS and FVD's network where their weights are found.

    Args:
        folder: where to look first, if anywhere.
        net: LPIPS's backbone, `alex` or `vgg`.
        horizon: frames per video.

    Raises:
        UserError: a file is there, but it is damaged or not the one that its name says.
    """
    notes = []
    distance = None
    features = None
    lpips_path = _find(WEIGHTS[net], folder)
    if lpips_path is None:
        notes.append(_missing("LPIPS", WEIGHTS[net]))
    else:
        try:
            distance = load_lpips(lpips_path, net)
        except ModuleNotFoundError:
            notes.append(
                "LPIPS is left out, the package lpips is missing: "
                'pip install "visual-foresight[metrics]".'
            )
    i3d_path = _find(WEIGHTS["i3d"], folder)
    if horizon < I3D_FRAMES:
        notes.append(
            f"FVD is left out, its network takes {I3D_FRAMES} frames or more: "
            "ask for a longer horizon."
        )
    elif i3d_path is None:
        notes.append(_missing("FVD", WEIGHTS["i3d"]))
    else:
        features = load_i3d(i3d_path)
    i3d = "" if features is None or i3d_path is None else _sha256(i3d_path)
    return Perceptual(distance, features, tuple(notes), i3d)


def _find(wanted: WeightFile, folder: Path | None) -> Path | None:
    """Return where a file is: in the folder, the environment's folder or PyTorch's downloads."""
    folders = [] if folder is None else [folder]
    if named := os.environ.get(FOLDER_VARIABLE):
        folders.append(Path(named))
    folders.append(Path(torch.hub.get_dir()) / "checkpoints")
    for each in folders:
        path = each / wanted.name
        if path.is_file():
            return path
    return None


def _missing(metric: str, wanted: WeightFile) -> str:
    return (
        f"{metric} is left out, its weights are missing: put {wanted.name} ({wanted.size}, from "
        f"{wanted.source}) into a folder and name the folder with --weights or in "
        f"{FOLDER_VARIABLE}."
    )


def load_lpips(path: Path, net: str) -> Callable[..., Tensor]:
    """Return LPIPS over the backbone in this file (see `Perceptual.lpips`).

    Args:
        path: weights of a torchvision backbone.
        net: which backbone, `alex` or `vgg`.

    Raises:
        UserError: the file is not the backbone.
        ModuleNotFoundError: the package `lpips` is not installed.
    """
    import lpips

    _check(path, WEIGHTS[net])
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
        with warnings.catch_warnings():  # lpips calls torchvision as it was called before 2022
            warnings.simplefilter("ignore", UserWarning)
            # The package brings its heads; the backbone, which it would download, is random here
            # and is loaded next.
            network = lpips.LPIPS(net=net, pnet_rand=True, verbose=False)
        # "slice2.3.weight" of lpips is "features.3.weight" of torchvision.
        backbone = {
            name: weights["features." + name.split(".", 1)[1]]
            for name in network.net.state_dict()
        }
        network.net.load_state_dict(backbone)
    except (
        RuntimeError,
        KeyError,
        TypeError,
        AttributeError,
        EOFError,
        pickle.UnpicklingError,
    ) as error:
        raise _damaged(path, error) from error
    network.requires_grad_(False)

    def distance(
        predicted: Float[Tensor, "b t c h w"], true: Float[Tensor, "b t c h w"]
    ) -> Float[Tensor, "b t"]:
        first = rearrange(predicted, "b t c h w -> (b t) c h w")
        second = rearrange(true, "b t c h w -> (b t) c h w")
        found = network(first, second, normalize=True)
        return rearrange(found, "(b t) 1 1 1 -> b t", b=len(true))

    return distance


def load_i3d(path: Path) -> Callable[..., Tensor]:
    """Return FVD's features by the network in this TorchScript file (see `Perceptual.features`).

    The network itself scales to [-1, 1] and resizes to 224 pixels, bilinearly, as in
    StyleGAN-V's FVD.

    Raises:
        UserError: the file holds no TorchScript.
    """
    _check(path, WEIGHTS["i3d"])
    try:
        # PyTorch deprecates TorchScript, but the network is published in no other form.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            network: Any = torch.jit.load(str(path), map_location="cpu").eval()
    except (RuntimeError, ValueError) as error:
        raise _damaged(path, error) from error

    def features(videos: Float[Tensor, "b t c h w"]) -> Float[Tensor, "b d"]:
        colours = (videos.clamp(0, 1) * 255).round()
        found = network(
            rearrange(colours, "b t c h w -> b c t h w").contiguous(),
            rescale=True,
            resize=True,
            return_features=True,
        )
        return rearrange(found, "b ... -> b (...)")

    return features


def _check(path: Path, wanted: WeightFile) -> None:
    """Refuse a file whose content is not what its name says; the libraries would not notice."""
    found = _sha256(path)
    if not found.startswith(wanted.sha256):
        raise UserError(
            f"{path} is not what its name says (its SHA-256 begins with {found[:8]}, "
            f"{wanted.sha256} was expected): get it again from {wanted.source}"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _damaged(path: Path, error: Exception) -> UserError:
    sentence = str(error).split("\n")[0]
    return UserError(
        f"{path} does not hold the network that was expected ({sentence}): get it again, or "
        "remove it"
    )


def frechet_distance(
    first: Float[np.ndarray, "n d"], second: Float[np.ndarray, "m d"]
) -> float:
    """Return the squared Fréchet distance of two Gaussians fitted to features.

    Heusel et al. 2017, eq. 6. The trace of the root of S1 S2 comes from its eigenvalues, which
    are real and not negative up to rounding; SciPy's `sqrtm` fails where there are fewer clips
    than features, as is usual.
    """
    if min(len(first), len(second)) < 2:
        raise ValueError(
            f"2 clips or more on each side are needed, got {len(first)} and {len(second)}"
        )
    cov_1 = np.atleast_2d(np.cov(first, rowvar=False))
    cov_2 = np.atleast_2d(np.cov(second, rowvar=False))
    shift = ((first.mean(0) - second.mean(0)) ** 2).sum()
    roots = np.sqrt(np.linalg.eigvals(cov_1 @ cov_2).real.clip(0)).sum()
    return float(max(shift + np.trace(cov_1) + np.trace(cov_2) - 2 * roots, 0.0))
