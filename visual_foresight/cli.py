"""The command line: the one place that wires the rooms together, and the one that prints.

Each command is a function that imports what it needs when it runs (PyTorch alone takes seconds,
and `--help` should not), reads its flags from the frozen dataclass of the thing that it starts,
and reports figures: plain JSON values. Figures go to stdout, as lines for people or with
`--json` as one object; progress, logs and complaints go to stderr.
"""

import dataclasses
import importlib
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any, NoReturn

from visual_foresight.system.allocator import keep_freed_memory
from visual_foresight.system.files import remedy
from visual_foresight.system.redirect import diverted

PROGRAM = "visual-foresight"

Figures = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Command:
    """What a word on the command line starts."""

    summary: str
    """One line for the list of commands."""
    run: Callable[[str, list[str]], None]
    """Called with its own name and the arguments that follow it."""


@dataclasses.dataclass(frozen=True)
class ValidateConfig:
    """Which data to read."""

    folder: Path
    """Folder of episodes."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0 done, 2 bad input, 130 interrupted; 1 and a traceback are a bug
    of ours.

    Args:
        arguments: the words after the program's name; those of the process when None.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help"):
        print(_help(), file=sys.stdout if words else sys.stderr)
        sys.exit(0 if words else 2)
    if words[0] == "--version":
        from visual_foresight import __version__

        print(f"{PROGRAM} {__version__}")
        sys.exit(0)
    name = next((name for name in (" ".join(words[:2]), words[0]) if name in COMMANDS), None)
    if name is None and words[-1] in ("-h", "--help") and (group := _help(f"{words[0]} ")):
        print(group)
        sys.exit(0)
    if name is None:
        _stop(
            f"there is no command {' '.join(words[:2])!r}: choose one of {', '.join(COMMANDS)}",
            2,
        )
    try:
        _run(name, words[len(name.split()) :])
    except KeyboardInterrupt:
        _stop("stopped; what was finished is kept", 130)


def _run(name: str, arguments: list[str]) -> None:
    """Run one command; what its user can mend becomes one sentence."""
    from visual_foresight.types import UserError

    keep_freed_memory()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        COMMANDS[name].run(name, arguments)
        sys.stdout.flush()
    except UserError as error:
        _stop(str(error), 2)
    # the reader of stdout went away, as `| head` does; keep the flush at exit from complaining
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(141)
    except OSError as error:
        if (sentence := remedy(error)) is not None:
            _stop(sentence, 2)
        raise


def _stop(sentence: str, code: int) -> NoReturn:
    print(f"{PROGRAM}: {sentence}", file=sys.stderr)
    sys.exit(code)


def _help(beginning: str = "") -> str:
    """Return the list of the commands that begin so, without importing any.

    Nothing, if none does.
    """
    width = max(map(len, COMMANDS))
    lines = [
        f"  {name:<{width}}  {command.summary}"
        for name, command in COMMANDS.items()
        if name.startswith(beginning)
    ]
    if not lines:
        return ""
    head = f"usage: {PROGRAM} [--help] [--version] COMMAND ...\n\nA robot that sees, imagines and acts."
    return "\n".join(
        [head, "", "commands:", *lines, "", f"The flags of a command: {PROGRAM} COMMAND --help"]
    )


def _read(name: str, config_class: type, arguments: list[str]) -> tuple[Any, bool]:
    """Read a command's flags: its configuration, and whether figures are wanted as JSON.

    Args:
        name: the command, for its help.
        config_class: a frozen dataclass; each field is a flag, its doc the help.
        arguments: the words to read. Wrong ones print what is wrong and exit with code 2.
    """
    import tyro

    flat = Annotated[config_class, tyro.conf.arg(name="")]  # type: ignore[valid-type]
    wants_json = Annotated[
        bool, tyro.conf.arg(help="Print the figures as one JSON object on stdout.")
    ]
    options_class = dataclasses.make_dataclass(
        "Options", [("config", flat), ("json", wants_json, False)], frozen=True
    )
    options: Any = tyro.cli(
        options_class,
        prog=f"{PROGRAM} {name}",
        description=COMMANDS[name].summary,
        args=arguments,
        config=(tyro.conf.FlagCreatePairsOff,),
    )
    return options.config, options.json


def _report(
    work: Callable[[], Figures], as_json: bool, as_text: Callable[[Figures], str] | None = None
) -> None:
    """Do the work with stdout closed to everything else (native libraries print, too), then
    print its figures.

    Args:
        work: what is to be done.
        as_json: print one JSON object.
        as_text: how people read the figures otherwise; lines of names and values when absent.
    """
    with diverted(1, to=2), redirect_stdout(sys.stderr):
        figures = work()
    if as_json:
        print(json.dumps(figures, allow_nan=False, default=os.fspath))
    else:
        print(as_text(figures) if as_text else "\n".join(_lines(figures)))


def _lines(figures: Figures, indent: str = "") -> Iterator[str]:
    """Yield figures as readable lines; what is nested is indented."""
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield f"{indent}{name}"
            yield from _lines(value, indent + "  ")
        else:
            yield f"{indent}{name}: {_text(value)}"


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{', '.join(map(_text, value))}" if isinstance(value, list | tuple) else str(value)


def _reports(
    module: str, config_class: str, work: str, as_text: str | None = None
) -> Callable[[str, list[str]], None]:
    """Return a runner: read the flags of a configuration, do the work, report the figures (a
    mapping or a dataclass).

    All are named, so that the module is imported only when the command runs; `as_text` lays the
    figures out for people.
    """

    def run(name: str, arguments: list[str]) -> None:
        room = importlib.import_module(f"visual_foresight.{module}")
        config, as_json = _read(name, getattr(room, config_class), arguments)

        def figures() -> Figures:
            result = getattr(room, work)(config)
            return dataclasses.asdict(result) if dataclasses.is_dataclass(result) else result  # type: ignore[arg-type]

        _report(figures, as_json, getattr(room, as_text) if as_text else None)

    return run


def _train(name: str, arguments: list[str]) -> None:
    from visual_foresight.predictors.checkpoints import read_config
    from visual_foresight.training.config import TrainConfig
    from visual_foresight.training.loop import train

    def work() -> Figures:
        folder = train(config)
        return {"checkpoint": folder, **read_config(folder)["meta"]}

    config, as_json = _read(name, TrainConfig, arguments)
    _report(work, as_json)


def _validate(name: str, arguments: list[str]) -> None:
    from visual_foresight.episodes.validation import validate

    def work() -> Figures:
        report = validate(config.folder)
        problems.extend(report.problems)
        return {
            "folder": report.folder,
            "sound_episodes": report.num_sound,
            "problems": {
                str(problem.path): f"{problem.what}: {problem.advice}" for problem in problems
            },
        }

    problems: list[Any] = []
    config, as_json = _read(name, ValidateConfig, arguments)
    _report(work, as_json)
    if problems:
        _stop(
            f"{len(problems)} files in {config.folder} cannot be used; what to do about each is said above",
            2,
        )


COMMANDS = {
    "collect": Command(
        "Gather episodes with an exploration policy, or go on with a collection that was stopped.",
        _reports("collect.collection", "CollectConfig", "collect"),
    ),
    "validate": Command(
        "Read a folder of episodes whole, and name every damaged, missing or foreign file.",
        _validate,
    ),
    "train": Command(
        "Train a video predictor on episodes, or go on with a run that was stopped.", _train
    ),
    "evaluate control": Command(
        "Benchmark closed-loop control on seeded suites of tasks, beside floors and ceiling.",
        _reports("evaluation.control.command", "ControlConfig", "evaluate_control", "as_text"),
    ),
    "evaluate prediction": Command(
        "Judge where a model takes designated pixels, and its frames, step by step, on episodes it never saw.",
        _reports(
            "evaluation.prediction.command", "PredictionConfig", "evaluate_model", "as_text"
        ),
    ),
    "evaluate ranking": Command(
        "Judge how well predicted costs rank candidates in states of contact.",
        _reports("evaluation.ranking.command", "RankingConfig", "evaluate_ranking"),
    ),
    "evaluate family": Command(
        "Compare models by every score and by control, and tell which scores go with success.",
        _reports("evaluation.compare", "CompareConfig", "compare_models", "as_text"),
    ),
    "evaluate throughput": Command(
        "Time every learned predictor: imagined frames, gradient steps, memory, beside a VGG-sized yardstick.",
        _reports("evaluation.speed.throughput", "ThroughputConfig", "time_predictors"),
    ),
    "evaluate speed": Command(
        "Time one replan per preset, beside the machine's matrix products.",
        _reports("evaluation.speed.replan", "SpeedConfig", "time_planning"),
    ),
    "plan": Command(
        "Run one trial: push an object to a goal, planned from frames, and write an animation of it.",
        _reports("headless", "PlanConfig", "plan"),
    ),
    "gui": Command(
        "Click a pixel and its goal on a page in the browser, and watch the robot imagine, plan and act.",
        _reports("gui.server.serve", "GuiConfig", "serve"),
    ),
}
