"""The planning room: a search over action sequences, costs of imagined futures, and the controllers made of them.

It sees models only through `visual_foresight.interfaces`.
"""

from visual_foresight.planning.cem import CEM, PRESETS, CEMConfig, colored_noise
from visual_foresight.planning.costs import Cautious, ImageDistance, PixelDistance
from visual_foresight.planning.locate import LOCATORS, Propagate, Track
from visual_foresight.planning.mpc import RandomController, ScriptedController, VisualMPC
from visual_foresight.planning.proposals import PushConfig, PushProposals

__all__ = [
    "CEM",
    "LOCATORS",
    "PRESETS",
    "CEMConfig",
    "Cautious",
    "ImageDistance",
    "PixelDistance",
    "Propagate",
    "PushConfig",
    "PushProposals",
    "RandomController",
    "ScriptedController",
    "Track",
    "VisualMPC",
    "colored_noise",
]
