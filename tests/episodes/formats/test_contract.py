"""What every format of episodes promises (see `EpisodeFormat`), over the registry."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from jaxtyping import TypeCheckError

from tests.fakes.episodes import noise_episode
from visual_foresight.episodes.formats.registry import (
    DEFAULT_FORMAT,
    EpisodeFormat,
    episode_formats,
)
from visual_foresight.types import Episode, UserError

ARRAYS = ("actions", "frames", "states", "tracks")
SAME_FILE = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


SIGNAL_NAMES = st.sets(st.sampled_from(("reward", "force", "contact")))
VIEW_NAMES = st.sets(st.sampled_from(("side", "wrist_2", "agentview2")), max_size=2)


@pytest.fixture(params=sorted(episode_formats()))
def format_(request: pytest.FixtureRequest) -> EpisodeFormat:
    return episode_formats()[request.param]


@pytest.fixture
def path(tmp_path: Path, format_: EpisodeFormat) -> Path:
    return tmp_path / f"episode_000012{format_.suffix}"


@st.composite
def episodes(draw: st.DrawFn) -> Episode:
    """Return episodes of all shapes, with any float: NaNs, infinities and both zeros, too."""

    def floats(*shape: int) -> np.ndarray:
        return draw(arrays.arrays(np.float32, shape))

    size = st.integers(1, 5)
    num_actions, num_tracks = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    height, width = draw(size), draw(size)
    return Episode(
        actions=floats(num_actions, draw(size)),
        frames=draw(arrays.arrays(np.uint8, (num_actions + 1, height, width, 3))),
        states=floats(num_actions + 1, draw(size)),
        tracks=floats(num_actions + 1, num_tracks, 2),
        meta=draw(st.dictionaries(st.text(), JSON_VALUES)),
        signals={name: floats(num_actions) for name in draw(SIGNAL_NAMES)},
        other_views={
            name: draw(arrays.arrays(np.uint8, (num_actions + 1, draw(size), draw(size), 3)))
            for name in draw(VIEW_NAMES)
        },
    )


def assert_same(one: Episode, other: Episode) -> None:
    for name in ARRAYS:
        mine, its = getattr(one, name), getattr(other, name)
        assert (mine.shape, mine.dtype) == (its.shape, its.dtype)
        assert mine.tobytes() == its.tobytes()
    assert dict(one.meta) == dict(other.meta)
    assert one.signals.keys() == other.signals.keys()
    for name, values in one.signals.items():
        assert values.tobytes() == other.signals[name].tobytes()
    assert one.other_views.keys() == other.other_views.keys()
    for name, frames in one.other_views.items():
        np.testing.assert_array_equal(frames, other.other_views[name])


def test_signals_count_in_the_checksum(format_: EpisodeFormat, path: Path) -> None:
    reward = np.arange(4, dtype=np.float32)
    format_.write(path, replace(noise_episode(), signals={"reward": reward}))
    whole = path.read_bytes()
    assert whole.count(reward.tobytes()) == 1
    path.write_bytes(whole.replace(reward.tobytes(), reward[::-1].tobytes()))
    with pytest.raises(UserError, match="does not match its checksum"):
        format_.read(path)


def test_other_views_count_in_the_checksum(format_: EpisodeFormat, path: Path) -> None:
    plain = noise_episode()
    format_.write(path, plain)
    before = path.read_bytes()
    format_.write(path, replace(plain, other_views={}))
    assert path.read_bytes() == before
    format_.write(path, replace(plain, other_views={"side": plain.frames}))
    whole = path.read_bytes()
    frames = format_.read(path).other_views["side"]
    np.testing.assert_array_equal(frames, plain.frames)
    assert whole.count(b"side_image") == 1
    path.write_bytes(whole.replace(b"side_image", b"hide_image"))
    with pytest.raises(UserError, match="damaged or no episode"):
        format_.read(path)


@pytest.mark.parametrize("name", ["agentview", "../truth", "", "left side"])
def test_a_view_that_cannot_be_stored_is_refused(
    format_: EpisodeFormat, path: Path, name: str
) -> None:
    plain = noise_episode()
    with pytest.raises(UserError, match="cannot be called"):
        format_.write(path, replace(plain, other_views={name: plain.frames}))
    assert not path.exists()


def test_a_signal_has_one_value_per_action() -> None:
    # Where shapes are checked as the program runs, as here, that check comes first.
    with pytest.raises((ValueError, TypeCheckError), match="signals|values for 4 actions"):
        replace(noise_episode(), signals={"reward": np.zeros(5, np.float32)})


@SAME_FILE
@given(episode=episodes())
def test_an_episode_is_read_as_it_was_written(
    format_: EpisodeFormat, path: Path, episode: Episode
) -> None:
    format_.write(path, episode)
    assert_same(format_.read(path), episode)
    assert format_.read_meta(path) == dict(episode.meta)
    assert list(path.parent.iterdir()) == [path]


@SAME_FILE
@given(episode=episodes())
def test_the_same_episode_gives_the_same_bytes(
    format_: EpisodeFormat, path: Path, episode: Episode
) -> None:
    format_.write(path, episode)
    first = path.read_bytes()
    copies = {name: getattr(episode, name).copy() for name in ARRAYS}
    signals = {name: episode.signals[name].copy() for name in reversed(list(episode.signals))}
    others = dict(reversed(list(episode.other_views.items())))
    meta = json.loads(json.dumps(dict(episode.meta)))
    format_.write(path, Episode(**copies, meta=meta, signals=signals, other_views=others))
    assert path.read_bytes() == first


def test_notes_may_be_large(format_: EpisodeFormat, path: Path) -> None:
    notes = {"goal": {"png": "x" * 300_000}}
    episode = Episode(**{name: getattr(noise_episode(), name) for name in ARRAYS}, meta=notes)
    format_.write(path, episode)
    assert format_.read_meta(path) == notes


@SAME_FILE
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_that_is_cut_off_is_named(
    format_: EpisodeFormat, path: Path, share: float
) -> None:
    format_.write(path, noise_episode())
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UserError, match=f"{path.name} is damaged or no episode"):
        format_.read(path)


def test_any_flipped_byte_is_noticed_or_harmless(format_: EpisodeFormat, path: Path) -> None:
    episode = noise_episode()
    format_.write(path, episode)
    whole = path.read_bytes()
    num_noticed = 0
    for place in range(0, len(whole), 37):
        flipped = bytes([whole[place] ^ 0x5A])
        path.write_bytes(whole[:place] + flipped + whole[place + 1 :])
        try:
            assert_same(format_.read(path), episode)
        except UserError:
            num_noticed += 1
    # Random pixels do not compress: each of their bytes counts.
    assert num_noticed >= episode.frames.size // 37


def test_a_missing_file_is_named(format_: EpisodeFormat, path: Path) -> None:
    for read in (format_.read, format_.read_meta):
        with pytest.raises(UserError, match=f"{path.name} is missing"):
            read(path)


def test_something_else_is_no_episode(format_: EpisodeFormat, path: Path) -> None:
    path.write_text("years of work")
    for read in (format_.read, format_.read_meta):
        with pytest.raises(UserError, match=f"{path.name} is damaged or no episode"):
            read(path)


def test_every_format_has_a_suffix_of_its_own() -> None:
    suffixes = [each.suffix for each in episode_formats().values()]
    assert len(set(suffixes)) == len(suffixes)
    assert all(suffix.startswith(".") for suffix in suffixes)
    assert all(isinstance(each, EpisodeFormat) for each in episode_formats().values())
    assert DEFAULT_FORMAT in episode_formats()
