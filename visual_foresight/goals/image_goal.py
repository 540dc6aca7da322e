"""A frame as the goal: nothing is designated; the picture counts, but for what is transparent."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
from jaxtyping import Bool

from visual_foresight.types import Observation, Pixel, UserError
from visual_foresight.vision.drawing import Frame, Picture, beside, upscale

NOTHING = (96, 160)
"""The two greys of the chequers that are shown where an image has no pixels."""


@dataclass(frozen=True, eq=False)
class ImageGoal:
    """Make the camera see this frame."""

    kind: ClassVar[str] = "png"
    cost: ClassVar[str] = "image_distance"
    unit: ClassVar[str] = "difference"
    sources: ClassVar[tuple[Pixel, ...]] = ()
    targets: ClassVar[tuple[Pixel, ...]] = ()
    frame: Frame
    mask: Bool[np.ndarray, "h w"] | None = None
    """Where the image has pixels; what is transparent is no part of the goal. None: everywhere."""

    def __post_init__(self) -> None:
        if self.mask is not None and not (
            self.mask.shape == self.frame.shape[:2] and self.mask.any()
        ):
            raise ValueError(
                f"a mask of the image's shape with one or more pixels was expected, got "
                f"{self.mask.shape} with {self.mask.sum()} for {self.frame.shape[:2]}"
            )

    def check(self, frame_size: tuple[int, int]) -> None:
        """Check that it is as large as the frames.

        Raises:
            UserError: it is not.
        """
        height, width = self.frame.shape[:2]
        if (height, width) != frame_size:
            raise UserError(
                f"The goal image has {height} rows and {width} columns, the camera's frames have "
                f"{frame_size[0]} and {frame_size[1]}: give an image of that size."
            )

    def measure(self, observation: Observation, places: tuple[Pixel, ...]) -> float | None:
        """Return the root mean square difference from what is seen, from 0 to 1.

        It is that of the pixels that the image has. None where another size is seen.
        """
        if observation.frame.shape != self.frame.shape:
            return None
        difference = (observation.frame.astype(np.float64) - self.frame) / 255
        counted = difference if self.mask is None else difference[self.mask]
        return float(np.sqrt(np.square(counted).mean()))

    def shown(self) -> Frame:
        """Return the image for people: chequers, two pixels wide, where it has no pixels."""
        if self.mask is None:
            return self.frame
        rows, cols = np.indices(self.mask.shape) // 2
        chequers = np.array(NOTHING, np.uint8)[(rows + cols) % 2]
        return np.where(self.mask[..., None], self.frame, chequers[..., None])

    def draw(self, picture: Frame, places: Sequence[Pixel], scale: int) -> Picture:
        """Put the goal image beside the picture, on its right."""
        return beside([picture, upscale(self.shown(), scale)])

    def describe(self) -> str:
        """Return that it is an image, or a part of one."""
        return "an image" if self.mask is None else "a part of an image"

    def to_json(self) -> str:
        """Return the image as a PNG, in base64; with an alpha channel if there is a mask."""
        pixels = self.frame[..., ::-1]
        if self.mask is not None:
            alpha = np.where(self.mask, 255, 0).astype(np.uint8)
            pixels = np.dstack([pixels, alpha])
        png = cv2.imencode(".png", pixels)[1].tobytes()
        return base64.b64encode(png).decode()

    @classmethod
    def from_json(cls, written: Any) -> "ImageGoal":
        """Make a goal of a PNG in base64, where it is not transparent.

        Raises:
            UserError: it is none.
        """
        try:
            png = np.frombuffer(base64.b64decode(written), np.uint8)
            image = None if not png.size else cv2.imdecode(png, cv2.IMREAD_COLOR)
            whole = None if image is None else cv2.imdecode(png, cv2.IMREAD_UNCHANGED)
        except (TypeError, ValueError, binascii.Error):
            image = None
        if image is None:
            raise UserError("a goal image is written as a PNG in base64: this is none")
        mask = None
        if whole is not None and whole.shape[2:] == (4,):
            mask = whole[..., 3] > 0
            if not mask.any():
                raise UserError("a goal image is written as a PNG with pixels: this has none")
        return cls(np.ascontiguousarray(np.asarray(image, np.uint8)[..., ::-1]), mask)
