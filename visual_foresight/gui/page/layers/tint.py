"""Pixel maps in the colours of their pixels, painted into a picture: for small pictures in tabs."""

import cv2
import numpy as np
from jaxtyping import Float

from visual_foresight.gui.page.layers.colours import channels, colour_of
from visual_foresight.gui.page.layers.shapes import opacity
from visual_foresight.vision.drawing import Frame, Picture, upscale


def tinted(frame: Frame, pixel_maps: Float[np.ndarray, "p map_h map_w"], scale: int) -> Picture:
    """Paint maps over an enlarged frame, as `shapes.heat` lays them over a large one.

    Args:
        frame: what is under them.
        pixel_maps: on a grid that covers the frame exactly.
        scale: how many times larger the picture is.
    """
    picture = upscale(frame, scale).astype(np.float32)
    height, width, _ = picture.shape
    for number, pixel_map in enumerate(pixel_maps):
        weight = cv2.resize(opacity(pixel_map).astype(np.float32), (width, height))[..., None]
        picture += weight * (np.array(channels(colour_of(number)), np.float32) - picture)
    return picture.round().astype(np.uint8)
