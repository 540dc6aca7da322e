"""An example for who opens the page for the first time: a scene, and a goal that is reached.

The pixels are fixed, for the scene of a fixed seed; a test looks whether they are still on an
object, and whether the shipped model still brings it there.
"""

from dataclasses import replace

from visual_foresight.gui.session.goals import Draft, Pair
from visual_foresight.gui.session.settings import Settings
from visual_foresight.predictors.registry import FLAGSHIP
from visual_foresight.types import Pixel

EXAMPLE_GOAL = Draft((Pair(Pixel(36.0, 24.0), Pixel(32.0, 36.0)),))
"""What is to be moved, and where to, in the scene of `example`."""


def example(settings: Settings) -> Settings:
    """Return the settings with the example's scene, model and search in their place."""
    return replace(
        settings,
        env="push",
        seed=0,
        num_objects=None,
        model=FLAGSHIP,
        preset="fast",
        cost="end",
        planner=Settings.planner,
        locator=Settings.locator,
        num_steps=20,
    )
