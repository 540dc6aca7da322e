"""The room that remembers: episodes on disk, and clips out of them.

A dataset is a folder: `dataset.json` (what was recorded, how) and one HDF5 file per episode, see `data/README.md`.
"""

from visual_foresight.episodes.dataset import Episodes, Problem, Report, validate
from visual_foresight.episodes.format import (
    DatasetInfo,
    episode_path,
    read_episode,
    read_info,
    read_meta,
    write_episode,
    write_info,
)
from visual_foresight.episodes.packed import PackedEpisode

__all__ = [
    "DatasetInfo",
    "Episodes",
    "PackedEpisode",
    "Problem",
    "Report",
    "episode_path",
    "read_episode",
    "read_info",
    "read_meta",
    "validate",
    "write_episode",
    "write_info",
]
