"""How fast each learned predictor imagines and learns: `evaluate throughput`.

Weights are untrained, frames show the pushing table with three objects. A checkpoint is timed in
the frames that it was trained on. Each predictor runs in a
process of its own, so that the peak of memory is its own, too. The yardstick beside them is an
encoder and decoder of SVG's size, which decodes every frame that it imagines.
"""

import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from tqdm import tqdm

from visual_foresight.control.world import FRAME_SIZE, PUBLISHED, require_one_view, world_of
from visual_foresight.envs.registry import require
from visual_foresight.evaluation.speed.yardstick import VggYardstick, gemm_gflops, median_s
from visual_foresight.interfaces import FramesOnly, Learner, SimulatedEnv, require_simulator
from visual_foresight.predictors.checkpoints import load
from visual_foresight.predictors.registry import FLAGSHIP, create, learned
from visual_foresight.predictors.rollouts import beginning, training_rollout
from visual_foresight.system.allocator import keep_freed_memory
from visual_foresight.system.files import expanded
from visual_foresight.system.processes import spawning_pool
from visual_foresight.types import Clip, Pixel, UserError, to_float
from visual_foresight.vision.pixel_maps import places_of

ENV = "push"
NUM_OBJECTS = 3
DESIGNATED = Pixel(30.3, 30.2)
TRAIN_BATCH = 16
TRAIN_HORIZON = 12
NUM_TIMED_STEPS = 6
"""Gradient steps that are timed together: a cycle of `flow`, which learns from frames at one in
six steps."""
YARDSTICK_BATCH = 8


@dataclass(frozen=True)
class ThroughputConfig:
    """What to time."""

    predictors: tuple[str, ...] = ()
    """Names of learned predictors, or folders of checkpoints; all names when not given."""
    batch: int = 200
    """Candidates that are imagined at once."""
    horizon: int = 12
    """Steps of each."""
    repeats: int = 3
    """Runs of each; the median counts."""
    flagship: str = FLAGSHIP
    """The predictor that is set against the yardstick."""

    def __post_init__(self) -> None:
        if min(self.batch, self.horizon, self.repeats) < 1:
            raise UserError("one candidate, step and repeat or more is needed: raise what is 0")
        for name in self.predictors:
            if name not in learned() and not expanded(Path(name)).is_dir():
                raise UserError(
                    f"there is no learned predictor {name!r}: "
                    f"choose from {', '.join(learned())}, or give a checkpoint's folder"
                )


def time_predictors(config: ThroughputConfig) -> dict[str, Any]:
    """Time predictors, one after another, on PyTorch's threads.

    Names stand for untrained predictors for frames of 64 x 64; a checkpoint has frames of its own.

    Returns:
        {"predictors": {name: figures}, "yardstick": {"frames_per_second", "gflop_per_frame"},
        "gemm_gflops", "threads", "batch", "horizon", "flagship_over_yardstick"}. The figures of a
        predictor, medians over the repeats:

        frames_per_second: when planning, that is, with a designated pixel's map and without
            decoding frames; frames_per_second_decoded: with frames decoded.
        gradient_steps_per_second: on 16 clips of 12 steps.
        peak_mb: largest memory of the process up to and with "plan", "decode" and "train".
        parameters: their number.
        gflop_per_frame: operations when planning, in 1e9; matrix products and convolutions
            count, with 2 operations per multiply-add.
        share_of_gemm: operations per second when planning, as a share of the fastest float32
            matrix product of the run.

    Raises:
        UserError: the simulator whose frames are shown is not installed.
    """
    require(ENV)  # before anything is timed
    names = config.predictors or learned()
    for name in names:
        if name not in learned():  # refuses what cannot be loaded, before anything is timed
            load(name)
            require_one_view(world_of(name), "timing a model")
    threads = torch.get_num_threads()
    gflops = gemm_gflops()
    yardstick = _time_yardstick(config.repeats)
    figures = {}
    for name in tqdm(names, "predictors", dynamic_ncols=True):
        with spawning_pool(1) as pool:
            figures[name] = pool.submit(time_predictor, name, config, threads).result()
        # Measured again between predictors: the machine may be busy for a while.
        gflops = max(gflops, gemm_gflops())
    for each in figures.values():
        each["share_of_gemm"] = each["frames_per_second"] * each["gflop_per_frame"] / gflops
    result = {
        "predictors": figures,
        "yardstick": yardstick,
        "gemm_gflops": gflops,
        "threads": threads,
        "batch": config.batch,
        "horizon": config.horizon,
    }
    if config.flagship in figures:
        speed = figures[config.flagship]["frames_per_second"]
        result["flagship_over_yardstick"] = speed / yardstick["frames_per_second"]
    return result


def time_predictor(name: str, config: ThroughputConfig, threads: int) -> dict[str, Any]:
    """Time one predictor, in this process; "share_of_gemm" is the caller's to add."""
    torch.set_num_threads(threads)
    keep_freed_memory()
    rng = torch.Generator().manual_seed(0)
    world = PUBLISHED if name in learned() else world_of(name)
    env = require_simulator(world.make(ENV), "timing a model")
    action_size = env.info.action_size
    network = _network(name, env)
    predictor = cast(Learner, network)
    clip = _random_clips(env, predictor.context - 1 + TRAIN_HORIZON, rng)
    predictor.calibrate(clip)
    network.eval()
    first = Clip(clip.actions[:1], clip.frames[:1], clip.states[:1])
    context = beginning(first, predictor.context)
    actions = torch.rand(config.batch, config.horizon, action_size, generator=rng) * 2 - 1
    places = places_of(() if isinstance(predictor, FramesOnly) else (DESIGNATED,))
    figures: dict[str, Any] = {
        "parameters": sum(each.numel() for each in network.parameters()),
        "peak_mb": {},
    }
    with torch.no_grad():  # in inference mode, operations are not counted
        carry = predictor.designate(predictor.observe(context), places[None])
        with FlopCounterMode(display=False) as counter:
            predictor.imagine(carry, actions[:, :1])  # one step warms up, too
    figures["gflop_per_frame"] = counter.get_total_flops() / config.batch / 1e9
    num_frames = config.batch * config.horizon
    with torch.inference_mode():
        for key, decode, stage in (("", False, "plan"), ("_decoded", True, "decode")):
            work = partial(predictor.imagine, carry, actions, decode=decode)
            seconds = median_s(work, config.repeats)
            figures[f"frames_per_second{key}"] = num_frames / seconds
            figures["peak_mb"][stage] = _peak_mb()
    step = _training_step(network, clip, rng, places)
    step()  # warms up
    seconds = median_s(lambda: [step() for _ in range(NUM_TIMED_STEPS)], config.repeats)
    figures["gradient_steps_per_second"] = NUM_TIMED_STEPS / seconds
    figures["peak_mb"]["train"] = _peak_mb()
    return figures


def _network(name: str, env: SimulatedEnv) -> nn.Module:
    """Return an untrained predictor for such frames, or that of a checkpoint."""
    info = env.info
    if name not in learned():
        trained = load(name, "cpu", info.frame_size, info.action_size, info.state_size)
        return cast(nn.Module, trained).requires_grad_(True)
    known = {
        "frame_size": info.frame_size,
        "action_size": info.action_size,
        "state_size": info.state_size,
        "homography": info.view.homography,
    }
    return create(name, known)


def _training_step(
    network: nn.Module, clip: Clip, rng: torch.Generator, places: Float[Tensor, "p 2"]
) -> Callable[[], None]:
    """Return a function that takes one gradient step on clips.

    The loss is the absolute error of frames, the squares of the maps, where there are any, and
    what the predictor adds.
    """
    predictor = cast(Learner, network)
    network.train()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-4)
    context = predictor.context
    places_of_each = places.expand(TRAIN_BATCH, -1, -1)

    def step() -> None:
        imagined, extra = training_rollout(predictor, clip, places_of_each, rng, 1.0)
        loss = imagined.pixel_maps.square().sum() + extra
        if imagined.frames.shape[1]:
            loss = loss + (imagined.frames - clip.frames[:, context:]).abs().mean()
        optimiser.zero_grad()
        if loss.requires_grad:  # some batches have nothing to teach
            loss.backward()
        optimiser.step()

    return step


def _random_clips(env: SimulatedEnv, num_actions: int, rng: torch.Generator) -> Clip:
    """Return `TRAIN_BATCH` clips of random actions, and close the env."""
    action_size = env.info.action_size
    actions = torch.rand(TRAIN_BATCH, num_actions, action_size, generator=rng) * 2 - 1
    seen = []
    for number, sequence in enumerate(actions):
        env.reset(seed=number, options={"num_objects": NUM_OBJECTS})
        seen.append(env.observe())
        for action in sequence.numpy():
            env.move(action)
            seen.append(env.observe())
    env.close()
    frames = to_float(np.stack([each.frame for each in seen]))
    states = torch.from_numpy(np.stack([each.state for each in seen]))
    shape = (TRAIN_BATCH, num_actions + 1)
    return Clip(actions, frames.unflatten(0, shape), states.unflatten(0, shape))


@torch.no_grad()
def _time_yardstick(repeats: int) -> dict[str, float]:
    network = VggYardstick().eval()
    frames = torch.rand(YARDSTICK_BATCH, 3, *FRAME_SIZE)
    with FlopCounterMode(display=False) as counter:
        network(frames)
    return {
        "frames_per_second": YARDSTICK_BATCH / median_s(lambda: network(frames), repeats),
        "gflop_per_frame": counter.get_total_flops() / YARDSTICK_BATCH / 1e9,
    }


def _peak_mb() -> float:
    """Return the largest memory that this process ever held, in 1e6 bytes."""
    # getrusage counts kibibytes on Linux, bytes on macOS
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
