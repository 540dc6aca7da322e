"""An episode as its file stores it: what can be cast without loss is, the rest is refused.

Recordings come in NumPy's default types and in those of cameras: float64 actions, grey frames or
ones with alpha, big-endian arrays. They become float32 and RGB of 8 bits here, and nowhere else.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from visual_foresight.types import Episode, UserError

ALMOST = 1e-3
"""By which 255 times a frame of floats may miss a whole number, and still be 8 bits."""
MAX_ERROR = 1e-3
"""By which rounding to float32 may always change a number: a millimetre, a millisecond."""
MAX_LOSS = 0.1
"""Share of a column's range that rounding by more than that may take."""


def as_stored(episode: Episode) -> Episode:
    """Return an episode with arrays of the types that files have, and plain JSON notes.

    Raises:
        UserError: something would be lost; the sentence names the frame.
    """
    return Episode(
        actions=to_float32(episode.actions, "actions", 2),
        frames=to_rgb(episode.frames, "frames"),
        states=to_float32(episode.states, "states", 2),
        tracks=to_float32(episode.tracks, "tracks", 3),
        meta=plain_json(dict(episode.meta), "meta"),
        signals={
            name: to_float32(values, f"the signal {name!r}", 1)
            for name, values in episode.signals.items()
        },
        other_views={
            name: to_rgb(frames, f"frames of the view {name!r}")
            for name, frames in episode.other_views.items()
        },
    )


def to_float32(given: Any, what: str, num_axes: int) -> np.ndarray:
    """Return numbers as float32.

    Floats of more digits are rounded to float32's seven, where that does not hide how they change.

    Args:
        given: an array of time first, or what makes one.
        what: its name, for the sentence.
        num_axes: how many it has.

    Raises:
        UserError: it has other axes, is no array of real numbers, or would lose something.
    """
    values = np.asarray(given)
    if values.ndim != num_axes or values.dtype.kind not in "fiu":
        raise UserError(
            f"{what}: an array of numbers of {num_axes} axes was expected, got {values.dtype} of "
            f"shape {values.shape}: give numbers, time first"
        )
    with np.errstate(over="ignore"):
        cast = values.astype(np.float32)
    if values.dtype.kind == "f" and values.dtype.itemsize <= cast.dtype.itemsize:
        return cast
    whole = values.dtype.kind in "iu"
    exact = values.astype(np.float64)
    lost = cast.astype(np.float64) != exact if whole else np.isinf(cast) & np.isfinite(exact)
    lost |= _drowned(exact, cast)
    if lost.any():
        place = tuple(np.argwhere(lost)[0].tolist())
        raise UserError(
            f"{what}: {values[place]} at frame {place[0]} does not fit into float32, which has "
            "seven digits: give it in another unit, or less a constant"
        )
    return cast


def _drowned(exact: np.ndarray, cast: np.ndarray) -> np.ndarray:
    """Tell which numbers differ so little from their neighbours that float32 hides it.

    A clock is such a column: of seconds since 1970, float32 tells minutes apart.
    """
    finite = np.isfinite(exact) & np.isfinite(cast)
    if not finite.any():
        return finite
    values = np.where(finite, exact, 0)
    error = np.abs(np.where(finite, cast, 0).astype(np.float64) - values)
    reach = np.where(finite, exact, -np.inf).max(0) - np.where(finite, exact, np.inf).min(0)
    return (error > MAX_ERROR) & (error > MAX_LOSS * reach) & (reach > 0)


def scale_of(frames: np.ndarray) -> int | None:
    """Return by what frames are multiplied to become 8 bits; None where one cannot tell."""
    if frames.dtype.kind != "f" or not frames.size or not frames.max() <= 1:
        return 1
    return 255 if ((frames != 0) & (frames != 1)).any() else None


def without_opaque_alpha(frames: np.ndarray) -> np.ndarray:
    """Return frames (t, height, width and perhaps channels) without an alpha that is all opaque.

    Of floats it is, on whichever scale their colours are, where it is 1 or 255 everywhere.
    """
    if frames.ndim != 4 or frames.shape[-1] != 4 or frames.dtype.kind != "f":
        return frames
    alpha = frames[..., 3]
    return frames[..., :3] if (alpha == 1).all() or (alpha == 255).all() else frames


def to_rgb(given: Any, what: str, scale: int | None = None) -> np.ndarray:
    """Return frames as RGB of 8 bits: t, height, width, 3.

    Grey becomes three equal channels, alpha goes where all is opaque, whole numbers from 0 to 255
    and floats that are 8 bits divided by 255 become 8 bits.

    Args:
        given: the frames.
        what: their name, for the sentence.
        scale: by what floats are multiplied, 1 or 255; None: what these frames together tell.

    Raises:
        UserError: it has other axes, or something would be lost.
    """
    frames = np.asarray(given)
    if frames.dtype == np.uint8 and frames.ndim == 4 and frames.shape[-1] == 3:
        return frames
    channels = {3: 1, 4: frames.shape[-1]}.get(frames.ndim)
    if channels not in (1, 3, 4) or frames.dtype.kind not in "fiu":
        raise UserError(
            f"{what}: RGB of 8 bits was expected, (frames, height, width, 3) of uint8, got "
            f"{frames.dtype} of shape {frames.shape}: put the channels last, without others"
        )
    frames = without_opaque_alpha(frames)
    channels = {3: 1, 4: frames.shape[-1]}[frames.ndim]
    bits = np.empty(frames.shape, np.uint8)
    if scale is None or frames.dtype.kind != "f":
        scale = scale_of(frames) or 255
    for number, frame in enumerate(frames):
        bits[number] = _to_8_bits(frame, scale, f"{what}: frame {number}")
    if frames.ndim == 3:
        bits = bits[..., None]
    if channels == 4:
        transparent = np.flatnonzero((bits[..., 3] != 255).any((1, 2)))
        if len(transparent):
            raise UserError(
                f"{what}: frame {transparent[0]} has transparent parts, and files have no place "
                "for them: paint them over, and give RGB"
            )
        return np.ascontiguousarray(bits[..., :3])
    return bits.repeat(3, -1) if channels == 1 else bits


def _to_8_bits(frame: np.ndarray, scale: int, name: str) -> np.ndarray:
    """Return one frame as 8 bits, if it is that already in other numbers."""
    if frame.dtype == np.uint8:
        return frame
    with np.errstate(invalid="ignore"):
        values = scale * frame.astype(np.float64)
        whole = np.round(values)
        fits = (np.abs(values - whole) < ALMOST) & (whole >= 0) & (whole <= 255)
    if not fits.all():
        row, col = np.argwhere(~fits)[0][:2].tolist()
        raise UserError(
            f"{name} has {frame[row, col].tolist()} at row {row}, column {col}, which is no "
            "colour of 8 bits: scale and round it yourself, to whole numbers from 0 to 255"
        )
    return whole.astype(np.uint8)


def plain_json(value: Any, where: str) -> Any:
    """Return notes as plain JSON values: NumPy's numbers and arrays become Python's.

    Raises:
        UserError: something is no JSON value; the sentence says where it is.
    """
    if isinstance(value, np.generic | np.ndarray):
        return plain_json(value.tolist(), where)
    if isinstance(value, Mapping):
        return {
            _name(key, where): plain_json(each, f"{where}.{key}") for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [plain_json(each, f"{where}[{place}]") for place, each in enumerate(value)]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise UserError(
        f"{where} is {type(value).__name__} {value!r:.60}, which JSON has no value for: use "
        "numbers, texts, lists and mappings"
    )


def _name(key: Any, where: str) -> str:
    """Return the name of a note."""
    if not isinstance(key, str):
        raise UserError(f"{where} has the name {key!r}: a text was expected, write it as one")
    return key
