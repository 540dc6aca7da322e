"""The one maker of episodes: noise, the dot as its env shows it, and a patch on a table."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from visual_foresight.envs.dot import DotEnv
from visual_foresight.episodes.episode_files import write_episode
from visual_foresight.episodes.info import DatasetInfo, write_info
from visual_foresight.types import Episode, Pixel, Workspace

PATCH_PX = 6  # side of the patch
PATCH_STEP_PX = 2  # by which one unit of action moves it
PIXEL_M = 0.01  # of the table under the patch
# Action 0 leads down in the frame, action 1 to the right.
PATCH_HOMOGRAPHY = ((PIXEL_M, 0.0, 0.0), (0.0, PIXEL_M, 0.0), (0.0, 0.0, 1.0))


def noise_episode(
    seed: int = 0,
    *,
    num_actions: int = 4,
    frame_size: tuple[int, int] = (6, 10),
    state_size: int = 5,
    num_tracks: int = 3,
) -> Episode:
    """Return an episode in which everything is noise; its tracks are said to be of objects."""
    rng = np.random.default_rng(seed)
    num_frames = num_actions + 1
    return Episode(
        actions=rng.uniform(-1, 1, (num_actions, 2)).astype(np.float32),
        frames=rng.integers(0, 256, (num_frames, *frame_size, 3), dtype=np.uint8),
        states=rng.normal(size=(num_frames, state_size)).astype(np.float32),
        tracks=rng.normal(size=(num_frames, num_tracks, 2)).astype(np.float32),
        meta={"seed": seed, "track_kinds": ["object"] * num_tracks},
    )


def dot_episode(
    seed: int,
    actions: np.ndarray,
    frame_size: tuple[int, int],
    kinds: Sequence[str] = ("object", "background"),
) -> Episode:
    """Record actions with the dot, and its track and that of a point of the background."""
    env = DotEnv(frame_size)
    env.reset(seed=seed)
    height, width = frame_size
    dot = env.project(env.truth()[0, :3])
    corner = Pixel(height - 1, width - 1) if dot.row < height / 2 else Pixel(0, 0)
    points = [env.pick(dot), env.pick(corner)]
    seen = [env.observe()]
    tracks = [[env.where(point)[0] for point in points]]
    for action in actions:
        env.step(action)
        seen.append(env.observe())
        tracks.append([env.where(point)[0] for point in points])
    return Episode(
        actions=actions.astype(np.float32),
        frames=np.stack([each.frame for each in seen]),
        states=np.stack([each.state for each in seen]),
        tracks=np.array(
            [[(pixel.row, pixel.col) for pixel in pixels] for pixels in tracks], np.float32
        ),
        meta={"track_kinds": list(kinds)},
    )


def patch_episode(
    seed: int, frame_size: tuple[int, int], actions: np.ndarray | None = None
) -> Episode:
    """Return the episode of a textured patch that wanders over a plain table.

    Its state is where its upper left corner is, in metres. The tracks are its centre ("object")
    and the upper left corner of the table ("background").

    Args:
        seed: Of the texture, and of nine random actions where none are given.
        frame_size: Height and width in pixels.
        actions: "t 2", (down, right).
    """
    rng = np.random.default_rng(seed)
    patch = rng.integers(0, 255, (PATCH_PX, PATCH_PX, 3), dtype=np.uint8)
    if actions is None:
        actions = rng.uniform(-1, 1, (9, 2))
    actions = actions.astype(np.float32)
    places = [np.array([5.0, 9.0])]
    for action in actions:
        ahead = places[-1] + PATCH_STEP_PX * action
        places.append(np.clip(ahead, 0, np.subtract(frame_size, PATCH_PX)))
    frames = np.full((len(places), *frame_size, 3), 120, np.uint8)
    for frame, place in zip(frames, places, strict=True):
        row, col = np.round(place).astype(int)
        frame[row : row + PATCH_PX, col : col + PATCH_PX] = patch
    corners = np.stack(places)
    centres = corners + (PATCH_PX - 1) / 2
    return Episode(
        actions=actions,
        frames=frames,
        states=(PIXEL_M * corners).astype(np.float32),
        tracks=np.stack([centres, np.zeros_like(centres)], 1).astype(np.float32),
        meta={"seed": seed, "track_kinds": ["object", "background"]},
    )


def write_patches(folder: Path, size: tuple[int, int], count: int) -> Path:
    """Write a dataset of episodes in which a patch is pushed, and return its folder.

    Args:
        folder: an empty one.
        size: height and width of the frames.
        count: how many episodes.
    """
    workspace = Workspace((0.0, 0.0), (1.0, 1.0), (0.02, 0.02))
    info = DatasetInfo("dot", size, 2, workspace, PATCH_HOMOGRAPHY, "none", "0", {})
    write_info(folder, info)
    for number in range(count):
        write_episode(folder, number, patch_episode(number, size))
    return folder
