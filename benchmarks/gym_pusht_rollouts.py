"""The other half of `pusht_against_gym`: what gym-pusht makes of given scenes and targets.

It runs in a venv apart, whose Python has gym-pusht and not this package. It reads JSON from its
input, a list of {"agent": [x, y], "block": [x, y, angle], "targets": [[x, y], ...]}, and writes the
block's [x, y, angle] after each control step: a list of lists of them.
"""

import json
import os
import sys
from typing import Any

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

from gym_pusht.envs.pusht import PushTEnv


def poses_of(scene: dict[str, Any]) -> list[list[float]]:
    """Return the block's pose after each control step."""
    env = PushTEnv(obs_type="state")
    env.reset(seed=0)
    env._setup()
    env.agent.position = scene["agent"]
    # The angle first: it turns the block about its centre of gravity, and so moves its origin.
    env.block.angle = scene["block"][2]
    env.block.position = scene["block"][:2]
    env.space.reindex_shapes_for_body(env.block)
    env.space.reindex_shapes_for_body(env.agent)
    poses = []
    for target in scene["targets"]:
        env.step(target)
        poses.append([*env.block.position, env.block.angle])
    return poses


if __name__ == "__main__":
    json.dump([poses_of(scene) for scene in json.load(sys.stdin)], sys.stdout)
