"""Films of a disc that pushes a textured block, and what a robot would know of it."""

import cv2
import numpy as np
from jaxtyping import Float

from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.types import Episode
from visual_foresight.vision.homography import apply_homography

SIZE = (48, 64)
TO_FRAME: Float[np.ndarray, "3 3"] = np.array(
    [[100.0, 6.0, 10.0], [4.0, 120.0, 12.0], [0.25, 0.1, 1.0]]
)
"""From the robot's (x, y, 1), in metres, to (row, col, 1)."""
RADIUS_PX = 3
BLOCK_PX = 9
STEP_PX = 2.0


def push_film(number: int, num_steps: int = 9) -> Episode:
    """Return a film in which the disc goes straight through a block, which then goes with it.

    The state is (height, x, y): its place on the table is neither alone nor in front.
    """
    rng = np.random.default_rng(number)
    block = rng.uniform([16, 16], [SIZE[0] - 16, SIZE[1] - 16])
    angle = rng.uniform(0, 2 * np.pi)
    way = np.array([np.sin(angle), np.cos(angle)])
    reach = RADIUS_PX + BLOCK_PX / 2
    disc = block - way * (reach + STEP_PX * rng.uniform(2, 4))
    texture = rng.integers(0, 256, (BLOCK_PX, BLOCK_PX, 3)).astype(np.uint8)
    texture = cv2.GaussianBlur(texture, (3, 3), 0)
    frames, discs = [], []
    for _ in range(num_steps + 1):
        ahead = block - disc
        pushed = reach - ahead @ way
        if pushed > 0:
            block = block + pushed * way
        frames.append(_drawn(disc, block, texture))
        discs.append(disc)
        disc = disc + STEP_PX * way
    places = apply_homography(np.array(discs), np.linalg.inv(TO_FRAME))
    states = np.column_stack([np.full(len(places), 0.1), places]).astype(np.float32)
    return Episode(
        actions=np.diff(states[:, 1:], axis=0),
        frames=np.stack(frames),
        states=states,
        tracks=np.zeros((len(frames), 0, 2), np.float32),
    )


def packed_push_film(number: int) -> PackedEpisode:
    """Return the film as it is learnt from."""
    return PackedEpisode.pack(push_film(number))


def _drawn(disc: np.ndarray, block: np.ndarray, texture: np.ndarray) -> np.ndarray:
    frame = np.full((*SIZE, 3), 200, np.uint8)
    corner = block - (BLOCK_PX - 1) / 2
    shift = np.array([[1, 0, corner[1]], [0, 1, corner[0]]])
    size = (SIZE[1], SIZE[0])
    moved = cv2.warpAffine(texture, shift, size)
    cover = cv2.warpAffine(np.ones(texture.shape, np.float32), shift, size)
    frame = (frame * (1 - cover) + moved * cover).round().astype(np.uint8)
    centre = tuple(int(round(each * 16)) for each in disc[::-1])
    cv2.circle(frame, centre, RADIUS_PX * 16, (40, 40, 40), -1, cv2.LINE_AA, 4)
    return frame
