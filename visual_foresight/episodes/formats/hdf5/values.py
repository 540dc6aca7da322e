"""Arrays and attributes of HDF5 files, as C, Julia, MATLAB and h5py write them."""

from typing import Any

import h5py
import numpy as np

from visual_foresight.types import UserError


def read_array(file: h5py.File, place: str, dtype: type, num_axes: int) -> np.ndarray:
    """Return an array, in this machine's order of bytes. Raises as `array_at` does."""
    return np.asarray(array_at(file, place, dtype, num_axes)[()]).astype(dtype, copy=False)


def array_at(file: h5py.File, place: str, dtype: type, num_axes: int) -> h5py.Dataset:
    """Return an array that is in a file, to be read in parts.

    Raises:
        ValueError: it has another type or other axes.
        KeyError: it is not there.
        UserError: it was compressed with a filter that is not installed.
    """
    dataset = file.get(place)
    wanted = f"an array of {num_axes} axes of {np.dtype(dtype)}"
    if not isinstance(dataset, h5py.Dataset):
        raise ValueError(f"{place} is not {wanted}: it has none there")
    if dataset.dtype.newbyteorder("=") != dtype or dataset.ndim != num_axes:
        found = f"{dataset.ndim} axes of {dataset.dtype}"
        raise ValueError(f"{place} is not {wanted}: it has {found}")
    _require_filters(file, dataset)
    return dataset


def _require_filters(file: h5py.File, dataset: h5py.Dataset) -> None:
    """Refuse an array that this HDF5 cannot decompress."""
    settings = dataset.id.get_create_plist()
    for number in range(settings.get_nfilters()):
        code, _, _, name = settings.get_filter(number)
        if not h5py.h5z.filter_avail(code):
            said = name.decode(errors="replace") or "without a name"
            raise UserError(
                f"{file.filename} is compressed with the filter {code} ({said}), which is not "
                "installed: install it (`pip install hdf5plugin` has most, and HDF5_PLUGIN_PATH "
                "names its folder), or write the file anew with gzip"
            )


def text_of(file: h5py.File, name: str) -> bytes:
    """Return an attribute that is a text, as bytes: of any length or a fixed one, or a list of one.

    Raises:
        ValueError: it is not there, or no text.
    """
    value = _single(file, name)
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return bytes(value)
    raise ValueError(f"its attribute {name!r} is {value!r:.60}, a text was expected")


def integer_of(file: h5py.File, name: str) -> int:
    """Return an attribute that is a whole number, written as one, as a float, or as a list of one.

    Raises:
        ValueError: it is not there, or no whole number.
    """
    value = _single(file, name)
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = None
    if number is None or isinstance(value, float | np.floating) and number != value:
        raise ValueError(
            f"its attribute {name!r} is {value!r:.60}, a whole number was expected"
        )
    return number


def without_padding(text: bytes) -> bytes:
    """Return a text without what fills up a fixed length: spaces or zeros."""
    return text.rstrip(b" \0")


def _single(file: h5py.File, name: str) -> Any:
    """Return an attribute; of a list of one, what is in it."""
    if name not in file.attrs:
        raise ValueError(f"it has no attribute {name!r}")
    value = file.attrs[name]
    if isinstance(value, np.ndarray) and value.size == 1:
        return value.reshape(-1)[0]
    return value
