"""Where heat, rings and crosses are drawn, and that files are what was written."""

import cv2
import imageio.v3 as imageio
import imageio_ffmpeg
import numpy as np
import pytest

from visual_foresight.types import Pixel, UserError
from visual_foresight.vision import drawing

HEIGHT, WIDTH = 6, 8
GREY = np.full((HEIGHT, WIDTH, 3), 90, dtype=np.uint8)


def one_hot(row, col, size=(HEIGHT, WIDTH)):
    pixel_map = np.zeros((1, *size), dtype=np.float32)
    pixel_map[0, row, col] = 1
    return pixel_map


def nothing():
    return np.zeros((0, HEIGHT, WIDTH), dtype=np.float32)


def changed_centre(picture, scale):
    """Return the mean (row, col), in frame pixels, of what differs from the grey frame."""
    rows, cols = np.nonzero((picture != drawing.upscale(GREY, scale)).any(axis=-1))
    return (rows.mean() + 0.5) / scale - 0.5, (cols.mean() + 0.5) / scale - 0.5


def test_upscale_repeats_every_pixel():
    frame = np.random.default_rng(0).integers(0, 256, (2, 3, 3), dtype=np.uint8)
    picture = drawing.upscale(frame, 4)
    assert picture.shape == (8, 12, 3)
    for row in range(8):
        for col in range(12):
            assert (picture[row, col] == frame[row // 4, col // 4]).all()


def test_overlay_of_nothing_is_the_enlarged_frame():
    assert (drawing.overlay(GREY, nothing(), scale=3) == drawing.upscale(GREY, 3)).all()


def test_heat_is_where_the_map_is():
    picture = drawing.overlay(GREY, one_hot(2, 5), scale=5)
    assert changed_centre(picture, 5) == pytest.approx((2, 5), abs=0.1)
    assert picture[12, 27].astype(int).sum() > 2 * 3 * 90


def test_a_coarser_map_covers_the_frame_exactly():
    # Cell (1, 2) of a 3 x 4 grid over 6 x 8 pixels has its centre at row 1.5 * 2 - 0.5 = 2.5 and
    # column 2.5 * 2 - 0.5 = 4.5.
    picture = drawing.overlay(GREY, one_hot(1, 2, (3, 4)), scale=5)
    assert changed_centre(picture, 5) == pytest.approx((2.5, 4.5), abs=0.1)


def test_what_is_drawn_on_is_left_alone():
    frame = GREY.copy()
    drawing.overlay(frame, one_hot(0, 0), [Pixel(1, 1)], scale=1)
    drawing.mark(frame, [Pixel(1, 1)], [Pixel(2, 2)], scale=1)
    assert (frame == GREY).all()


@pytest.mark.parametrize("kind", ["ring", "cross"])
def test_markers_are_centred_on_their_pixel_and_differ(kind):
    pixel = Pixel(2, 5)
    if kind == "ring":
        picture = drawing.overlay(GREY, nothing(), [pixel], scale=9)
        own, other = drawing.SOURCE_COLOUR, drawing.GOAL_COLOUR
    else:
        picture = drawing.mark(drawing.upscale(GREY, 9), [], [pixel], scale=9)
        own, other = drawing.GOAL_COLOUR, drawing.SOURCE_COLOUR
    assert changed_centre(picture, 9) == pytest.approx((2, 5), abs=0.15)
    assert (picture == own).all(axis=-1).any()
    assert not (picture == other).all(axis=-1).any()


def test_a_marker_outside_the_frame_is_cut_not_refused():
    assert drawing.overlay(GREY, nothing(), [Pixel(-20, 400)], scale=2).shape == (12, 16, 3)


def test_label_adds_a_bar_and_keeps_the_picture():
    picture = drawing.label(drawing.upscale(GREY, 20), "seven words")
    assert (picture[-120:] == 90).all()
    assert picture[:-120].max() > 150, "some ink"
    assert not (picture == drawing.label(drawing.upscale(GREY, 20), "other words")).all()


def test_filmstrip_lays_time_to_the_right():
    rows = [
        np.stack([GREY + step for step in range(count)]).astype(np.uint8) for count in (3, 2)
    ]
    picture = drawing.filmstrip(rows, ["long", "short"], scale=2)
    height, step = picture.shape[0] // 2, 2 * WIDTH + drawing.GAP
    assert picture.shape[1] == 3 * step
    middle = height - 2 * HEIGHT // 2
    assert [int(picture[middle, step * i + step // 2, 0]) for i in range(3)] == [90, 91, 92]
    assert tuple(picture[height + middle, 2 * step + step // 2]) == drawing.PAPER


def test_filmstrip_wants_one_label_per_row():
    with pytest.raises(ValueError, match="one label per row"):
        drawing.filmstrip([GREY[None]], [])


def test_png_round_trip(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    drawing.write_png(tmp_path / "a.png", picture)
    assert (imageio.imread(tmp_path / "a.png") == picture).all()


def read_video(path):
    video = cv2.VideoCapture(str(path))
    while (answer := video.read())[0]:
        yield answer[1]
    video.release()


@pytest.mark.parametrize(("suffix", "size"), [(".gif", (31, 45)), (".mp4", (32, 46))])
def test_animation_round_trip(tmp_path, suffix, size):
    shades = [20, 120, 220]
    frames = np.stack([np.full((31, 45, 3), shade, dtype=np.uint8) for shade in shades])
    path = tmp_path / f"a{suffix}"
    drawing.write_animation(path, frames, fps=5)
    if suffix == ".gif":
        found = imageio.imread(path, index=None, plugin="pillow")
    else:
        found = np.stack(list(read_video(path)))
    assert found.shape[:3] == (3, *size)
    assert found.mean(axis=(1, 2, 3)) == pytest.approx(shades, abs=6)
    assert list(tmp_path.iterdir()) == [path]


def test_what_keeps_an_animation_from_being_written_is_found_out_before(tmp_path, monkeypatch):
    broken = tmp_path / "ffmpeg"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    for program in (tmp_path / "nowhere", tmp_path, broken):
        monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program))
        drawing.require_animation(tmp_path / "a.gif")
        with pytest.raises(UserError, match="MP4 needs .*of IMAGEIO_FFMPEG_EXE cannot be run"):
            drawing.require_animation(tmp_path / "a.mp4")
    monkeypatch.delenv("IMAGEIO_FFMPEG_EXE")
    drawing.require_animation(tmp_path / "a.mp4")
    with monkeypatch.context() as patch:
        patch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", raising(RuntimeError("No ffmpeg exe")))
        with pytest.raises(UserError, match="ffmpeg, and it cannot be run .No ffmpeg exe"):
            drawing.require_animation(tmp_path / "a.mp4")
    for suffix in (".gif", ".mp4"):
        folder = tmp_path / f"folder{suffix}"
        folder.mkdir()
        link = tmp_path / f"link{suffix}"
        link.symlink_to(tmp_path / "gone")
        for path in (folder, link):
            with pytest.raises(UserError, match="the animation"):
                drawing.require_animation(path)


def raising(error):
    def fail():
        raise error

    return fail


def test_an_unknown_suffix_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"\.gif or \.mp4"):
        drawing.write_animation(tmp_path / "a.webm", GREY[None])
    assert not list(tmp_path.iterdir())
