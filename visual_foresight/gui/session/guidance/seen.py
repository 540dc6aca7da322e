"""What a page says of the pixel under the pointer."""

from visual_foresight.gui.session.guidance.remarks import describe_pixel
from visual_foresight.gui.session.state import State
from visual_foresight.types import Pixel


def describe_pixel_in(state: State, pixel: Pixel) -> str:
    """Return what a pixel of the present frame shows, as "an object"; "" if unknown.

    Where no judge can say, the picture tells the table from what stands on it.
    """
    if state.frame is None or not state.is_editable or state.is_recorded:
        return ""
    if state.things is None:
        return describe_pixel(state.frame, pixel)
    return state.things.at(pixel)
