"""A frame as the goal: nothing is designated, and the whole picture counts."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np

from visual_foresight.types import Observation, Pixel, UserError
from visual_foresight.vision.drawing import Frame, Picture, beside, upscale


@dataclass(frozen=True, eq=False)
class ImageGoal:
    """Make the camera see this frame."""

    kind: ClassVar[str] = "png"
    cost: ClassVar[str] = "image_distance"
    unit: ClassVar[str] = "difference"
    sources: ClassVar[tuple[Pixel, ...]] = ()
    targets: ClassVar[tuple[Pixel, ...]] = ()
    frame: Frame

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

        None where another size is seen.
        """
        if observation.frame.shape != self.frame.shape:
            return None
        difference = (observation.frame.astype(np.float64) - self.frame) / 255
        return float(np.sqrt(np.square(difference).mean()))

    def draw(self, picture: Frame, places: Sequence[Pixel], scale: int) -> Picture:
        """Put the goal image beside the picture, on its right."""
        return beside([picture, upscale(self.frame, scale)])

    def describe(self) -> str:
        """Return that it is an image."""
        return "an image"

    def to_json(self) -> str:
        """Return the image as a PNG, in base64."""
        png = cv2.imencode(".png", self.frame[..., ::-1])[1].tobytes()
        return base64.b64encode(png).decode()

    @classmethod
    def from_json(cls, written: Any) -> "ImageGoal":
        """Make a goal of a PNG in base64.

        Raises:
            UserError: it is none.
        """
        try:
            png = np.frombuffer(base64.b64decode(written), np.uint8)
            image = None if not png.size else cv2.imdecode(png, cv2.IMREAD_COLOR)
        except (TypeError, ValueError, binascii.Error):
            image = None
        if image is None:
            raise UserError("a goal image is written as a PNG in base64: this is none")
        return cls(np.ascontiguousarray(np.asarray(image, np.uint8)[..., ::-1]))
