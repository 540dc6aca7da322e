"""The room that gathers experience: an exploration policy in envs, in parallel, written as episodes."""

from visual_foresight.collect.explore import Explorer, colorful_places
from visual_foresight.collect.record import record_episode
from visual_foresight.collect.run import CollectConfig, CollectSummary, collect

__all__ = [
    "CollectConfig",
    "CollectSummary",
    "Explorer",
    "collect",
    "colorful_places",
    "record_episode",
]
