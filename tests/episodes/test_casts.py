"""What is written is cast where nothing is lost, and refused otherwise, with the frame's number.

Users build episodes in programs that check no shapes; here, where shapes are checked when an
episode is built, wrong arrays are put into it afterwards.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes.episodes import noise_episode
from visual_foresight.episodes.casts import plain_json, to_float32, to_rgb
from visual_foresight.episodes.episode_files import read_episode, write_episode
from visual_foresight.types import Episode, UserError

SOUND = noise_episode()
GREY = SOUND.frames[..., 0]


def as_users_build_it(**changes: Any) -> Episode:
    built = noise_episode()
    for name, value in changes.items():
        object.__setattr__(built, name, value)
    return built


OPAQUE = np.concatenate([SOUND.frames, np.full((*GREY.shape, 1), 255, np.uint8)], -1)
CASTS: dict[str, tuple[str, Any, np.ndarray]] = {
    "float64": ("actions", SOUND.actions.astype(np.float64), SOUND.actions),
    "big-endian": ("states", SOUND.states.astype(">f4"), SOUND.states),
    "whole numbers": ("states", np.ones((5, 5), np.int64), np.ones((5, 5), np.float32)),
    "lists": ("tracks", SOUND.tracks.tolist(), SOUND.tracks),
    "not contiguous": ("actions", np.asfortranarray(SOUND.actions), SOUND.actions),
    "grey": ("frames", GREY, GREY[..., None].repeat(3, -1)),
    "grey with an axis": ("frames", GREY[..., None], GREY[..., None].repeat(3, -1)),
    "opaque RGBA": ("frames", OPAQUE, SOUND.frames),
    "wide": ("frames", SOUND.frames.astype(">i8"), SOUND.frames),
    "floats to 255": ("frames", SOUND.frames.astype(np.float32), SOUND.frames),
    "opaque floats to 1": ("frames", OPAQUE.astype(np.float32) / 255, SOUND.frames),
    "opaque floats to 255": ("frames", OPAQUE.astype(np.float64), SOUND.frames),
    "floats to 255, alpha to 1": (
        "frames",
        np.minimum(OPAQUE, [255, 255, 255, 1]).astype(np.float32),
        SOUND.frames,
    ),
    "floats to 1": ("frames", SOUND.frames.astype(np.float32) / 255, SOUND.frames),
}


@pytest.mark.parametrize("case", CASTS)
def test_what_loses_nothing_is_cast(tmp_path: Path, case: str) -> None:
    name, given, expected = CASTS[case]
    written = read_episode(write_episode(tmp_path, 0, as_users_build_it(**{name: given})))
    stored = getattr(written, name)
    assert stored.dtype == expected.dtype
    np.testing.assert_array_equal(stored, expected)


def test_an_episode_of_the_right_types_is_written_as_before(tmp_path: Path) -> None:
    plain = write_episode(tmp_path, 0, SOUND).read_bytes()
    cast = as_users_build_it(actions=SOUND.actions.astype(np.float64))
    assert write_episode(tmp_path, 1, cast).read_bytes() == plain


CLOCK = np.stack([1.7e9 + np.arange(5) / 15] * 5, 1)
TRANSPARENT = OPAQUE.copy()
TRANSPARENT[2, 0, 0, 3] = 0
DEEP = SOUND.frames.astype(np.uint16)
DEEP[3, 1, 2] = 65535
FRACTIONS = SOUND.frames.astype(np.float64)
FRACTIONS[1, 2, 3, 0] += 0.4
NANS = SOUND.frames.astype(np.float64)
NANS[4, 0, 0, 0] = np.nan
REFUSED: dict[str, tuple[str, Any, str]] = {
    "overflow": ("states", np.full((5, 5), 1e300), r"states: 1e\+300 at frame 0 does not fit"),
    "large whole": ("states", np.full((5, 5), 2**24 + 1), "states: 16777217 at frame 0"),
    "a clock": ("states", CLOCK, "states: 17000000.* does not fit .* less a constant"),
    "complex": ("actions", SOUND.actions.astype(complex), "actions: an array of numbers"),
    "text": ("actions", SOUND.actions.astype(str), "actions: an array of numbers"),
    "axes": ("actions", SOUND.actions[0], "actions: an array of numbers of 2 axes .* shape"),
    "transparent": ("frames", TRANSPARENT, "frame 2 has transparent parts"),
    "16 bits": ("frames", DEEP, r"frame 3 has \[65535, .* at row 1, column 2"),
    "fractions": ("frames", FRACTIONS, "frame 1 has .* at row 2, column 3"),
    "a NaN": ("frames", NANS, r"frame 4 has \[nan, "),
    "negative": ("frames", SOUND.frames.astype(int) - 300, "frame 0 has"),
    "channels first": ("frames", np.moveaxis(SOUND.frames, -1, 1), "put the channels last"),
    "notes": ("meta", {"goal": {"at": {1, 2}}}, r"meta.goal.at is set \{1, 2\}"),
    "a note's name": ("meta", {3: 4}, "meta has the name 3: a text was expected"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_lose_something_is_refused(tmp_path: Path, case: str) -> None:
    name, given, sentence = REFUSED[case]
    with pytest.raises(UserError, match=f"episode_000002.hdf5 is not written: .*{sentence}"):
        write_episode(tmp_path, 2, as_users_build_it(**{name: given}))
    assert not list(tmp_path.iterdir())


def test_small_jitter_may_be_rounded() -> None:
    resting = 0.5 + 1e-9 * np.arange(8.0)[:, None]
    np.testing.assert_array_equal(to_float32(resting, "states", 2), np.float32(resting))


def test_frames_of_the_right_type_are_not_copied() -> None:
    assert to_rgb(SOUND.frames, "frames") is SOUND.frames
    assert to_float32(np.zeros((0, 2)), "actions", 2).shape == (0, 2)


def test_numpy_values_become_json_values() -> None:
    notes = {"seed": np.int64(3), "moved": np.array([True, False]), "at": (1, np.float32(0.5))}
    plain = plain_json(notes, "meta")
    assert plain == {"seed": 3, "moved": [True, False], "at": [1, 0.5]}
    assert type(plain["seed"]) is int and type(plain["moved"][0]) is bool
