"""The one maker of clips: of given frames, of noise, of a soft dot, and of what an env shows now.

What a test does not give is zero: actions and states that it does not look at.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from visual_foresight.interfaces import Env
from visual_foresight.types import Clip, to_float
from visual_foresight.vision.pixel_maps import grid


def clip_of(
    frames: Tensor,
    *,
    actions: Tensor | None = None,
    states: Tensor | None = None,
    action_size: int = 2,
    state_size: int = 4,
) -> Clip:
    """Return a clip of these frames, "b t+1 c h w", or "t+1 c h w" of one scene.

    Actions and states of one scene may lack their first axis as well.
    """
    batched = frames if frames.ndim == 5 else frames[None]
    batch, num_frames = batched.shape[:2]
    if actions is None:
        actions = torch.zeros(batch, num_frames - 1, action_size)
    if states is None:
        states = torch.zeros(batch, num_frames, state_size)
    return Clip(
        actions if actions.ndim == 3 else actions[None],
        batched,
        states if states.ndim == 3 else states[None],
    )


def noise_clip(
    batch: int,
    num_actions: int,
    frame_size: tuple[int, int],
    *,
    action_size: int = 2,
    state_size: int = 4,
    seed: int = 0,
) -> Clip:
    """Return actions in [-1, 1], and frames and states in [0, 1], all of them noise."""
    rng = torch.Generator().manual_seed(seed)
    return Clip(
        torch.rand(batch, num_actions, action_size, generator=rng) * 2 - 1,
        torch.rand(batch, num_actions + 1, 3, *frame_size, generator=rng),
        torch.rand(batch, num_actions + 1, state_size, generator=rng),
    )


def dot_clip(places: Sequence[tuple[float, float]], frame_size: tuple[int, int]) -> Clip:
    """Return the clip of a soft dot that was at these (row, col), newest last.

    The states are the places, in pixels.
    """
    states = torch.tensor(places, dtype=torch.float32)
    to_pixels = grid(frame_size, frame_size) - states[:, None, None]
    dot = torch.exp(-to_pixels.square().sum(-1) / 8)
    frames = torch.stack([dot, 0.5 * dot, 0.2 * torch.ones_like(dot)], dim=1)
    return clip_of(frames, states=states)


def clip_from(env: Env, action_size: int = 2) -> Clip:
    """Return the clip of one frame that an env shows now."""
    seen = env.observe()
    return clip_of(
        to_float(seen.frame)[None],
        states=torch.from_numpy(seen.state)[None],
        action_size=action_size,
    )
