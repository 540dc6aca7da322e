"""Which pixels show the table, the arm, or an object, learnt from frames and robot states.

The camera does not move, and objects lie at other places in each episode, so the median of many
frames is the empty table. What differs from it is the arm or an object. Of these, the arm is what
differs in most frames with the same place of the fingertip.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int, UInt8

from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.vision.homography import apply_homography

NUM_SAMPLES = 500  # frames whose median is the empty table
MIN_DIFFERENCE = 25  # of 255: a pixel whose colours differ less shows the empty table
# The arm's shape is learnt for each cell of a grid of fingertip places over the frame: this many
# rows and columns.
NUM_CELLS = 16
# Share of a cell's frames in which a pixel of the arm is foreground. Pixels of objects are in a
# tenth.
ARM_SHARE = 0.5
ENOUGH_FRAMES = 20  # a cell with fewer frames has less weight


@dataclass(frozen=True)
class Scenery:
    """Tells what the pixels of frames show. It knows no poses.

    Shapes of the arm are in images of twice a frame's size, with the fingertip in the centre.
    """

    empty: UInt8[np.ndarray, "h w 3"]
    """The table with nothing on it."""
    foreground_share: Float32[np.ndarray, "cells cells double_h double_w"]
    """Per cell, the share of frames in which a pixel does not show the empty table."""
    num_frames: Float32[np.ndarray, "cells cells"]
    """Per cell, how many frames were seen."""
    homography: Float[np.ndarray, "3 3"]
    """From (row, col, 1) to the robot's (x, y, 1), see `env_info.Homography`."""

    @classmethod
    def learn(
        cls, episodes: Sequence[PackedEpisode], homography: Float[np.ndarray, "3 3"]
    ) -> "Scenery":
        """Learn from all frames of episodes; some hundreds of episodes show the arm well.

        Args:
            episodes: of one camera.
            homography: from (row, col, 1) to the robot's (x, y, 1), see
                `env_info.Homography`.
        """
        empty = _median_frame(episodes)
        height, width = empty.shape[:2]
        num_frames = np.zeros((NUM_CELLS, NUM_CELLS), np.float32)
        share = np.zeros((NUM_CELLS, NUM_CELLS, 2 * height, 2 * width), np.float32)
        num_seen = np.zeros_like(share)
        scenery = cls(empty, share, num_frames, homography)
        for episode in episodes:
            tips = scenery.fingertips(episode.states)
            cells = np.round(scenery._cells(tips)).astype(int)
            corners = _corners(tips, empty)
            masks = scenery.foreground(episode.frames[:])
            for mask, (row, col), (down, right) in zip(masks, cells, corners, strict=True):
                share[row, col, down : down + height, right : right + width] += mask
                num_seen[row, col, down : down + height, right : right + width] += 1
                num_frames[row, col] += 1
        share /= np.maximum(num_seen, 1)
        return scenery

    def fingertips(self, states: Float32[np.ndarray, "t s"]) -> Float[np.ndarray, "t 2"]:
        """Return where the fingertip is, (row, col) in pixels."""
        return apply_homography(states[:, :2], np.linalg.inv(self.homography))

    def foreground(self, frames: UInt8[np.ndarray, "t h w 3"]) -> Bool[np.ndarray, "t h w"]:
        """Tell which pixels do not show the empty table."""
        return np.abs(frames.astype(np.int16) - self.empty).max(-1) > MIN_DIFFERENCE

    def arm(self, states: Float32[np.ndarray, "t s"]) -> Bool[np.ndarray, "t h w"]:
        """Tell which pixels show the arm, by bilinear interpolation between cells."""
        height, width = self.empty.shape[:2]
        tips = self.fingertips(states)
        cells = self._cells(tips).clip(0, NUM_CELLS - 1.001)
        lower = cells.astype(int)
        share = np.zeros((len(tips), height, width))
        weight = np.zeros((len(tips), 1, 1))
        for t, (down, right) in enumerate(_corners(tips, self.empty)):
            window = (slice(down, down + height), slice(right, right + width))
            for neighbour in np.ndindex(2, 2):
                row, col = lower[t] + neighbour
                nearness = np.prod(1 - np.abs(cells[t] - (row, col)))
                known = nearness * min(self.num_frames[row, col], ENOUGH_FRAMES)
                share[t] += known * self.foreground_share[row, col][window]
                weight[t] += known
        return share > ARM_SHARE * np.maximum(weight, 1)

    def _cells(self, tips: Float[np.ndarray, "t 2"]) -> Float[np.ndarray, "t 2"]:
        """Return places in the frame in units of cells."""
        last_pixel = np.array(self.empty.shape[:2]) - 1
        return (tips / last_pixel * (NUM_CELLS - 1)).clip(0, NUM_CELLS - 1)


def _median_frame(episodes: Sequence[PackedEpisode]) -> UInt8[np.ndarray, "h w 3"]:
    """Return the median of frames that are spread evenly over all episodes."""
    places = [(i, t) for i, episode in enumerate(episodes) for t in range(len(episode.frames))]
    num_chosen = min(NUM_SAMPLES, len(places))
    chosen = np.linspace(0, len(places) - 1, num_chosen).astype(int)
    frames = []
    for index in chosen:
        i, t = places[index]
        frames.append(episodes[i].frames[t : t + 1])
    return np.median(np.concatenate(frames), axis=0).astype(np.uint8)


def _corners(
    tips: Float[np.ndarray, "t 2"], frame: UInt8[np.ndarray, "h w 3"]
) -> Int[np.ndarray, "t 2"]:
    """Return where frames begin, (row, col), in images that have the fingertip in the centre."""
    size = np.array(frame.shape[:2])
    return (size - np.round(tips).astype(int)).clip(0, size)
