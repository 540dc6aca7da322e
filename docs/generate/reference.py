"""Reference pages: the flags of every command, and the fields of every configuration.

All is read from the frozen dataclasses and from the sentence below each of their fields.
"""

import ast
import dataclasses
import importlib
import inspect
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast, get_args, get_origin

from docs.generate.architecture import NOTICE
from visual_foresight.cli import COMMANDS
from visual_foresight.planning.planners.cem import PRESETS, CEMConfig
from visual_foresight.planning.proposals.pushes import PushConfig
from visual_foresight.predictors.models import FROM_DATA, Recipe
from visual_foresight.predictors.registry import learned, model_of
from visual_foresight.training.config import RunConfig


class CommandPage(NamedTuple):
    """What a command's page is made of."""

    module: str
    config: str
    example: str


COMMAND_PAGES = {
    "plan": CommandPage("plan", "PlanConfig", "plan --seed 3"),
    "gui": CommandPage("gui.server.serve", "GuiConfig", "gui --model flow"),
    "collect": CommandPage(
        "collect.collection", "CollectConfig", "collect --folder data/mine --episodes 500"
    ),
    "validate": CommandPage("cli", "ValidateConfig", "validate --folder data/mine"),
    "calibrate": CommandPage("calibrate", "CalibrateConfig", "calibrate --data data/robot"),
    "train": CommandPage(
        "training.config",
        "TrainConfig",
        "train --data data/mine --out runs/mine --predictor flow --minutes 10",
    ),
    "evaluate prediction": CommandPage(
        "evaluation.prediction.command",
        "PredictionConfig",
        "evaluate prediction --data data/sample --report report.html",
    ),
    "evaluate control": CommandPage(
        "evaluation.control.command",
        "ControlConfig",
        "evaluate control --suites near --methods rigid scripted random",
    ),
    "evaluate ranking": CommandPage(
        "evaluation.ranking.command", "RankingConfig", "evaluate ranking --model flow"
    ),
    "evaluate family": CommandPage(
        "evaluation.compare", "CompareConfig", "evaluate family --models rigid flow"
    ),
    "evaluate speed": CommandPage("evaluation.speed.replan", "SpeedConfig", "evaluate speed"),
    "evaluate throughput": CommandPage(
        "evaluation.speed.throughput", "ThroughputConfig", "evaluate throughput"
    ),
}


def pages() -> dict[str, str]:
    """Return the text of every reference page, by its path below `docs/`."""
    commands = {
        f"reference/{name.replace(' ', '-')}.md": command_page(name) for name in COMMAND_PAGES
    }
    return {
        "reference/index.md": index_page(),
        **commands,
        "reference/predictors.md": predictors_page(),
        "reference/search.md": search_page(),
    }


def index_page() -> str:
    """Return the page that lists all commands."""
    rows = [
        f"| [`visual-foresight {name}`]({name.replace(' ', '-')}.md) | {COMMANDS[name].summary} |"
        for name in COMMAND_PAGES
    ]
    return "\n".join(
        [
            NOTICE,
            "# Commands\n",
            "`visual-foresight COMMAND --help` lists the flags of a command. With `--json` the",
            "figures are one JSON object on stdout ([its keys](figures.md)); everything else is on",
            "stderr. Bad input is answered with one sentence and exit code 2.\n",
            "| command | does |",
            "| --- | --- |",
            *rows,
            "",
        ]
    )


def command_page(name: str) -> str:
    """Return the page of a command."""
    page = COMMAND_PAGES[name]
    config = getattr(importlib.import_module(f"visual_foresight.{page.module}"), page.config)
    return "\n".join(
        [
            NOTICE,
            f"# {name}\n",
            f"{COMMANDS[name].summary}\n",
            f"```bash\nvisual-foresight {page.example}\n```\n",
            "| flag | takes | default | meaning |",
            "| --- | --- | --- | --- |",
            *_rows(config, flags=True),
            "| `--json` | nothing | off | Print the figures as one JSON object on stdout. |",
            "",
            *(_named_training() if name == "train" else ()),
            f"Source: `{page.config}` in `visual_foresight/{page.module.replace('.', '/')}.py`.\n",
        ]
    )


def _named_training() -> list[str]:
    """Return the section about `train NAME`."""
    common = [_flag(field) for field in dataclasses.fields(RunConfig)]
    recipe = [f"--recipe.{_flag(field)[2:]}" for field in dataclasses.fields(Recipe)]
    return [
        "## train NAME\n",
        "```bash",
        "visual-foresight train flow --data data/mine --out runs/mine \\",
        "  --model.channels 48 --recipe.steps 5000",
        "```\n",
        "With a predictor's name, the defaults are those with which its published model was",
        "trained, and its hyper-parameters are flags: [predictors](predictors.md). Of the flags",
        "above, these keep their names:",
        f"{_listed([*common, '--json'])}.",
        "These are the recipe:",
        f"{_listed(recipe)}.\n",
    ]


def predictors_page() -> str:
    """Return the page of the predictors' hyper-parameters."""
    parts = [
        NOTICE,
        "# Predictors\n",
        "The hyper-parameters of every predictor that learns: each is a flag `--model.FIELD` of",
        f"`train NAME`, except {_listed(FROM_DATA)}, which follow from the",
        "data. A checkpoint keeps them in its `config.json`. The recipe is that of the published",
        "models; where it is not mentioned, it is [the default](train.md#train-name).\n",
    ]
    for name in learned():
        model = model_of(name)
        recipe = vars(model.recipe)
        plain = vars(Recipe())
        own = [f"`{key}` {_plain(recipe[key])}" for key in plain if recipe[key] != plain[key]]
        about = f"Recipe: {', '.join(own) or 'the default'}.\n"
        title = [f"## {name}\n", f"{_sentence(cast(Any, model.config).__doc__)}\n"]
        parts += [*title, about, *_table(model.config), ""]
    return "\n".join(parts)


def search_page() -> str:
    """Return the page of the planner's settings and presets."""
    presets = [
        f"| `{name}` | {config.rollouts} | {_plain(config.populations)} | {config.horizon} "
        f"| {config.num_elites} | {config.noise_exponent:g} |"
        for name, config in PRESETS.items()
    ]
    parts = [NOTICE, "# Search\n", "## Presets\n"]
    parts += ["`--preset` chooses one. `plain` is CEM without the parts of iCEM.\n"]
    parts += ["| preset | rollouts | populations | horizon | elites | noise exponent |"]
    parts += ["| --- | --- | --- | --- | --- | --- |", *presets, ""]
    for config, title in (
        (CEMConfig, "Cross-entropy method"),
        (PushConfig, "Proposed pushes"),
    ):
        parts += [f"## {title}\n", f"{_sentence(config.__doc__)}\n", *_table(config), ""]
    return "\n".join(parts)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _flag(field: Any) -> str:
    name: str = field.metadata.get("flag", field.name)
    return f"--{name.replace('_', '-')}"


def _table(config: Any) -> list[str]:
    head = ["| field | takes | default | meaning |", "| --- | --- | --- | --- |"]
    return [*head, *_rows(config, flags=False)]


def _rows(config: Any, flags: bool) -> Iterable[str]:
    """Yield a row for each field of a configuration."""
    documented = field_sources(config)
    fields = sorted(dataclasses.fields(config), key=lambda field: not _is_required(field))
    for field in fields:
        if flags and not field.metadata.get("is_flag", True):
            continue
        doc, source = documented[field.name]
        name = _flag(field) if flags else field.name
        yield f"| `{name}` | {_type(field.type, flags)} | {_default(field, source)} | {doc} |"


def _is_required(field: Any) -> bool:
    return field.default is field.default_factory is dataclasses.MISSING


def field_sources(config: type) -> dict[str, tuple[str, str]]:
    """Return the sentence below each field of a dataclass, and the source of its default.

    A field that a subclass repeats keeps the sentence of its parent.
    """
    found: dict[str, tuple[str, str]] = {}
    for parent in reversed(config.__mro__[:-1]):
        body = ast.parse(inspect.cleandoc(inspect.getsource(parent))).body[0]
        assert isinstance(body, ast.ClassDef)
        for node, after in zip(body.body, [*body.body[1:], None], strict=True):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                name = node.target.id
                doc = _docstring(after) or found.get(name, ("", ""))[0]
                found[name] = (doc, "" if node.value is None else ast.unparse(node.value))
    return found


def _docstring(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return _sentence(str(node.value.value))
    return ""


def _sentence(text: str | None) -> str:
    """Return a docstring on one line, fit for a table's cell."""
    return re.sub(r"\s+", " ", (text or "").strip()).replace("|", "\\|")


def _type(kind: Any, is_flag: bool) -> str:
    """Return a field's type in words; a flag that switches something on takes nothing."""
    if get_origin(kind) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(kind))
    if isinstance(kind, type) and not get_args(kind):
        named = {"bool": "nothing" if is_flag else "bool", "str": "text", "Path": "path"}
        return named.get(kind.__name__, kind.__name__)
    parts = get_args(kind)
    if get_origin(kind) is tuple:
        inner = [part for part in parts if part is not Ellipsis]
        texts = ", ".join(_type(part, is_flag) for part in inner)
        return (
            f"several {texts}".replace("several several", "rows of")
            if Ellipsis in parts
            else f"({texts})"
        )
    return " or ".join("none" if part is type(None) else _type(part, is_flag) for part in parts)


def _default(field: Any, source: str) -> str:
    """Return a field's default in words; its source, where it depends on the machine."""
    if field.default is dataclasses.MISSING:
        return "required" if field.default_factory is dataclasses.MISSING else f"`{source}`"
    if "os." in source:
        return f"`{source}`"
    if field.default is None:
        return "none"
    if isinstance(field.default, bool):
        return "on" if field.default else "off"
    return f"`{_plain(field.default)}`" if field.default not in ((), "") else "none"


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(
            f"({_plain(each)})" if isinstance(each, tuple) else _plain(each) for each in value
        )
    if isinstance(value, Path):
        return str(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
