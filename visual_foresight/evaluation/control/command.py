"""The control benchmark, `evaluate control`: seeded suites of tasks, one row per method.

Each trial is a function of (suite, seed, index, method) and is kept as one JSON file, so that a
benchmark that was stopped goes on; the figures are made from these files.
"""

import json
import logging
import math
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from visual_foresight.control.config import SIMULATOR, ControllerConfig, build, make_predictor
from visual_foresight.control.judge import TrialJudge
from visual_foresight.control.loop import finish, run_trial
from visual_foresight.control.methods import Method, parse
from visual_foresight.control.world import FRAME_SIZE, PUBLISHED, World, world_of
from visual_foresight.envs.registry import require
from visual_foresight.evaluation.control.goal_pairs import PAIR_SUITES
from visual_foresight.evaluation.control.outcomes import as_text, figures_of_rows, outcome_of
from visual_foresight.evaluation.records import Record, find_record
from visual_foresight.evaluation.suites import SUITES
from visual_foresight.evaluation.tasks import AnySuite
from visual_foresight.interfaces import Env, require_judge, require_simulator
from visual_foresight.predictors.registry import FLAGSHIP
from visual_foresight.system.files import require_folder, require_place, write_bytes
from visual_foresight.system.fingerprint import fingerprint
from visual_foresight.system.processes import run_parallel
from visual_foresight.system.seeds import require_seed
from visual_foresight.types import UserError

__all__ = [
    "ControlConfig",
    "Job",
    "as_text",
    "ceiling_path",
    "evaluate_control",
    "methods_of",
    "publish",
    "run_job",
]

logger = logging.getLogger(__name__)
CEILING_FOLDER = Path(__file__).parent / "ceilings"
"""Trials of the simulator as model on the published suites, a file for each suite and preset."""
ALL_SUITES: Mapping[str, AnySuite] = {**SUITES, **PAIR_SUITES}
"""Those of straight pushes, and those of goals that were recorded."""


@dataclass(frozen=True)
class ControlConfig:
    """What to compare, on which tasks, and how."""

    methods: tuple[str, ...] = (FLAGSHIP, "simulator", "random", "scripted", "still")
    """Rows: `random`, `scripted` (proposed pushes, no model), `still`, `simulator` (the
    ceiling), or a model's name or checkpoint; `@propagate`, `@truth` after it chooses how the
    designated pixel is followed (`@track` otherwise)."""
    suites: tuple[str, ...] = ("near", "far", "novel")
    """Suites of tasks."""
    trials: int = 100
    """Trials per suite and row."""
    preset: str = "fast"
    """How to search: `fast` (97 rollouts), `default` (312), `thorough` (600), or `plain` (312,
    without iCEM's parts)."""
    planner: str = ControllerConfig.planner
    """What searches: cem, or that of an installed package."""
    cost: str = ControllerConfig.cost
    """How bad an imagined future is: pixel_distance, image_distance (for goal images), that of an
    installed package, or auto for the goal's own."""
    proposals: str = ControllerConfig.proposals
    """What proposes first candidates: pushes, none, that of an installed package, or auto: pushes
    where the camera is calibrated."""
    disagreement: float = 0.0
    """Penalty for disagreement among a model's members (an ensemble's, or samples): this many
    times the standard deviation of their costs is added to each step's cost; a negative number
    seeks disagreement. Floors and the ceiling have one member and ignore it."""
    seed: int = 0
    """0 is the published suite; use others for tuning."""
    ceiling: Literal["shipped", "compute", "publish"] = "shipped"
    """The row `simulator`: take the shipped trials and leave it out where there are none, or
    compute it now (slow), or compute it and ship it in place of the shipped one."""
    ceiling_trials: int = 50
    """Trials of the ceiling, from the first; no more than `trials`."""
    frame_size: tuple[int, int] = FRAME_SIZE
    """Height and width of the frames of rows without a checkpoint: floors and the ceiling. The
    others have the frames that their checkpoint was trained on."""
    workers: int = 2
    """Processes."""
    out: Path = Path("runs/control")
    """Folder of the per-trial results; an interrupted benchmark goes on from there."""
    trials_file: Path | None = None
    """Write the figures and every trial of every row into this one JSON file, from which the
    tables can be recomputed."""
    fresh: bool = False
    """Run every trial again, even where its result is there: a result made by older code is
    taken otherwise."""

    def __post_init__(self) -> None:
        counts = (
            self.trials,
            self.ceiling_trials,
            self.workers,
            len(self.methods),
            len(self.suites),
        )
        if min(counts) < 1:
            raise UserError(
                "one trial, ceiling trial, worker, method and suite or more is needed: "
                "raise what is 0"
            )
        require_seed(self.seed)
        if not math.isfinite(self.disagreement):
            raise UserError(
                f"--disagreement is a finite number, got {self.disagreement}: choose another"
            )
        for names in (self.methods, self.suites):
            if len(set(names)) < len(names):
                raise UserError(
                    f"each method and suite can be named once, got {names}: name fewer"
                )
        if self.ceiling == "publish":
            _require_published(self)

    @property
    def search(self) -> ControllerConfig:
        """Return what all methods have in common."""
        return ControllerConfig(
            preset=self.preset,
            planner=self.planner,
            cost=self.cost,
            proposals=self.proposals,
            disagreement=self.disagreement,
        )


@dataclass(frozen=True)
class Job:
    """One trial: it is run, or its earlier result is found and checked."""

    suite: AnySuite
    method: Method
    seed: int
    index: int
    path: Path
    """File of the result."""
    world: World = PUBLISHED
    """In which frames the method plans."""
    shipped: Record | None = None
    """The committed result, where there is one; taken in place of running the trial."""
    fresh: bool = False
    """Whether to run the trial even where its file is there."""


def evaluate_control(
    config: ControlConfig, suites: Mapping[str, AnySuite] = ALL_SUITES
) -> dict[str, Any]:
    """Run the benchmark and return its figures as plain JSON values.

    Args:
        config: what to compare.
        suites: the suites that can be named.

    Returns:
        {"suites": {suite: {row: figures}}, "preset", "seed", "fingerprints": {suite: hash of
        tasks}}; see `figures_of_rows`.

    Raises:
        UserError: an unknown name, a model that does not fit, a shipped ceiling made for other
            tasks, or a file of trials that cannot be written.
    """
    methods = methods_of(config, suites)
    require_folder(config.out, "the trials")
    if config.trials_file:
        require_place(config.trials_file, "the file of the trials")
    jobs = [
        job
        for name in config.suites
        for method in methods
        for job in _jobs(config, suites[name], method)
    ]
    records: dict[tuple[str, str], dict[int, Record]] = {}
    for job, record in run_parallel(run_job, jobs, config.workers, "trials"):
        records.setdefault((job.suite.name, job.method.row), {})[job.index] = record
    result: dict[str, Any] = {
        "suites": {},
        "preset": config.preset,
        "seed": config.seed,
        "fingerprints": {},
    }
    all_trials = []
    for name in config.suites:
        rows = {row: records[name, row] for row in config.methods if (name, row) in records}
        result["suites"][name] = figures_of_rows(rows, SIMULATOR)
        result["fingerprints"][name] = _fingerprint_of_tasks(rows)
        if config.ceiling == "publish" and SIMULATOR in rows:
            publish(name, config, list(rows[SIMULATOR].values()))
        for trials in rows.values():
            all_trials += [{"suite": name, **trials[index]} for index in sorted(trials)]
    if config.trials_file:
        _write_trials(config.trials_file, result, all_trials)
    return result


def methods_of(config: ControlConfig, suites: Mapping[str, AnySuite]) -> list[Method]:
    """Return the methods of a benchmark, a row each.

    Raises:
        UserError: there is no such method or suite, the simulator of a suite is not installed, or
            its world has no judge, or no snapshots where a method needs them.
    """
    methods = [parse(row, config.search) for row in config.methods]
    for name in config.suites:
        if name not in suites:
            raise UserError(f"unknown suite {name!r}: choose one of {', '.join(suites)}")
        require(suites[name].env)
        _require_truth(suites[name].env, methods)
    return methods


def _require_truth(env: str, methods: Sequence[Method]) -> None:
    """Refuse an env that cannot be judged, or not go back where the simulator is the model."""
    with closing(PUBLISHED.make(env)) as world:
        require_judge(world, "the tasks of the suites")
        if any(method.model == SIMULATOR for method in methods):
            require_simulator(world, f"the model {SIMULATOR!r}")


def ceiling_path(suite: str, preset: str) -> Path:
    """Return the file of a published suite's shipped ceiling."""
    return CEILING_FOLDER / f"{suite}_{preset}.json"


def publish(suite: str, config: ControlConfig, records: Sequence[Record]) -> None:
    """Ship a ceiling: write its trials into the package."""
    _require_published(config)
    trials = sorted(records, key=lambda record: record["index"])
    head = {"suite": suite, "preset": config.preset, "seed": config.seed}
    _write_trials(ceiling_path(suite, config.preset), head, trials)


def _require_published(config: ControlConfig) -> None:
    """Refuse to ship a ceiling of anything but the published suites."""
    if (others := _chosen(config.search)) != "":
        raise UserError(
            "only the ceiling of the published search is shipped, got one with "
            f"{others.removeprefix('-')}: leave out --planner, --cost and --proposals"
        )
    if config.seed != 0 or config.frame_size != FRAME_SIZE:
        raise UserError(
            "only the ceiling of the published suite is shipped, got "
            f"seed {config.seed} and frames of {World(config.frame_size).size_text}: "
            f"use seed 0 and {PUBLISHED.size_text}"
        )


def _fingerprint_of_tasks(rows: Mapping[str, Mapping[int, Record]]) -> str:
    """Return a hash of the tasks; the same one in frames of two sizes has two."""
    tasks: dict[int, set[str]] = {}
    for trials in rows.values():
        for index, record in trials.items():
            tasks.setdefault(index, set()).add(record["task"])
    one_or_more = [sorted(tasks[index]) for index in sorted(tasks)]
    return fingerprint([each[0] if len(each) == 1 else each for each in one_or_more])


def _write_trials(path: Path, head: Mapping[str, Any], trials: Sequence[Record]) -> None:
    """Write a JSON object whose last entry is the trials, a line each, so that a diff is short."""
    lines = ",\n".join(json.dumps(trial, allow_nan=False) for trial in trials)
    opening = json.dumps(head, allow_nan=False).removesuffix("}")
    write_bytes(path, f'{opening}, "trials": [\n{lines}\n]}}\n'.encode())


def _jobs(config: ControlConfig, suite: AnySuite, method: Method) -> list[Job]:
    """Return the jobs of one row; none for a ceiling that is not shipped and not computed."""
    count = config.trials
    if method.model == SIMULATOR:
        count = min(count, config.ceiling_trials)
    shipped: dict[int, Record] = {}
    if method.row == SIMULATOR and config.ceiling == "shipped":
        shipped = _shipped_ceiling(config, suite)
        count = min(count, len(shipped))
    world = world_of(method.model, World(config.frame_size))
    size = "" if world == PUBLISHED else f"-{world.text}"
    caution = f"-{method.config.disagreement:g}" if method.config.disagreement else ""
    chosen = f"{_chosen(method.config)}{caution}{size}"
    row = f"{method.row.replace('/', '_')}-{config.preset}{chosen}"
    folder = config.out / f"{suite.name}-{config.seed}" / row
    return [
        Job(
            suite=suite,
            method=method,
            seed=config.seed,
            index=index,
            path=folder / f"{index:04d}.json",
            world=world,
            shipped=shipped.get(index),
            fresh=config.fresh,
        )
        for index in range(count)
    ]


def _chosen(config: ControllerConfig) -> str:
    """Return which parts of a search were chosen, for the name of a folder: "-arrival", say."""
    usual = ControllerConfig()
    parts = (
        (config.planner, usual.planner),
        (config.cost, usual.cost),
        (config.proposals, usual.proposals),
    )
    return "".join(f"-{name}" for name, plain in parts if name != plain)


def _shipped_ceiling(config: ControlConfig, suite: AnySuite) -> dict[int, Record]:
    """Return the shipped trials of the ceiling by their index; where there are none, say so."""
    path = ceiling_path(suite.name, config.preset)
    size_text = World(config.frame_size).size_text
    others = _chosen(config.search)
    is_published = config.seed == 0 and config.frame_size == FRAME_SIZE and not others
    if is_published and path.is_file():
        trials = json.loads(path.read_text())["trials"]
        if trials:
            return {record["index"]: record for record in trials}
    logger.warning(
        "no ceiling is shipped for suite %s, preset %s, seed %d%s%s: its row is left out "
        "(--ceiling compute, hours)",
        suite.name,
        config.preset,
        config.seed,
        "" if config.frame_size == FRAME_SIZE else f", frames of {size_text}",
        f", {others.removeprefix('-')}" if others else "",
    )
    return {}


def run_job(job: Job) -> Record:
    """Return the result of a trial: the shipped one, the one on disk, or that of running it."""
    env, mirror = _envs(job.suite.env, job.suite.held_out, job.world)
    task = job.suite.task(env, job.seed, job.index)
    identity = {"task": task.fingerprint, "method": job.method.key}
    if job.shipped is not None:
        if not _is_of(job.shipped, identity):
            raise UserError(
                f"the shipped ceiling of suite {job.suite.name!r} was made for other tasks or "
                f"another planner (trial {job.index}): recompute it with --ceiling publish "
                "--methods simulator, or leave out `simulator`"
            )
        return job.shipped
    found = None if job.fresh else find_record(job.path)
    if found is not None and _is_of(found, identity):
        return found
    points = task.begin(env)
    config = job.method.config
    predictor = make_predictor(config, env, mirror, points)
    controller = build(config, env, points, predictor)
    rng = job.method.generator(job.seed, job.index)
    judge = TrialJudge.of(env, task.goal, points)
    steps = tuple(run_trial(env, controller, task.goal, judge, rng, job.suite.num_steps))
    trial = finish(task.goal, steps)
    record = {
        **identity,
        "row": job.method.row,
        "seed": job.seed,
        "index": job.index,
        "env_seed": task.env_seed,
        **outcome_of(trial),
        **task.notes(trial),
    }
    write_bytes(job.path, json.dumps(record, allow_nan=False).encode())
    return record


def _is_of(record: Record, identity: Mapping[str, str]) -> bool:
    """Tell whether a result is of this task and this method."""
    return all(record.get(name) == value for name, value in identity.items())


_Kind = tuple[str, bool, World]
_kept: dict[_Kind, tuple[Env, Env]] = {}
"""The envs of this process, those that were used last at the end."""
MOST_KEPT = 2


def _envs(name: str, held_out: bool, world: World) -> tuple[Env, Env]:
    """Return the env of trials and its mirror; a worker process keeps them from job to job."""
    kind = (name, held_out, world)
    pair = _kept.pop(kind, None)
    if pair is None:
        while len(_kept) >= MOST_KEPT:
            for env in _kept.pop(next(iter(_kept))):
                env.close()
        pair = world.make(name, held_out), world.make(name, held_out)
    _kept[kind] = pair
    return pair
