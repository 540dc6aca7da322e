"""Pictures from outside: fitted, or refused in one sentence."""

import io

import numpy as np
import pytest
from PIL import Image

from visual_foresight.gui.page.uploads import MAX_BYTES, read_picture
from visual_foresight.types import UserError

SIZE = (20, 28)


def packed(array, kind="PNG"):
    memory = io.BytesIO()
    Image.fromarray(array).save(memory, kind)
    return memory.getvalue()


def test_a_frame_comes_back_as_it_was():
    frame = np.random.default_rng(0).integers(0, 256, (*SIZE, 3)).astype(np.uint8)
    np.testing.assert_array_equal(read_picture(packed(frame), SIZE), frame)


def test_the_middle_of_another_shape_is_taken():
    wide = np.zeros((40, 112, 3), np.uint8)
    wide[:, 28:84] = 200
    assert (read_picture(packed(wide), SIZE) == 200).all()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "no picture that can be read"),
        (b"<svg onload='alert(1)'/>", "no picture that can be read"),
        (packed(np.zeros((64, 64, 3), np.uint8))[:-30], "damaged"),
        (packed(np.zeros((5000, 4000), np.uint8)), "4000x5000 pixels, more than 16 million"),
        (packed(np.zeros((9, 9, 3), np.uint8), "TIFF"), "no picture that can be read"),
        (bytes(MAX_BYTES + 1), "more than 4 MiB"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(data, sentence):
    with pytest.raises(UserError, match=sentence):
        read_picture(data, SIZE)
