"""Turns an uploaded picture into a frame, or says in one sentence why not.

The picture is decoded in memory and never written to disk.
"""

import io
import warnings

import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

from visual_foresight.types import UserError

MAX_BYTES = 4 * 2**20
"""The largest file that is accepted."""
MAX_PIXELS = 16_000_000
"""The largest picture that is decoded."""
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")


def read_picture(data: bytes, frame_size: tuple[int, int]) -> UInt8[np.ndarray, "h w 3"]:
    """Decode a picture and fit it to the frame: its middle, cut to the frame's shape.

    Args:
        data: the file's content.
        frame_size: (height, width) in pixels.

    Raises:
        UserError: it is too large, or no picture that can be read.
    """
    if len(data) > MAX_BYTES:
        raise UserError(
            f"the picture has more than {MAX_BYTES // 2**20} MiB: choose a smaller one"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = _decode(data, frame_size)
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise UserError(
            f"this is no picture that can be read: choose a {', '.join(FORMATS)} file"
        ) from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:  # Pillow's, for damaged files
        raise UserError(f"the picture is damaged ({error}): choose another") from error
    height, width = frame_size
    scale = min(picture.width / width, picture.height / height)
    left = (picture.width - scale * width) / 2
    top = (picture.height - scale * height) / 2
    box = (left, top, left + scale * width, top + scale * height)
    frame = picture.resize((width, height), Image.Resampling.BOX, box=box)
    return np.asarray(frame, np.uint8)


def _decode(data: bytes, frame_size: tuple[int, int]) -> Image.Image:
    """Decode a picture, a JPEG no larger than needed."""
    height, width = frame_size
    with Image.open(io.BytesIO(data), formats=FORMATS) as picture:  # reads the size only
        if picture.width * picture.height > MAX_PIXELS:
            raise UserError(
                f"the picture has {picture.width}x{picture.height} pixels, "
                f"more than {MAX_PIXELS // 10**6} million: shrink it"
            )
        scale = max(picture.width / width, picture.height / height)
        reduced_width = max(width, round(picture.width / scale))
        reduced_height = max(height, round(picture.height / scale))
        picture.draft("RGB", (reduced_width, reduced_height))
        return picture.convert("RGB")
