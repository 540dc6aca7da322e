"""The sources of proposals by their names."""

from visual_foresight.env_info import EnvInfo
from visual_foresight.interfaces import Proposer
from visual_foresight.system.plugins import Registry

PROPOSERS = Registry(
    "proposer",
    "proposers",
    {"pushes": "visual_foresight.planning.proposals.pushes:PushProposals.for_robot"},
    Proposer,
)
"""Name -> what builds a `Proposer` of an `EnvInfo`, the number of sequences and their length.

It raises `UserError` where the robot lacks what it needs.
"""
NONE = "none"
"""Stands for no proposals: the search has no more than its own draws."""
WHERE_POSSIBLE = "auto"
"""Stands for pushes where the robot has what they need, and none elsewhere."""


def make_proposer(name: str, info: EnvInfo, count: int, horizon: int) -> Proposer | None:
    """Return a source of proposals for a robot, or None where there is to be none.

    Args:
        name: a key of `PROPOSERS`, "none" or "auto".
        info: the robot.
        count: how many sequences it proposes.
        horizon: how many actions each has.

    Raises:
        UserError: there is none of this name, or the robot lacks what it needs.
    """
    can_push = info.workspace is not None and info.view.homography is not None
    if name == NONE or (name == WHERE_POSSIBLE and not can_push):
        return None
    chosen = "pushes" if name == WHERE_POSSIBLE else name
    proposer: Proposer = PROPOSERS.require(chosen, PROPOSERS[chosen](info, count, horizon))
    return proposer
