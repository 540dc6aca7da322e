"""Frames of any size for models whose frames must have sides of certain multiples.

The house pads what such a model sees, below and to the right, and cuts what it imagines: it need
not know. Pixels keep their places, so a calibration holds for the padded frames, too.
"""

from dataclasses import replace
from typing import Any, cast

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from visual_foresight.interfaces import FramesOnly, Learner, MotionPredictor, Sampler, Segments
from visual_foresight.predictors.layers.warping import (
    AnyMotion,
    KernelMotion,
    resize_motion,
)
from visual_foresight.predictors.models import Model, require_sound
from visual_foresight.predictors.rollouts import training_rollout
from visual_foresight.types import Clip, Prediction
from visual_foresight.vision.pixel_maps import centres, map_size_of, shares


def build(model: Model, config: Any) -> nn.Module:
    """Return a predictor of this configuration, made for frames of any size.

    Raises:
        UserError: a number of the configuration is none to build a network of.
    """
    require_sound(config)
    multiple = model.multiple
    if multiple == 1:
        return cast(nn.Module, model.predictor(config))
    height, width = config.frame_size
    whole = (-(-height // multiple) * multiple, -(-width // multiple) * multiple)
    if whole == config.frame_size:
        return cast(nn.Module, model.predictor(config))
    inner = model.predictor(replace(config, frame_size=whole))
    return Padded(inner, config.frame_size)


def padded_class(predictor: nn.Module) -> type:
    """Return the class of a predictor, or of the one that it pads the frames of."""
    return type(predictor.inner if isinstance(predictor, Padded) else predictor)


class Padded(nn.Module):
    """A learner that sees padded frames, as one for frames of another size.

    Args:
        inner: made for frames that are at least as large.
        frame_size: height and width of the frames that are seen and imagined.
    """

    def __init__(self, inner: nn.Module, frame_size: tuple[int, int]) -> None:
        super().__init__()
        self.inner = inner
        learner = cast(Learner, inner)
        self.config = replace(learner.config, frame_size=frame_size)
        self.context = learner.context
        self._whole: tuple[int, int] = learner.config.frame_size
        # It can do what the other can do, and protocols ask an instance.
        if isinstance(inner, FramesOnly):
            self.frames_only = True
        if isinstance(inner, MotionPredictor):
            self.motions = self._motions
        if isinstance(inner, Segments):
            self.segments = self._segments
        if isinstance(inner, Sampler):
            self.resampled = self._resampled

    def calibrate(self, clip: Clip) -> None:
        """Calibrate the model with padded frames."""
        self._learner.calibrate(self._padded(clip))

    def observe(self, clip: Clip) -> Any:
        """Show it padded frames (see `interfaces.Predictor`)."""
        return self._learner.observe(self._padded(clip))

    def designate(self, carry: Any, pixels: Float[Tensor, "b p 2"]) -> Any:
        """Follow these pixels, whose places are the same (see `interfaces.Predictor`)."""
        return self._learner.designate(carry, pixels)

    def imagine(
        self, carry: Any, actions: Float[Tensor, "n t a"], decode: bool = False
    ) -> Prediction:
        """Cut what is imagined (see `interfaces.Predictor`)."""
        return self._cut(self._learner.imagine(carry, actions, decode))

    def training_rollout(
        self,
        clip: Clip,
        places: Float[Tensor, "b p 2"],
        rng: torch.Generator,
        progress: float,
    ) -> tuple[Prediction, Float[Tensor, ""]]:
        """Learn from padded frames (see `interfaces.CustomTrainingRollout`)."""
        imagined, auxiliary_loss = training_rollout(
            self._learner, self._padded(clip), places, rng, progress
        )
        return self._cut(imagined), auxiliary_loss

    @property
    def _learner(self) -> Learner:
        return cast(Learner, self.inner)

    def _resampled(self, num_samples: int) -> "Padded":
        other = cast(Sampler, self.inner).resampled(num_samples)
        return Padded(cast(nn.Module, other), self.config.frame_size)

    def _motions(self, carry: Any, actions: Float[Tensor, "n t a"]) -> tuple[AnyMotion, ...]:
        """Return the motions on the pixels of the frame."""
        motions = cast(MotionPredictor, self.inner).motions(carry, actions)
        return tuple(self._cut_motion(motion) for motion in motions)

    def _segments(self, carry: Any) -> Float[Tensor, "b k h w"]:
        height, width = self.config.frame_size
        return cast(Segments, self.inner).segments(carry)[..., :height, :width]

    def _padded(self, clip: Clip) -> Clip:
        """Return a clip whose frames go on, below and to the right, as their borders are."""
        height, width = self.config.frame_size
        below, right = self._whole[0] - height, self._whole[1] - width
        frames = rearrange(clip.frames, "b t c h w -> (b t) c h w")
        padded = functional.pad(frames, (0, right, 0, below), mode="replicate")
        frames = rearrange(padded, "(b t) c h w -> b t c h w", b=len(clip.frames))
        return replace(clip, frames=frames)

    def _cut(self, imagined: Prediction) -> Prediction:
        """Return a prediction for the frame alone."""
        height, width = self.config.frame_size
        return replace(
            imagined,
            frames=imagined.frames[..., :height, :width],
            pixel_maps=self._cut_maps(imagined.pixel_maps),
            frame_size=(height, width),
            members=tuple(self._cut(member) for member in imagined.members),
        )

    def _cut_maps(
        self, maps: Float[Tensor, "n t p padded_h padded_w"]
    ) -> Float[Tensor, "n t p map_h map_w"]:
        """Share the mass of each cell by the nearest cells of the frame's own maps."""
        cells = map_size_of(self.config.frame_size)
        by_axis = []
        for axis in (0, 1):
            pixels = self.config.frame_size[axis]
            places = centres(maps.shape[3 + axis], self._whole[axis])
            by_axis.append(shares(places, cells[axis], pixels).to(maps))
        with torch.autocast(maps.device.type, enabled=False):
            return by_axis[0].T @ maps @ by_axis[1]

    def _cut_motion(self, motion: AnyMotion) -> AnyMotion:
        height, width = self.config.frame_size
        motion = resize_motion(motion, self._whole)
        masks = motion.masks[..., :height, :width]
        if isinstance(motion, KernelMotion):
            kernels = motion.kernels
            if kernels.shape[-2:] != (1, 1):
                kernels = kernels[..., :height, :width]
            return replace(motion, kernels=kernels, masks=masks)
        changes: dict[str, Any] = {"flows": motion.flows[..., :height, :width], "masks": masks}
        if motion.forward is not None:
            whole = functional.interpolate(
                motion.forward, self._whole, mode="bilinear", align_corners=False
            )
            changes["forward"] = whole[..., :height, :width]
        return replace(motion, **changes)
