"""What the panels of the frames say where there is recorded data in place of a world."""

from visual_foresight.gui.session.recordings.recording import Recording
from visual_foresight.gui.session.state import State


def scene_title(recording: Recording, index: int | None) -> str:
    """Return which frame of which episode is shown.

    Args:
        recording: what is open.
        index: actions after the frame that is imagined from; None for that frame.
    """
    return f"Recorded, episode {recording.number}, frame {recording.step + (index or 0)}"


def scene_hint(state: State, recording: Recording, is_start: bool, keeps_still: bool) -> str:
    """Return what can be done on the recorded frame.

    Args:
        state: of the session.
        recording: what is open.
        is_start: whether the frame is shown that is imagined from.
        keeps_still: whether a click marks what is to keep still.
    """
    kind = recording.actions.kind
    if not is_start:
        return "What was recorded then. Go back to 0 ahead to designate pixels."
    if not state.can_edit:
        return "The model is at work."
    if kind == "planned" and state.image_goal is not None:
        return "The goal is an image. Undo or Clear takes it back."
    if kind != "planned":
        return "Click a pixel to follow it, or imagine the frames alone."
    if state.draft.goal is not None:
        return "Imagine, or click another pixel. Drag a marker to move it."
    if keeps_still:
        return "Click what is to keep still."
    if state.draft.is_open:
        return "Now click where it is to go."
    return "Drag an object to where it is to go, or click both places."


def prediction_hint(state: State, recording: Recording, ahead: int) -> str:
    """Return how what is imagined compares with the frame beside it."""
    if not ahead:
        return "The frame that is imagined from."
    if not state.num_done:
        return "Nobody carried this out: there is nothing to compare with."
    errors = recording.errors
    if errors is None or ahead >= len(errors.frame):
        return "The recording at the same step is beside it."
    text = f"Differs by {errors.frame[ahead]:.3f} from the recording"
    text += f" (still: {errors.persistence_frame[ahead]:.3f})"
    if errors.place_px:
        text += f"; place off by {errors.place_px[ahead]:.1f} px"
        text += f" (still: {errors.persistence_px[ahead]:.1f})"
    return f"{text}."
