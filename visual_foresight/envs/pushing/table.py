"""The table that objects are pushed over: the area between its walls, and what it looks like."""

import numpy as np
from jaxtyping import UInt8

from visual_foresight.envs.camera import Camera
from visual_foresight.envs.pushing.bullet import Box

# Corners of the area between the walls (metres): x points away from the robot, y to its left.
TABLE_LOW, TABLE_HIGH = (0.34, -0.22), (0.74, 0.22)
LINE_M = 0.008  # width of the line around the area
MARGIN_M = 0.05  # width of the table beyond the area
TABLE_COLOR, FLOOR_COLOR, LINE_COLOR = (176, 150, 122), (120, 122, 126), (90, 74, 58)


def table_boxes() -> list[Box]:
    """Return the table top and the four walls around the area."""
    (x0, y0), (x1, y1) = TABLE_LOW, TABLE_HIGH
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    along_x, along_y = (0.5, 0.02, 0.05), (0.02, 0.5, 0.05)  # half sides of walls
    return [
        Box((x, y, -0.05), (0.5, 0.5, 0.05), friction=0.6),
        Box((x0 - 0.02, y, 0.05), along_y, friction=0.2),
        Box((x1 + 0.02, y, 0.05), along_y, friction=0.2),
        Box((x, y0 - 0.02, 0.05), along_x, friction=0.2),
        Box((x, y1 + 0.02, 0.05), along_x, friction=0.2),
    ]


def table_image(camera: Camera) -> UInt8[np.ndarray, "h w 3"]:
    """Draw what never moves: a table top with a line around the area, on a grey floor."""
    rows, cols = np.mgrid[: camera.height, : camera.width].astype(np.float64)
    right = (cols - camera.width / 2 + 0.5) / camera.focal_px
    up = (camera.height / 2 - 0.5 - rows) / camera.focal_px
    rays = np.stack([right, up, np.ones_like(up)], -1) @ camera.axes
    x = camera.eye[0] - rays[..., 0] * camera.eye[2] / rays[..., 2]
    y = camera.eye[1] - rays[..., 1] * camera.eye[2] / rays[..., 2]
    (x0, y0), (x1, y1) = TABLE_LOW, TABLE_HIGH
    outside_m = np.maximum(np.maximum(x0 - x, x - x1), np.maximum(y0 - y, y - y1))
    grain = 1 + 0.035 * np.sin(60 * y + 3 * np.sin(9 * x))
    image = np.array(TABLE_COLOR) * grain[..., None]
    image[(outside_m > 0) & (outside_m <= LINE_M)] = LINE_COLOR
    image[outside_m > MARGIN_M] = FLOOR_COLOR
    return image.clip(0, 255).astype(np.uint8)
