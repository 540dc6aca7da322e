"""A bank of contact states: what is seen near an object, candidates, and where each really
brings the designated pixel.

Made once per seed with the simulator, by random wandering, and kept on disk. For judges only.
"""

import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8

from visual_foresight.control.loop import clip_of
from visual_foresight.envs.registry import make
from visual_foresight.evaluation.suites import middle, visible_pixels
from visual_foresight.interfaces import Env
from visual_foresight.planning.planners.colored_noise import colored_noise
from visual_foresight.system.files import replacing
from visual_foresight.system.fingerprint import fingerprint
from visual_foresight.system.processes import run_parallel
from visual_foresight.types import Clip, Observation, Pixel, UserError, to_uint8

NEAR_M = 0.08
"""The finger is near an object when it is this near to its centre."""
MOVES_M = 0.02
MIN_MOVERS = 1 / 8
"""A state counts when this share of the candidates moves the designated point by `MOVES_M`."""
GOAL_M = 0.10
NOISE_EXPONENT = 2.0
WANDER_STEPS = 16
MAX_SCENES = 400
MAX_DIRECTIONS = 40
BANK_VERSION = 1
"""Changes when states or candidates are drawn in another way, so that an older bank is not
taken for a newer one."""


@dataclass(frozen=True)
class BankJob:
    """One contact state to be found."""

    seed: int
    index: int
    candidates: int
    horizon: int
    env: str = "push"


@dataclass(frozen=True)
class ContactState:
    """A contact state, and what really comes of each candidate."""

    frames: UInt8[np.ndarray, "t_plus_1 h w 3"]
    states: Float32[np.ndarray, "t_plus_1 s"]
    actions: Float32[np.ndarray, "t a"]
    source: Float32[np.ndarray, "2"]
    """(row, col) of the designated pixel in the newest frame."""
    target: Float32[np.ndarray, "2"]
    candidates: Float32[np.ndarray, "n horizon a"]
    places: Float32[np.ndarray, "n horizon 2"]
    """True (row, col) of the designated point after each action."""


def load_bank(
    jobs: Sequence[BankJob], folder: Path, num_workers: int
) -> tuple[ContactState, ...]:
    """Return the contact states of these jobs, kept in a file of this folder; made on worker
    processes if it is not there.

    Raises:
        UserError: the file is damaged, or contact states cannot be found.
    """
    path = folder / f"bank_{fingerprint([BANK_VERSION, *(asdict(job) for job in jobs)])}.npz"
    if path.is_file():
        try:
            with np.load(path) as stored:
                arrays = {field.name: stored[field.name] for field in fields(ContactState)}
        except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
            raise UserError(
                f"{path} is damaged ({error}): delete it, and it is made anew"
            ) from error
        return tuple(
            ContactState(**{name: array[index] for name, array in arrays.items()})
            for index in range(len(jobs))
        )
    found = {
        job.index: contact
        for job, contact in run_parallel(
            find_contact_state, jobs, num_workers, "contact states"
        )
    }
    bank = tuple(found[job.index] for job in jobs)
    columns = {
        field.name: np.stack([getattr(contact, field.name) for contact in bank])
        for field in fields(ContactState)
    }
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **columns)
    return bank


def find_contact_state(job: BankJob) -> ContactState:
    """Wander about until the finger is near an object that some of the candidates move."""
    env, mirror = envs_of(job.env)
    rng = np.random.default_rng([job.seed, job.index])
    chance = torch.Generator().manual_seed(int(rng.integers(2**62)))
    for _ in range(MAX_SCENES):
        env.reset(seed=int(rng.integers(2**31)))
        contact = _wander(env, mirror, job, rng, chance)
        if contact is not None:
            return contact
    raise UserError(
        f"none of {MAX_SCENES} scenes of {job.env!r} led to contact: choose more candidates or a longer horizon"
    )


def _wander(
    env: Env, mirror: Env, job: BankJob, rng: np.random.Generator, chance: torch.Generator
) -> ContactState | None:
    """Go about in a scene until the finger is near an object.

    Return that contact state, if candidates move the object.
    """
    size = len(env.workspace.step)
    seen, done = [env.observe()], list[Float32[np.ndarray, " a"]]()
    wanted = colored_noise((1, WANDER_STEPS, size), NOISE_EXPONENT, chance)
    for action in env.workspace.clip(torch.from_numpy(seen[0].state), wanted)[0].numpy():
        centers = env.truth()[:, :2]
        away_m = np.linalg.norm(centers - seen[-1].state[:2], axis=1)
        if done and away_m.min() < NEAR_M:
            pixels = visible_pixels(env, centers)[int(away_m.argmin())]
            if not pixels:
                return None
            source = middle(pixels)
            target = _goal(env, env.where(env.pick(source))[1], rng)
            tried = _try(env, mirror, source, _draw(env, seen[-1], job, chance))
            return (
                None
                if target is None or tried is None
                else _contact_state(clip_of(seen, done, size), source, target, tried)
            )
        result = env.step(action)[0]
        seen.append(Observation(result["frame"], result["state"]))
        done.append(action)
    return None


def _goal(env: Env, world: Float[np.ndarray, "3"], rng: np.random.Generator) -> Pixel | None:
    """Return where a place `GOAL_M` away is seen, in the workspace and in the frame, if a direction is soon found."""
    low, high = (np.array(limit[:2]) for limit in (env.workspace.low, env.workspace.high))
    for angle in rng.uniform(-np.pi, np.pi, MAX_DIRECTIONS):
        place = world + GOAL_M * np.array([np.cos(angle), np.sin(angle), 0.0])
        target = env.project(place)
        if ((low <= place[:2]) & (place[:2] <= high)).all() and target.inside(*env.frame_size):
            return target
    return None


def _draw(
    env: Env, newest: Observation, job: BankJob, chance: torch.Generator
) -> Float32[np.ndarray, "n horizon a"]:
    """Draw candidates as a planner's first population: smooth noise, clipped to the workspace."""
    shape = (job.candidates, job.horizon, len(env.workspace.step))
    noise = colored_noise(shape, NOISE_EXPONENT, chance)
    return env.workspace.clip(torch.from_numpy(newest.state), noise.clamp(-1, 1)).numpy()


def _try(
    env: Env, mirror: Env, source: Pixel, candidates: Float32[np.ndarray, "n horizon a"]
) -> tuple[Float32[np.ndarray, "n horizon a"], Float32[np.ndarray, "n horizon 2"]] | None:
    """Carry out each candidate in the mirror.

    Return them and the point's (row, col); None when too few move it.
    """
    point, snapshot = env.pick(source), env.save()
    start = env.where(point)[1]
    places = np.zeros((*candidates.shape[:2], 2), np.float32)
    movers, needed = 0, MIN_MOVERS * len(candidates)
    for number, actions in enumerate(candidates):
        # exact at first, so that earlier jobs leave no trace
        mirror.restore(snapshot, exact=number == 0)
        for t, action in enumerate(actions):
            mirror.move(action)
            pixel, world = mirror.where(point)
            places[number, t] = (pixel.row, pixel.col)
        movers += bool(np.linalg.norm(world - start) > MOVES_M)
        if movers + (len(candidates) - number - 1) < needed or (
            4 * number > len(candidates) and not movers
        ):
            return None
    return candidates, places


def _contact_state(
    clip: Clip,
    source: Pixel,
    target: Pixel,
    tried: tuple[Float32[np.ndarray, "n horizon a"], Float32[np.ndarray, "n horizon 2"]],
) -> ContactState:
    return ContactState(
        frames=to_uint8(clip.frames[0]),
        states=clip.states[0].numpy(),
        actions=clip.actions[0].numpy(),
        source=np.array([source.row, source.col], np.float32),
        target=np.array([target.row, target.col], np.float32),
        candidates=tried[0],
        places=tried[1],
    )


@lru_cache(maxsize=1)
def envs_of(name: str) -> tuple[Env, Env]:
    """Return the env to wander in, left in the contact state found last, and its mirror.

    A process keeps them.
    """
    return make(name), make(name)
