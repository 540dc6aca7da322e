"""LPIPS and FVD: distances in the features of networks whose weights are not shipped. Without
them, a sentence, no number.

Weights are looked for in the folder that is given, in `$VISUAL_FORESIGHT_WEIGHTS`, and among
PyTorch's downloads; nothing is ever fetched. LPIPS is that of the `lpips` package (Zhang et al.
2018, version 0.1), over a torchvision backbone. FVD (Unterthiner et al. 2019) takes the 400
logits of the I3D network that StyleGAN-V published as TorchScript, which is what recent papers
print.
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
I3D_FRAMES = 10
"""The shortest video that the network takes."""
FEW_CLIPS = 2048
"""Below so many, FVD is known to be biased upwards."""


@dataclass(frozen=True)
class WeightFile:
    """A file that a user has to supply."""

    name: str
    source: str
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
    """The distances that can be computed here, and a sentence for each that cannot."""

    lpips: (
        Callable[[Float[Tensor, "b t c h w"], Float[Tensor, "b t c h w"]], Float[Tensor, "b t"]]
        | None
    ) = None
    features: Callable[[Float[Tensor, "b t c h w"]], Float[Tensor, "b d"]] | None = None
    """What FVD compares the distribution of."""
    notes: tuple[str, ...] = ()


def find_perceptual(folder: Path | None, net: str, horizon: int) -> Perceptual:
    """Load what is there.

    Args:
        folder: where to look first.
        net: LPIPS's backbone, `alex` or `vgg`.
        horizon: frames per video.

    Raises:
        UserError: a file is there, but damaged or another one.
    """
    notes = []
    distance = features = None
    if (path := _find(WEIGHTS[net], folder)) is None:
        notes.append(_missing("LPIPS", WEIGHTS[net]))
    else:
        try:
            distance = load_lpips(path, net)
        except ModuleNotFoundError:
            notes.append(
                'LPIPS is left out, the package lpips is missing: pip install "visual-foresight[metrics]".'
            )
    if horizon < I3D_FRAMES:
        notes.append(
            f"FVD is left out, its network takes {I3D_FRAMES} frames or more: ask for a longer horizon."
        )
    elif (path := _find(WEIGHTS["i3d"], folder)) is None:
        notes.append(_missing("FVD", WEIGHTS["i3d"]))
    else:
        features = load_i3d(path)
    return Perceptual(distance, features, tuple(notes))


def _find(wanted: WeightFile, folder: Path | None) -> Path | None:
    folders = [
        folder,
        *map(Path, filter(None, [os.environ.get(FOLDER_VARIABLE)])),
        Path(torch.hub.get_dir()) / "checkpoints",
    ]
    return next(
        (
            each / wanted.name
            for each in folders
            if each is not None and (each / wanted.name).is_file()
        ),
        None,
    )


def _missing(metric: str, wanted: WeightFile) -> str:
    return (
        f"{metric} is left out, its weights are missing: put {wanted.name} ({wanted.size}, from {wanted.source}) into a "
        f"folder and name the folder with --weights or in {FOLDER_VARIABLE}."
    )


def load_lpips(path: Path, net: str) -> Callable[..., Tensor]:
    """Return LPIPS over the backbone in this file: frames b t c h w in [0, 1], twice, give
    distances b t.

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
            network = lpips.LPIPS(
                net=net, pnet_rand=True, verbose=False
            )  # heads from the package, the backbone is next
        # "slice2.3.weight" of lpips is "features.3.weight" of torchvision; the package would
        # download it.
        names = {name: "features." + name.split(".", 1)[1] for name in network.net.state_dict()}
        network.net.load_state_dict({name: weights[there] for name, there in names.items()})
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
        pair = [rearrange(frames, "b t c h w -> (b t) c h w") for frames in (predicted, true)]
        return rearrange(network(*pair, normalize=True), "(b t) 1 1 1 -> b t", b=len(true))

    return distance


def load_i3d(path: Path) -> Callable[..., Tensor]:
    """Return the features of videos b t c h w in [0, 1] by the network in this TorchScript file.

    The network itself scales to [-1, 1] and resizes to 224 pixels, bilinearly, as in
    StyleGAN-V's FVD.

    Raises:
        UserError: the file holds no TorchScript.
    """
    _check(path, WEIGHTS["i3d"])
    try:
        # TorchScript is on its way out, but it is what there is
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            network: Any = torch.jit.load(str(path), map_location="cpu").eval()  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError) as error:
        raise _damaged(path, error) from error

    def features(videos: Float[Tensor, "b t c h w"]) -> Float[Tensor, "b d"]:
        bytes_like = (videos.clamp(0, 1) * 255).round()
        found = network(
            rearrange(bytes_like, "b t c h w -> b c t h w").contiguous(),
            rescale=True,
            resize=True,
            return_features=True,
        )
        return rearrange(found, "b ... -> b (...)")

    return features


def _check(path: Path, wanted: WeightFile) -> None:
    """Refuse a file with another content than its name says: the libraries would not notice."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith(wanted.sha256):
        raise UserError(
            f"{path} is not what its name says (its SHA-256 begins with {found[:8]}, {wanted.sha256} was expected): "
            f"get it again from {wanted.source}"
        )


def _damaged(path: Path, error: Exception) -> UserError:
    sentence = str(error).split("\n")[0]
    return UserError(
        f"{path} does not hold the network that was expected ({sentence}): get it again, or take it away"
    )


def frechet_distance(
    first: Float[np.ndarray, "n d"], second: Float[np.ndarray, "m d"]
) -> float:
    """Return the squared Frechet distance of two Gaussians fitted to features (Heusel et al.
    2017, eq. 6).

    The trace of the root of S1 S2 comes from its eigenvalues, which are real and not negative
    up to rounding; `sqrtm` fails where there are fewer clips than features, as here.
    """
    if min(len(first), len(second)) < 2:
        raise ValueError(
            f"2 clips or more on each side are needed, got {len(first)} and {len(second)}"
        )
    mean_1, mean_2 = first.mean(0), second.mean(0)
    cov_1, cov_2 = (np.atleast_2d(np.cov(side, rowvar=False)) for side in (first, second))
    roots = np.sqrt(np.linalg.eigvals(cov_1 @ cov_2).real.clip(0)).sum()
    return float(
        max(((mean_1 - mean_2) ** 2).sum() + np.trace(cov_1) + np.trace(cov_2) - 2 * roots, 0.0)
    )
