"""An uploaded picture into a frame, or one sentence why not. Nothing of it touches the disk."""

import io
import warnings

import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

from visual_foresight.types import UserError

MAX_BYTES = 4 * 2**20
MAX_PIXELS = 16_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")


def keep_in_memory() -> None:
    """Tell the web server to keep what is uploaded off the disk, until it is decoded or refused."""
    from starlette.formparsers import MultiPartParser

    MultiPartParser.spool_max_size = 2 * MAX_BYTES


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
    height, width = frame_size
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            # reads the size, decodes nothing yet
            with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                across, down = picture.size
                if across * down > MAX_PIXELS:
                    raise UserError(
                        f"the picture has {across}x{down} pixels, more than {MAX_PIXELS // 10**6} million: shrink it"
                    )
                factor = max(across / width, down / height)
                picture.draft(
                    "RGB",
                    (max(width, round(across / factor)), max(height, round(down / factor))),
                )
                whole = picture.convert("RGB")
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise UserError(
            f"this is no picture that can be read: choose a {', '.join(FORMATS)} file"
        ) from error
    # what Pillow raises for damaged content
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise UserError(f"the picture is damaged ({error}): choose another") from error
    share = min(whole.width / width, whole.height / height)
    left, top = (whole.width - share * width) / 2, (whole.height - share * height) / 2
    box = (left, top, left + share * width, top + share * height)
    return np.asarray(whole.resize((width, height), Image.Resampling.BOX, box=box), np.uint8)
