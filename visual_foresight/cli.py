"""The command line: it finds a command in one table, reads its flags, and prints its figures.

Only this module prints. A command is imported when it runs, because PyTorch alone takes seconds
and `--help` should not. Its flags are the fields of its configuration, a frozen dataclass; its
figures are plain JSON values. Figures go to stdout, as lines for people or with `--json` as one
object; progress, logs and complaints go to stderr.
"""

import dataclasses
import importlib
import json
import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, NoReturn

from visual_foresight.system import flags, signals
from visual_foresight.system.allocator import keep_freed_memory
from visual_foresight.system.cores import set_up_threads
from visual_foresight.system.redirect import diverted, prepare_streams

PROGRAM = "visual-foresight"
HELP = ("-h", "--help")
BAD_INPUT = 2
INTERRUPTED = 130
TERMINATED = 143
BROKEN_PIPE = 141
STOPPED = "stopped; what was finished is kept"

Figures = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Command:
    """What a word on the command line starts.

    Its parts are written "module:name", with the module inside this package, and are imported
    when the command runs.
    """

    summary: str
    """One line for the list of commands."""
    config: str
    """A frozen dataclass: each field is a flag, its doc the help."""
    work: str
    """A function of the configuration that returns the figures: a mapping or a dataclass."""
    as_text: str = ""
    """A function of the figures that returns text for people; lines of names and values if not
    given."""
    complaint: str = ""
    """A function of the figures that returns what is wrong with them, in one sentence, or None.
    After a complaint the program exits with 2."""
    of_name: str = ""
    """A function of the word that may follow the command (`train flow`), which returns the flags
    that it takes then: see `training.flags.ModelFlags`."""
    about_name: str = ""
    """What that word is, for the help."""
    beside_others: bool = False
    """Whether it usually runs beside other programs, a browser for example, and its threads should
    leave them the cores while they wait."""


COMMANDS = {
    "collect": Command(
        "Gather episodes with an exploration policy, or go on with a collection that was stopped.",
        config="collect.collection:CollectConfig",
        work="collect.collection:collect",
    ),
    "validate": Command(
        "Read a folder of episodes whole, and name every damaged, missing or foreign file.",
        config="cli:ValidateConfig",
        work="cli:validate_folder",
        complaint="cli:complain_of_problems",
    ),
    "calibrate": Command(
        "Estimate a camera's calibration from episodes alone, and write it into their dataset.",
        config="calibrate:CalibrateConfig",
        work="calibrate:calibrate",
    ),
    "train": Command(
        "Train a video predictor on episodes, or go on with a run that was stopped.",
        config="training.config:TrainConfig",
        work="cli:train_model",
        of_name="training.flags:flags_of",
        about_name="`train NAME` sets the parts of a model and its recipe, by default as published "
        "(`train flow --model.channels 48 --recipe.steps 11000`): see `train NAME --help`.",
    ),
    "evaluate control": Command(
        "Benchmark closed-loop control on seeded suites of tasks, beside floors and ceiling.",
        config="evaluation.control.command:ControlConfig",
        work="evaluation.control.command:evaluate_control",
        as_text="evaluation.control.command:as_text",
    ),
    "evaluate prediction": Command(
        "Measure predicted pixels and frames, step by step, on episodes a model never saw.",
        config="evaluation.prediction.command:PredictionConfig",
        work="evaluation.prediction.command:evaluate_model",
        as_text="evaluation.prediction.command:as_text",
    ),
    "evaluate ranking": Command(
        "Measure how well predicted costs rank candidates in states of contact.",
        config="evaluation.ranking.command:RankingConfig",
        work="evaluation.ranking.command:evaluate_ranking",
    ),
    "evaluate family": Command(
        "Compare models by every score and by control, and correlate scores with success.",
        config="evaluation.compare:CompareConfig",
        work="evaluation.compare:compare_models",
        as_text="evaluation.compare:as_text",
    ),
    "evaluate throughput": Command(
        "Time every learned predictor: imagined frames, gradient steps, memory.",
        config="evaluation.speed.throughput:ThroughputConfig",
        work="evaluation.speed.throughput:time_predictors",
    ),
    "evaluate speed": Command(
        "Time one replan per preset, beside the machine's matrix products.",
        config="evaluation.speed.replan:SpeedConfig",
        work="evaluation.speed.replan:time_planning",
    ),
    "plan": Command(
        "Run one trial: push an object to a goal, planned from frames, and animate it.",
        config="plan:PlanConfig",
        work="plan:plan",
        beside_others=True,
    ),
    "gui": Command(
        "Click a pixel and its goal in the browser, and watch the robot imagine, plan and act.",
        config="gui.server.serve:GuiConfig",
        work="gui.server.serve:serve",
        beside_others=True,
    ),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0 done, 2 bad input, 141 nobody reads stdout.

    130 is interrupted (Ctrl-C), 143 the same by SIGTERM or SIGHUP; the page is done then: 0.
    1 and a traceback are a bug of ours.

    Args:
        arguments: the words after the program's name; those of the process when None.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    prepare_streams()
    if not words:
        print(_help(), file=sys.stderr)
        sys.exit(BAD_INPUT)
    if words[0] in HELP:
        _print(_help())
        sys.exit(0)
    if words[0] == "--version":
        from visual_foresight import __version__

        _print(f"{PROGRAM} {__version__}")
        sys.exit(0)
    for length in (2, 1):
        name = " ".join(words[:length])
        if name in COMMANDS:
            try:
                with signals.alike():
                    _run(name, words[length:])
            except signals.Ended:
                _stop(STOPPED, TERMINATED)
            except KeyboardInterrupt:
                _stop(STOPPED, INTERRUPTED)
            return
    group = _help(f"{words[0]} ")
    if group and words[-1] in HELP:
        _print(group)
        sys.exit(0)
    known = ", ".join(COMMANDS)
    _stop(f"there is no command {' '.join(words[:2])!r}: choose one of {known}", BAD_INPUT)


def _run(name: str, arguments: list[str]) -> None:
    """Run one command; what its user can mend becomes one sentence."""
    set_up_threads(COMMANDS[name].beside_others)  # before PyTorch is imported
    from visual_foresight.system.files import remedy
    from visual_foresight.types import UserError

    keep_freed_memory()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        _work(name, arguments)
    except UserError as error:
        _stop(str(error), BAD_INPUT)
    except BrokenPipeError:
        sys.exit(BROKEN_PIPE)
    except OSError as error:
        sentence = remedy(error)
        if sentence is None:
            raise
        _stop(sentence, BAD_INPUT)


def _work(name: str, arguments: list[str]) -> None:
    """Read a command's flags, do its work, and print its figures."""
    command = COMMANDS[name]
    if command.of_name and arguments and not arguments[0].startswith("-"):
        named = _imported(command.of_name)(arguments[0])
        grouped = flags.of_groups(named.groups, named.hidden)
        values, as_json = _read(
            f"{name} {arguments[0]}",
            command.summary,
            [*flags.of_class(named.config), *grouped],
            arguments[1:],
        )
        config = named.build(values)
    else:
        config_class = _imported(command.config)
        summary = f"{command.summary} {command.about_name}".strip()
        values, as_json = _read(name, summary, flags.of_class(config_class), arguments)
        config = config_class(**values)
    work = _imported(command.work)
    as_text = _imported(command.as_text) if command.as_text else _as_lines
    # stdout is for the figures alone; libraries print there, too, also native ones.
    with diverted(1, to=2), redirect_stdout(sys.stderr):
        result = work(config)
    figures = result if isinstance(result, Mapping) else dataclasses.asdict(result)
    if as_json:
        _print(json.dumps(figures, allow_nan=False, default=os.fspath))
    else:
        _print(as_text(figures))
    sentence = _imported(command.complaint)(figures) if command.complaint else None
    if sentence is not None:
        _stop(sentence, BAD_INPUT)


def _read(
    name: str, summary: str, known: Sequence[flags.Flag], arguments: Sequence[str]
) -> tuple[dict[str, Any], bool]:
    """Read flags (see `flags.read`), which may print a help and exit."""
    with _printing():
        return flags.read(f"{PROGRAM} {name}", summary, known, arguments)


def _print(text: str) -> None:
    """Print to stdout at once."""
    with _printing():
        print(text)


@contextmanager
def _printing() -> Iterator[None]:
    """Exit where stdout cannot be written: on a full disk, or after its reader went away."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the flush at exit is not to complain
        if isinstance(error, BrokenPipeError):
            sys.exit(BROKEN_PIPE)
        _stop(f"stdout cannot be written ({error.strerror}): send it elsewhere", BAD_INPUT)


def _imported(part: str) -> Any:
    """Return what is called "module:name" in this package."""
    module, _, name = part.partition(":")
    return getattr(importlib.import_module(f"visual_foresight.{module}"), name)


def _stop(sentence: str, code: int) -> NoReturn:
    print(f"{PROGRAM}: {sentence}", file=sys.stderr)
    sys.exit(code)


def _help(beginning: str = "") -> str:
    """Return the list of the commands that begin so; nothing, if none does."""
    width = max(map(len, COMMANDS))
    lines = [
        f"  {name:<{width}}  {command.summary}"
        for name, command in COMMANDS.items()
        if name.startswith(beginning)
    ]
    if not lines:
        return ""
    return "\n".join(
        [
            f"usage: {PROGRAM} [--help] [--version] COMMAND ...",
            "",
            "A robot that sees, imagines and acts.",
            "",
            "commands:",
            *lines,
            "",
            f"The flags of a command: {PROGRAM} COMMAND --help",
        ]
    )


def _as_lines(figures: Figures) -> str:
    """Return figures as readable lines of names and values."""
    return "\n".join(_lines(figures))


def _lines(figures: Figures, indent: str = "") -> Iterator[str]:
    """Yield figures line by line; what is nested is indented."""
    for name, value in figures.items():
        if isinstance(value, Mapping) and value:
            yield f"{indent}{name}"
            yield from _lines(value, indent + "  ")
        else:
            yield f"{indent}{name}: {_text(value)}"


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping | list | tuple):
        return ", ".join(map(_text, value)) or "none"
    return str(value)


def train_model(config: Any) -> Figures:
    """Train (see `training.config.TrainConfig`), and return what the checkpoint says of itself."""
    from visual_foresight.predictors.checkpoints import read_config
    from visual_foresight.training.loop import train

    folder = train(config)
    return {"checkpoint": folder, **read_config(folder)["meta"]}


@dataclasses.dataclass(frozen=True)
class ValidateConfig:
    """Which data to read."""

    folder: Path
    """Folder of episodes, or a dataset of another format that is installed."""
    recover: bool = False
    """Make episodes of recordings whose program was killed, before all is read."""


def validate_folder(config: ValidateConfig) -> Figures:
    """Read a folder of episodes, and return how many are sound and what is wrong with others.

    "doubts" is what is sound, but perhaps not meant: it is counted, and no reason to complain.
    """
    from visual_foresight.episodes.recovery import recover_all
    from visual_foresight.episodes.validation import validate

    recovered = recover_all(config.folder) if config.recover else None
    report = validate(config.folder)
    return {
        "folder": report.folder,
        **({} if recovered is None else {"recovered": recovered}),
        "sound_episodes": report.num_sound,
        "problems": {
            str(problem.path): ": ".join(filter(None, (problem.what, problem.advice)))
            for problem in report.problems
        },
        "doubts": {
            name: {
                "meaning": doubt.meaning,
                "episodes": doubt.num_episodes,
                "count": doubt.count,
                "first": {"episode": doubt.first_episode, "frame": doubt.first_frame},
            }
            for name, doubt in report.doubts.items()
        },
    }


def complain_of_problems(figures: Figures) -> str | None:
    """Return how many files `validate_folder` found to be unusable, or that there are none."""
    if not figures["problems"] and not figures["sound_episodes"]:
        return (
            f"{figures['folder']} holds no episodes yet: collect or record some into it first"
        )
    if not figures["problems"]:
        return None
    return (
        f"{len(figures['problems'])} files in {figures['folder']} cannot be used; "
        "what to do about each is said above"
    )
