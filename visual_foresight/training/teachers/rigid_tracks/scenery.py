"""What belongs to the table, to the arm and to neither, learnt from how often each pixel looks
unlike the empty table.

The camera stands still, and objects lie elsewhere in every episode: the median of many frames
is the table without anything on it. What differs from it is the arm or an object; the arm is
what nearly always differs when the robot is there. Frames and the robot's own state are all
that is used.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int, UInt8

from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.vision.homography import apply_homography

SAMPLES = 500  # frames whose median is the empty table
APART = 25  # difference of a colour, of 255, from which on a pixel does not show the table
# rows and columns of places of the fingertip, in each of which the arm has its own shape
CELLS = 16
SHARE = 0.5  # of the frames in which the arm's pixels show no table; objects' do in a tenth
ENOUGH = 20  # frames of a cell that count in full


@dataclass(frozen=True)
class Scenery:
    """Tells what each pixel of a frame shows, without looking at poses."""

    empty: UInt8[np.ndarray, "h w 3"]
    """The table with nothing on it."""
    covered: Float32[np.ndarray, "cells cells hh ww"]
    """Per place of the fingertip, share of the frames that show no table, around the fingertip."""
    counts: Float32[np.ndarray, "cells cells"]
    homography: Float[np.ndarray, "3 3"]
    """Homography from (row, col, 1) to the robot's (x, y, 1), see `interfaces.Env.homography`."""

    @classmethod
    def learn(
        cls, episodes: Sequence[PackedEpisode], homography: Float[np.ndarray, "3 3"]
    ) -> "Scenery":
        """Look at all frames of episodes; some hundreds of them are needed to know the arm well.

        Args:
            episodes: Of one camera.
            homography: From (row, col, 1) to the robot's (x, y, 1), see
                `interfaces.Env.homography`.
        """
        numbers = [
            (i, t) for i, episode in enumerate(episodes) for t in range(len(episode.frames))
        ]
        chosen = np.linspace(0, len(numbers) - 1, min(SAMPLES, len(numbers))).astype(int)
        some = np.concatenate(
            [episodes[i].frames[t : t + 1] for i, t in (numbers[k] for k in chosen)]
        )
        empty = np.median(some, axis=0).astype(np.uint8)
        height, width = empty.shape[:2]
        apart = np.zeros((CELLS, CELLS, 2 * height, 2 * width), np.float32)
        looks, counts = np.zeros_like(apart), np.zeros((CELLS, CELLS), np.float32)
        found = cls(empty, apart, counts, homography)
        for episode in episodes:
            tips = found.tips(episode.states)
            cells = np.round(found._cells(tips)).astype(int)
            for things, (row, col), (down, right) in zip(
                found.apart(episode.frames[:]), cells, _corners(tips, empty), strict=True
            ):
                apart[row, col, down : down + height, right : right + width] += things
                looks[row, col, down : down + height, right : right + width] += 1
                counts[row, col] += 1
        apart /= np.maximum(looks, 1)
        return found

    def tips(self, states: Float32[np.ndarray, "t s"]) -> Float[np.ndarray, "t 2"]:
        """Return (row, col) of the fingertip, in pixels."""
        return apply_homography(states[:, :2], np.linalg.inv(self.homography))

    def apart(self, frames: UInt8[np.ndarray, "t h w 3"]) -> Bool[np.ndarray, "t h w"]:
        """Tell which pixels show no table."""
        return np.abs(frames.astype(np.int16) - self.empty).max(-1) > APART

    def arm(self, states: Float32[np.ndarray, "t s"]) -> Bool[np.ndarray, "t h w"]:
        """Tell which pixels show the arm."""
        height, width = self.empty.shape[:2]
        tips = self.tips(states)
        cells = self._cells(tips).clip(0, CELLS - 1.001)
        lower = cells.astype(int)
        share, weight = np.zeros((len(tips), height, width)), np.zeros((len(tips), 1, 1))
        for number, (down, right) in enumerate(_corners(tips, self.empty)):
            for corner in np.ndindex(2, 2):
                row, col = lower[number] + corner
                near = np.prod(1 - np.abs(cells[number] - (row, col))) * min(
                    self.counts[row, col], ENOUGH
                )
                share[number] += (
                    near * self.covered[row, col, down : down + height, right : right + width]
                )
                weight[number] += near
        return share > SHARE * np.maximum(weight, 1)

    def _cells(self, tips: Float[np.ndarray, "t 2"]) -> Float[np.ndarray, "t 2"]:
        return (tips / (np.array(self.empty.shape[:2]) - 1) * (CELLS - 1)).clip(0, CELLS - 1)


def _corners(
    tips: Float[np.ndarray, "t 2"], frame: UInt8[np.ndarray, "h w 3"]
) -> Int[np.ndarray, "t 2"]:
    """Return where a frame begins in a picture of twice its size that has the fingertip in its middle."""
    size = np.array(frame.shape[:2])
    return (size - np.round(tips).astype(int)).clip(0, size)
