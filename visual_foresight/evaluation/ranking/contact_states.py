"""A bank of contact states: the robot is near an object, and candidates with known outcomes.

It is made once per seed with the simulator, which moves at random until it is near an object, and
is kept on disk. For evaluation only: where candidates bring the designated point is the truth.
"""

import zlib
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, fields
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from visual_foresight.control.loop import clip_of
from visual_foresight.control.world import PUBLISHED, World
from visual_foresight.evaluation.kept import kept
from visual_foresight.evaluation.visible_pixels import middle, visible_pixels
from visual_foresight.interfaces import SimulatedEnv, require_simulator
from visual_foresight.planning.planners.colored_noise import colored_noise
from visual_foresight.system.files import replacing
from visual_foresight.system.fingerprint import fingerprint
from visual_foresight.system.processes import run_parallel
from visual_foresight.types import Clip, Observation, Pixel, UserError, to_uint8

NEAR_M = 0.08
"""The finger is near an object when it is this near to its centre."""
MOVES_M = 0.02
"""A candidate moves the designated point when the point ends farther than this from its start."""
MIN_MOVERS = 1 / 8
"""Share of the candidates that must move the designated point for a state to count."""
GOAL_M = 0.10
"""Distance of the goal from the designated point."""
NOISE_EXPONENT = 2.0
"""Of the coloured noise from which actions are drawn."""
WANDER_STEPS = 16
"""Random actions in a scene before the next scene is drawn."""
MAX_SCENES = 400
"""Scenes that are drawn for one state before the search is given up."""
MAX_DIRECTIONS = 40
"""Goals that are drawn for a state before the next scene is drawn."""
PROTOCOL = 1
"""Version of how states and candidates are drawn; raise it with every change, so that an older
bank is not taken for a newer one."""
USER = "a bank of contact states"
"""What needs a simulator, for sentences."""


@dataclass(frozen=True)
class BankJob:
    """One contact state to be found. All fields are part of the fingerprint of a bank."""

    seed: int
    index: int
    candidates: int
    horizon: int
    env: str = "push"
    world: World = PUBLISHED
    """In which frames."""

    @property
    def identity(self) -> dict[str, Any]:
        """Return what identifies the state, as JSON values."""
        values = asdict(self)
        if self.world == PUBLISHED:  # there are banks from before there was a choice
            del values["world"]
        return values


@dataclass(frozen=True)
class ContactState:
    """What is seen near an object, candidates, and where each really brings the point."""

    frames: UInt8[np.ndarray, "t_plus_1 h w 3"]
    states: Float32[np.ndarray, "t_plus_1 s"]
    actions: Float32[np.ndarray, "t a"]
    source: Float32[np.ndarray, "2"]
    """(row, col) of the designated pixel in the newest frame."""
    target: Float32[np.ndarray, "2"]
    """(row, col) of the goal pixel."""
    candidates: Float32[np.ndarray, "n horizon a"]
    places: Float32[np.ndarray, "n horizon 2"]
    """True (row, col) of the designated point after each action."""


def load_bank(
    jobs: Sequence[BankJob], folder: Path, num_workers: int
) -> tuple[ContactState, ...]:
    """Return the contact states of these jobs; make their file where it is missing.

    Args:
        jobs: one or more, of equal numbers of candidates and horizons.
        folder: where the file is kept.
        num_workers: processes that make it.

    Raises:
        UserError: the file is damaged or cannot be read, contact states cannot be found, or the
            world has no snapshots or no judge.
    """
    path = folder / f"bank_{fingerprint([PROTOCOL, *(job.identity for job in jobs)])}.npz"
    if path.is_file():
        return _read_bank(path, len(jobs))
    for name, world in {(job.env, job.world) for job in jobs}:  # refused before a bar is shown
        with closing(world.make(name)) as env:
            require_simulator(env, USER)
    found = {}
    for job, contact in run_parallel(find_contact_state, jobs, num_workers, "contact states"):
        found[job.index] = contact
    bank = tuple(found[job.index] for job in jobs)
    columns = {
        field.name: np.stack([getattr(contact, field.name) for contact in bank])
        for field in fields(ContactState)
    }
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **columns)
    return bank


def _read_bank(path: Path, num_states: int) -> tuple[ContactState, ...]:
    try:
        content = path.read_bytes()
    except OSError as error:  # not the file's fault: it may be sound
        raise UserError(
            f"{path} cannot be read ({error.strerror}): mend that, or choose another --out"
        ) from error
    try:
        with np.load(BytesIO(content)) as stored:
            columns = {field.name: stored[field.name] for field in fields(ContactState)}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
        raise UserError(
            f"{path} is damaged ({error}): delete it, and it is made anew"
        ) from error
    return tuple(
        ContactState(**{name: column[index] for name, column in columns.items()})
        for index in range(num_states)
    )


def find_contact_state(job: BankJob) -> ContactState:
    """Move at random until the finger is near an object that some of the candidates move.

    Raises:
        UserError: no scene leads to such a state.
    """
    env, mirror = envs_of(job.env, job.world)
    rng = np.random.default_rng([job.seed, job.index])
    torch_rng = torch.Generator().manual_seed(int(rng.integers(2**62)))
    for _ in range(MAX_SCENES):
        env.reset(seed=int(rng.integers(2**31)))
        contact = _wander(env, mirror, job, rng, torch_rng)
        if contact is not None:
            return contact
    raise UserError(
        f"none of {MAX_SCENES} scenes of {job.env!r} led to contact: "
        "choose more candidates or a longer horizon"
    )


def _wander(
    env: SimulatedEnv,
    mirror: SimulatedEnv,
    job: BankJob,
    rng: np.random.Generator,
    torch_rng: torch.Generator,
) -> ContactState | None:
    """Move at random in a scene; return the first state near an object, if it counts."""
    action_size = env.info.action_size
    seen = [env.observe()]
    done: list[Float32[np.ndarray, " a"]] = []
    noise = colored_noise((1, WANDER_STEPS, action_size), NOISE_EXPONENT, torch_rng)
    actions = env.info.limits.clip(torch.from_numpy(seen[0].state), noise)[0].numpy()
    for action in actions:
        centers = env.truth()[:, :2]
        away_m = np.linalg.norm(centers - seen[-1].state[:2], axis=1)
        if done and away_m.min() < NEAR_M:
            pixels = visible_pixels(env, centers)[int(away_m.argmin())]
            if not pixels:
                return None
            clip = clip_of(seen, done, action_size)
            return _try_candidates(env, mirror, job, clip, middle(pixels), rng, torch_rng)
        result = env.step(action)[0]
        seen.append(Observation.of(result))
        done.append(action)
    return None


def _try_candidates(
    env: SimulatedEnv,
    mirror: SimulatedEnv,
    job: BankJob,
    clip: Clip,
    source: Pixel,
    rng: np.random.Generator,
    torch_rng: torch.Generator,
) -> ContactState | None:
    """Draw a goal and candidates for a designated pixel, and carry out the candidates.

    Return None when no goal is found, or too few candidates move the point.
    """
    target = _draw_goal(env, env.where(env.pick(source))[1], rng)
    candidates = _draw_candidates(env, job, clip.states[0, -1], torch_rng)
    places = _carry_out(env, mirror, source, candidates)
    if target is None or places is None:
        return None
    return ContactState(
        frames=to_uint8(clip.frames[0]),
        states=clip.states[0].numpy(),
        actions=clip.actions[0].numpy(),
        source=np.array([source.row, source.col], np.float32),
        target=np.array([target.row, target.col], np.float32),
        candidates=candidates,
        places=places,
    )


def _draw_goal(
    env: SimulatedEnv, point: Float[np.ndarray, "3"], rng: np.random.Generator
) -> Pixel | None:
    """Return where a place `GOAL_M` from a point is seen.

    It is in the workspace and in the frame; None when no such place is found soon.
    """
    workspace = env.info.require_workspace(USER)
    low = np.array(workspace.low[:2])
    high = np.array(workspace.high[:2])
    for angle in rng.uniform(-np.pi, np.pi, MAX_DIRECTIONS):
        place = point + GOAL_M * np.array([np.cos(angle), np.sin(angle), 0.0])
        target = env.project(place)
        if ((low <= place[:2]) & (place[:2] <= high)).all() and target.inside(
            *env.info.frame_size
        ):
            return target
    return None


def _draw_candidates(
    env: SimulatedEnv, job: BankJob, state: Float[Tensor, " s"], torch_rng: torch.Generator
) -> Float32[np.ndarray, "n horizon a"]:
    """Draw candidates as a planner's first population: smooth noise, clipped to the workspace."""
    shape = (job.candidates, job.horizon, env.info.action_size)
    noise = colored_noise(shape, NOISE_EXPONENT, torch_rng)
    return env.info.limits.clip(state, noise.clamp(-1, 1)).numpy()


def _carry_out(
    env: SimulatedEnv,
    mirror: SimulatedEnv,
    source: Pixel,
    candidates: Float32[np.ndarray, "n horizon a"],
) -> Float32[np.ndarray, "n horizon 2"] | None:
    """Carry out each candidate in the mirror and return the point's (row, col) on the way.

    Return None, as early as it is certain, when too few candidates move the point.
    """
    point = env.pick(source)
    snapshot = env.save()
    start = env.where(point)[1]
    places = np.zeros((*candidates.shape[:2], 2), np.float32)
    num_movers = 0
    needed = MIN_MOVERS * len(candidates)
    for number, actions in enumerate(candidates):
        # The first restore is exact, so that earlier jobs leave no trace.
        mirror.restore(snapshot, exact=number == 0)
        for t, action in enumerate(actions):
            mirror.move(action)
            pixel, world = mirror.where(point)
            places[number, t] = (pixel.row, pixel.col)
        num_movers += bool(np.linalg.norm(world - start) > MOVES_M)
        num_left = len(candidates) - number - 1
        hopeless = not num_movers and 4 * number > len(candidates)
        if hopeless or num_movers + num_left < needed:
            return None
    return places


@kept(1)
def envs_of(name: str, world: World = PUBLISHED) -> tuple[SimulatedEnv, SimulatedEnv]:
    """Return the env to move in, left in the contact state found last, and its mirror.

    A process keeps them.
    """
    return (
        require_simulator(world.make(name), USER),
        require_simulator(world.make(name), USER),
    )
