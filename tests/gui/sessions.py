"""What tests of a session without a browser share: the dot, with the persistence baseline."""

import time

import numpy as np

from visual_foresight.gui.session.goals import Draft
from visual_foresight.gui.session.settings import Settings
from visual_foresight.types import Pixel

DOT = Settings(env="dot", model="still", seed=3, preset="fast", num_steps=4)


def wait(session, until=lambda state: state.is_idle, seconds=280):
    end = time.monotonic() + seconds
    while not until(session.state):
        assert time.monotonic() < end, (
            f"still {session.state.status}, {session.state.message!r}"
        )
        time.sleep(0.005)
    return session.state


def dot(frame):
    """Return the pixel in the dot's middle."""
    rows, cols = np.nonzero((frame != 128).any(-1))
    return Pixel(float(np.median(rows)), float(np.median(cols)))


def make_goal(session, down=0, right=12):
    """Make the goal to move the dot by so many pixels; return its place and the goal pixel."""
    place = dot(session.state.frame)
    target = Pixel(place.row + down, place.col + (right if place.col < 32 else -right))
    session.edit(Draft().clicked(place).clicked(target))
    return place, target
