"""The control benchmark: seeded suites, rows of methods, trials over worker processes, resumed
where they stopped.

Each trial is a function of (suite, seed, index, method) and is kept as one JSON file; the
figures are made from these.
"""

import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from visual_foresight.control.config import SIMULATOR, Method, build, parse
from visual_foresight.control.loop import finish, run_trial
from visual_foresight.envs.registry import make, require
from visual_foresight.evaluation.control.outcomes import as_text, figures_of_rows, outcome_of
from visual_foresight.evaluation.records import Record, find_record
from visual_foresight.evaluation.suites import SUITES, Suite, begin, make_task
from visual_foresight.interfaces import Env
from visual_foresight.predictors.registry import FLAGSHIP
from visual_foresight.system.files import write_bytes
from visual_foresight.system.fingerprint import fingerprint
from visual_foresight.system.processes import run_parallel
from visual_foresight.types import UserError

__all__ = [
    "ControlConfig",
    "Job",
    "as_text",
    "ceiling_path",
    "evaluate_control",
    "publish",
    "run_job",
]

logger = logging.getLogger(__name__)
CEILING_FOLDER = Path(__file__).parent / "ceilings"


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
    disagreement: float = 0.0
    """What a step's cost rises by when the members of a model (an ensemble, or samples)
    disagree: so many times their costs' standard deviation; negative seeks it. Floors and the
    ceiling know one future, and nothing of it."""
    seed: int = 0
    """0 is the published suite; use others for tuning."""
    ceiling: Literal["shipped", "compute", "publish"] = "shipped"
    """The row `simulator`: take the shipped trials and leave it out where there are none, or
    compute it now (slow), or compute it and ship it in place of the shipped one."""
    ceiling_trials: int = 50
    """Trials of the ceiling, from the first; no more than `trials`."""
    workers: int = 2
    """Processes."""
    out: Path = Path("runs/control")
    """Folder of the per-trial results; an interrupted benchmark goes on from there."""
    trials_file: Path | None = None
    """Write every trial of every row, and the figures, into this one JSON file, so that tables
    can be recomputed."""
    fresh: bool = False
    """Run every trial again even where its result is there (a change of code is not noticed
    otherwise)."""

    def __post_init__(self) -> None:
        if (
            min(self.trials, self.ceiling_trials, self.workers) < 1
            or not self.methods
            or not self.suites
        ):
            raise UserError(
                "one trial, ceiling trial, worker, method and suite or more is needed: raise what is 0"
            )
        if self.seed < 0:
            raise UserError(f"a seed is 0 or more, got {self.seed}: choose another")
        if not math.isfinite(self.disagreement):
            raise UserError(
                f"--disagreement is a finite number, got {self.disagreement}: choose another"
            )
        if len(set(self.methods)) < len(self.methods) or len(set(self.suites)) < len(
            self.suites
        ):
            raise UserError(
                f"each method and suite can be named once, got {self.methods} and {self.suites}"
            )
        if self.ceiling == "publish" and self.seed != 0:
            raise UserError(
                f"the ceiling of the published suite is shipped, got seed {self.seed}: use seed 0"
            )
        if self.trials_file and self.trials_file.is_dir():
            raise UserError(
                f"{self.trials_file} is a folder, the trials go into a file: name one in it"
            )


@dataclass(frozen=True)
class Job:
    """One trial to be run, or its result to be found and checked."""

    suite: Suite
    method: Method
    seed: int
    index: int
    path: Path
    shipped: Record | None = None
    """The committed result, where there is one."""
    fresh: bool = False


def evaluate_control(
    config: ControlConfig, suites: Mapping[str, Suite] = SUITES
) -> dict[str, Any]:
    """Run the benchmark and return its figures as plain JSON values.

    Returns:
        {"suites": {suite: {row: figures}}, "preset", "seed", "fingerprints": {suite: hash of
        tasks}}; see `figures_of_rows`.

    Raises:
        UserError: an unknown name, a model that does not fit, or a shipped ceiling made for
            other tasks.
    """
    methods = require_known(config, suites)
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
    for name in config.suites:
        rows = {row: records[name, row] for row in config.methods if (name, row) in records}
        result["suites"][name] = figures_of_rows(rows, SIMULATOR)
        tasks = {
            index: record["task"]
            for trials in rows.values()
            for index, record in trials.items()
        }
        result["fingerprints"][name] = fingerprint([tasks[index] for index in sorted(tasks)])
        if config.ceiling == "publish" and SIMULATOR in rows:
            publish(name, config, list(rows[SIMULATOR].values()))
    if config.trials_file:
        kept = [
            (name, row)
            for name in config.suites
            for row in config.methods
            if (name, row) in records
        ]
        trials = [
            {"suite": key[0], **records[key][index]}
            for key in kept
            for index in sorted(records[key])
        ]
        _write_trials(config.trials_file, result, trials)
    return result


def require_known(config: ControlConfig, suites: Mapping[str, Suite]) -> list[Method]:
    """Return the methods of a benchmark.

    Raises:
        UserError: there is no such method or suite, or the simulator of a suite is not installed.
    """
    methods = [parse(row, config.preset, config.disagreement) for row in config.methods]
    if unknown := [name for name in config.suites if name not in suites]:
        raise UserError(f"unknown suite {unknown[0]!r}: choose one of {', '.join(suites)}")
    for name in config.suites:
        require(suites[name].env)
    return methods


def ceiling_path(suite: str, preset: str) -> Path:
    """Return where the shipped ceiling of the published suite is."""
    return CEILING_FOLDER / f"{suite}_{preset}.json"


def publish(suite: str, config: ControlConfig, records: Sequence[Record]) -> None:
    """Ship a ceiling: write its trials into the package."""
    if config.seed != 0:
        raise UserError(
            f"the ceiling of the published suite, seed 0, is shipped, not of seed {config.seed}: use seed 0"
        )
    trials = sorted(records, key=lambda record: record["index"])
    head = {"suite": suite, "preset": config.preset, "seed": config.seed}
    _write_trials(ceiling_path(suite, config.preset), head, trials)


def _write_trials(path: Path, head: Mapping[str, Any], trials: Sequence[Record]) -> None:
    """Write a JSON object with the trials as its last entry, a line each, for those who compare."""
    lines = ",\n".join(json.dumps(trial, allow_nan=False) for trial in trials)
    write_bytes(
        path, f'{json.dumps(head, allow_nan=False)[:-1]}, "trials": [\n{lines}\n]}}\n'.encode()
    )


def _jobs(config: ControlConfig, suite: Suite, method: Method) -> list[Job]:
    """Return the jobs of one row."""
    count = (
        min(config.trials, config.ceiling_trials)
        if method.model == SIMULATOR
        else config.trials
    )
    shipped: dict[int, Record] = {}
    if method.row == SIMULATOR and config.ceiling == "shipped":
        path = ceiling_path(suite.name, config.preset)
        if config.seed == 0 and path.is_file():
            shipped = {
                record["index"]: record for record in json.loads(path.read_text())["trials"]
            }
        count = min(count, len(shipped))
        if not shipped:
            logger.warning(
                "no ceiling is shipped for suite %s, preset %s, seed %d: its row is left out (--ceiling compute, hours)",
                suite.name,
                config.preset,
                config.seed,
            )
    caution = f"-{method.disagreement:g}" if method.disagreement else ""
    row = f"{method.row.replace('/', '_')}-{config.preset}{caution}"
    folder = config.out / f"{suite.name}-{config.seed}" / row
    return [
        Job(
            suite,
            method,
            config.seed,
            index,
            folder / f"{index:04d}.json",
            shipped.get(index),
            config.fresh,
        )
        for index in range(count)
    ]


def run_job(job: Job) -> Record:
    """Return the result of a trial.

    The shipped one, the one found on disk, or that of running it now.
    """
    env, mirror = _envs(job.suite.env, job.suite.held_out)
    task = make_task(env, job.suite, job.seed, job.index)
    identity = {"task": task.fingerprint, "method": job.method.key}
    if job.shipped is not None:
        if any(job.shipped[name] != value for name, value in identity.items()):
            raise UserError(
                f"the shipped ceiling of suite {job.suite.name!r} was made for other tasks or another planner (trial "
                f"{job.index}): recompute it with --ceiling publish --methods simulator, or leave out `simulator`"
            )
        return job.shipped
    found = None if job.fresh else find_record(job.path)
    if found is not None and all(found.get(name) == value for name, value in identity.items()):
        return found
    points = begin(env, task)
    controller = build(job.method, env, mirror, points)
    rng = job.method.generator(job.seed, job.index)
    steps = tuple(run_trial(env, controller, task.goal, points, rng, job.suite.num_steps))
    record = {
        **identity,
        "row": job.method.row,
        "seed": job.seed,
        "index": job.index,
        "env_seed": task.env_seed,
    }
    record |= outcome_of(finish(task.goal, steps))
    write_bytes(job.path, json.dumps(record, allow_nan=False).encode())
    return record


@lru_cache(maxsize=2)
def _envs(name: str, held_out: bool) -> tuple[Env, Env]:
    """Return the env of trials and its mirror; a worker process keeps them from job to job."""
    return make(name, held_out=held_out), make(name, held_out=held_out)
