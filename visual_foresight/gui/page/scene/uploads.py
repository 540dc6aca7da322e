"""Turns an uploaded picture into a goal image, or says in one sentence why not.

The picture is decoded in memory and never written to disk. It is taken as every viewer shows it:
turned as its camera was held, in the colours that its profile means, dark to light over its whole
range, and without what is transparent.
"""

import io
import warnings

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError

from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.gui.session.session import Session
from visual_foresight.types import UserError

MAX_BYTES = 4 * 2**20
"""The largest file that is accepted."""
MAX_PIXELS = 16_000_000
"""The largest picture that is decoded."""
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
DEEP = ("I", "I;16", "I;16B", "I;16L")
"""Pillow's names for greys of 16 bits."""
OPAQUE, DEEPEST = 2**8 - 1, 2**16 - 1
"""The largest values of 8 and of 16 bits."""
ON_ITS_SIDE = (5, 6, 7, 8)
"""EXIF's orientations in which rows and columns change places."""


def take_picture(session: Session, data: bytes) -> None:
    """Make a picture a session's goal (arguments and errors as of `read_picture`)."""
    frame = session.state.frame
    if frame is None:
        raise UserError("there is no scene yet: wait until it is set, and try again")
    session.set_goal_image(read_picture(data, (frame.shape[0], frame.shape[1])))


def read_picture(data: bytes, frame_size: tuple[int, int]) -> ImageGoal:
    """Decode a picture and fit it to the frame: its middle, cut to the frame's shape.

    What is transparent, by half or more, is no part of the goal.

    Args:
        data: the file's content.
        frame_size: (height, width) in pixels.

    Raises:
        UserError: it is too large, no picture that can be read, or transparent all over.
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
    fitted = picture.resize((width, height), Image.Resampling.BOX, box=box)
    pixels = np.asarray(fitted, np.uint8)
    if fitted.mode == "RGB":
        return ImageGoal(pixels)
    mask = pixels[..., 3] > OPAQUE // 2
    if not mask.any():
        raise UserError("the picture is transparent where the frame is: choose another")
    return ImageGoal(np.ascontiguousarray(pixels[..., :3]), None if mask.all() else mask)


def _decode(data: bytes, frame_size: tuple[int, int]) -> Image.Image:
    """Decode a picture, a JPEG no larger than needed, and turn it upright.

    Returns:
        RGB, or RGBA if a part of it is transparent.
    """
    height, width = frame_size
    with Image.open(io.BytesIO(data), formats=FORMATS) as picture:  # reads the size only
        if picture.width * picture.height > MAX_PIXELS:
            raise UserError(
                f"the picture has {picture.width}x{picture.height} pixels, "
                f"more than {MAX_PIXELS // 10**6} million: shrink it"
            )
        if picture.getexif().get(ExifTags.Base.Orientation) in ON_ITS_SIDE:
            height, width = width, height
        picture.draft("RGB", (width, height))  # as large or larger
        upright = ImageOps.exif_transpose(picture)
    if upright.mode in DEEP:
        upright = _shallow(upright)
    upright = _in_srgb(upright)
    if upright.has_transparency_data:
        upright = upright.convert("RGBA")
        if upright.getchannel("A").getextrema() != (OPAQUE, OPAQUE):
            return upright
    return upright.convert("RGB")


def _in_srgb(picture: Image.Image) -> Image.Image:
    """Return a picture in the colours of screens, if it says that it has others, as phones' do."""
    profile = picture.info.get("icc_profile")
    if not profile:
        return picture
    if picture.mode == "P":
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    try:
        converted = ImageCms.profileToProfile(
            picture,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGBA" if picture.mode == "RGBA" else "RGB",
        )
    except (ImageCms.PyCMSError, OSError):  # viewers show it without such a profile, too
        return picture
    return picture if converted is None else converted


def _shallow(picture: Image.Image) -> Image.Image:
    """Return a grey picture of 16 bits in 8 bits; Pillow would cut all above 255 off."""
    values = np.asarray(picture).astype(np.int64)
    greys = Image.fromarray((values * OPAQUE / DEEPEST).round().astype(np.uint8))
    transparent = picture.info.get("transparency")
    if transparent is not None:
        greys.putalpha(
            Image.fromarray(np.where(values == transparent, 0, OPAQUE).astype(np.uint8))
        )
    return greys
