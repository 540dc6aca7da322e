"""Pictures from outside: fitted as every viewer shows them, or refused in one sentence."""

import io
import struct

import numpy as np
import pytest
from PIL import ExifTags, Image

from visual_foresight.gui.page.scene.uploads import MAX_BYTES, read_picture
from visual_foresight.types import UserError

SIZE = (20, 28)


def packed(array, kind="PNG", **options):
    memory = io.BytesIO()
    Image.fromarray(array).save(memory, kind, **options)
    return memory.getvalue()


def test_a_frame_comes_back_as_it_was():
    frame = np.random.default_rng(0).integers(0, 256, (*SIZE, 3)).astype(np.uint8)
    goal = read_picture(packed(frame), SIZE)
    np.testing.assert_array_equal(goal.frame, frame)
    assert goal.mask is None


def test_the_middle_of_another_shape_is_taken():
    wide = np.zeros((40, 112, 3), np.uint8)
    wide[:, 28:84] = 200
    assert (read_picture(packed(wide), SIZE).frame == 200).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "corner"),
    [(1, (0, 0)), (3, (-1, -1)), (6, (0, -1)), (8, (-1, 0))],
    ids=["upright", "upside down", "held left", "held right"],
)
def test_a_picture_is_upright_however_the_camera_was_held(kind, orientation, corner):
    sides = (40, 56) if orientation < 5 else (56, 40)
    stored = np.zeros((*sides, 3), np.uint8)
    stored[:24, :24] = 250  # where rows and columns of the file begin
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    goal = read_picture(packed(stored, kind, exif=exif), SIZE)
    assert goal.frame.shape[:2] == SIZE
    bright = {
        place for place in ((0, 0), (0, -1), (-1, 0), (-1, -1)) if goal.frame[place].min() > 200
    }
    assert bright == {corner}


def test_greys_of_sixteen_bits_keep_their_whole_range():
    ramp = np.linspace(0, 65535, SIZE[1]).astype(np.uint16)
    goal = read_picture(packed(np.tile(ramp, (SIZE[0], 1))), SIZE)
    np.testing.assert_allclose(goal.frame[3, :, 1], np.linspace(0, 255, SIZE[1]), atol=1)


def test_what_is_transparent_is_no_part_of_the_goal():
    drawn = np.full((40, 56, 4), (90, 60, 30, 255), np.uint8)
    drawn[:, 20:] = (255, 0, 0, 0)  # a colour that nobody sees
    for kind in ("PNG", "WEBP"):
        goal = read_picture(packed(drawn, kind, lossless=True), SIZE)
        assert goal.mask is not None
        assert goal.mask[:, :10].all() and not goal.mask[:, 10:].any()
        assert (goal.frame[:, :10] == (90, 60, 30)).all()
    half = read_picture(packed(drawn[:, 1:-1]), (40, 27))  # an edge within a pixel
    assert (half.frame[half.mask] == (90, 60, 30)).all(), "hidden colours do not shine through"


def test_one_transparent_colour_of_a_palette_or_of_greys_counts_too():
    shades = np.full(SIZE, 200, np.uint8)
    shades[:, 14:] = 7
    deep = shades.astype(np.uint16) * 257
    for array, transparent in ((shades, 7), (deep, 7 * 257)):
        goal = read_picture(packed(array, transparency=transparent), SIZE)
        assert goal.mask is not None
        assert goal.mask[:, :14].all() and not goal.mask[:, 14:].any()
        assert (goal.frame[:, :14] == 200).all()


def test_an_alpha_channel_that_hides_nothing_changes_nothing():
    frame = np.random.default_rng(0).integers(0, 256, (40, 56, 4)).astype(np.uint8)
    frame[..., 3] = 255
    goal = read_picture(packed(frame), SIZE)
    plain = read_picture(packed(np.ascontiguousarray(frame[..., :3])), SIZE)
    assert goal.mask is None
    np.testing.assert_array_equal(goal.frame, plain.frame)


P3_TO_XYZ = np.array(
    [[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]]
)
SRGB_TO_XYZ = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]]
)


def profile(to_xyz):
    """Return an ICC profile of a screen with these primaries and a gamma of 2.2."""

    def place(x, y, z):
        return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(v * 65536) for v in (x, y, z)))

    curve = b"curv" + bytes(4) + struct.pack(">IHxx", 1, round(2.2 * 256))
    parts = {b"wtpt": place(0.9642, 1, 0.8249)}
    for name, column in zip((b"r", b"g", b"b"), to_xyz.T, strict=True):
        parts |= {name + b"XYZ": place(*column), name + b"TRC": curve}
    table, content = struct.pack(">I", len(parts)), b""
    begin = 128 + 4 + 12 * len(parts)
    for name, part in parts.items():
        table += name + struct.pack(">II", begin + len(content), len(part))
        content += part
    kind = struct.pack(">I", 0x02400000) + b"mntrRGB XYZ "
    head = struct.pack(">I4x", begin + len(content)) + kind
    head = (head + bytes(12) + b"acsp").ljust(68, b"\0") + place(0.9642, 1, 0.8249)[8:]
    return head.ljust(128, b"\0") + table + content


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_has_the_colours_that_its_profile_means(kind):
    colour = np.array([190, 80, 90])
    wide = np.tile(colour.astype(np.uint8), (*SIZE, 1))
    goal = read_picture(packed(wide, kind, icc_profile=profile(P3_TO_XYZ)), SIZE)
    linear = np.linalg.solve(SRGB_TO_XYZ, P3_TO_XYZ @ (colour / 255) ** 2.2)
    expected = 255 * np.where(
        linear < 0.0031308, 12.92 * linear, 1.055 * np.abs(linear) ** (1 / 2.4) - 0.055
    )
    assert abs(expected - colour).max() > 10
    np.testing.assert_allclose(goal.frame[9, 9], expected, atol=4)
    damaged = read_picture(packed(wide, kind, icc_profile=b"no profile"), SIZE)
    np.testing.assert_allclose(damaged.frame[9, 9], colour, atol=4)


def test_a_profile_does_not_make_transparent_parts_opaque():
    drawn = np.full((*SIZE, 4), 190, np.uint8)
    drawn[..., 3] = 255
    drawn[:5, :, 3] = 0
    goal = read_picture(packed(drawn, icc_profile=profile(P3_TO_XYZ)), SIZE)
    assert goal.mask is not None
    assert not goal.mask[:5].any() and goal.mask[5:].all()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "no picture that can be read"),
        (b"<svg onload='alert(1)'/>", "no picture that can be read"),
        (packed(np.zeros((64, 64, 3), np.uint8))[:-30], "damaged"),
        (packed(np.zeros((5000, 4000), np.uint8)), "4000x5000 pixels, more than 16 million"),
        (packed(np.zeros((9, 9, 3), np.uint8), "TIFF"), "no picture that can be read"),
        (bytes(MAX_BYTES + 1), "more than 4 MiB"),
        (packed(np.zeros((20, 28, 4), np.uint8)), "transparent where the frame is"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(data, sentence):
    with pytest.raises(UserError, match=sentence):
        read_picture(data, SIZE)
