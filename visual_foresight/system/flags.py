"""Flags out of frozen dataclasses: each field is one, and the doc below it in the source its help.

The flags of a group, `--group.name`, are the fields of an instance, whose values are the defaults.
"""

import ast
import dataclasses
import inspect
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Annotated, Any, get_type_hints

GROUP = "Group"
"""Name of the classes that hold the flags of a group."""

Flag = tuple[str, Any, Any]
"""Name, type with its help, and default, as `dataclasses.make_dataclass` takes them."""


def read(
    program: str, summary: str, flags: Sequence[Flag], arguments: Sequence[str]
) -> tuple[dict[str, Any], bool]:
    """Return the values of flags, and whether figures are wanted as JSON.

    Args:
        program: the words before the flags, for the help.
        summary: what these words do, for the help.
        flags: of the command. The values of a group are a mapping.
        arguments: the words to read. Wrong ones print what is wrong and exit with code 2.
    """
    import tyro

    wants_json = tyro.conf.arg(help="Print the figures as one JSON object on stdout.")
    json_flag = ("json", Annotated[bool, wants_json], dataclasses.field(default=False))
    options: Any = tyro.cli(
        dataclasses.make_dataclass("Options", [*flags, json_flag], frozen=True, kw_only=True),
        prog=program,
        description=summary,
        args=arguments,
        config=(tyro.conf.FlagCreatePairsOff,),
    )
    values: dict[str, Any] = {}
    for name, value in vars(options).items():
        is_group = type(value).__name__ == GROUP
        values[name] = _at_home(dict(vars(value)) if is_group else value)
    as_json: bool = values.pop("json")
    return values, as_json


def _at_home(value: Any) -> Any:
    """Return a flag's value with `~` written out in every path of it.

    Shells leave it as it is in `--folder=~/x`.
    """
    from visual_foresight.system.files import expanded

    if isinstance(value, Path):
        return expanded(value)
    if isinstance(value, tuple):
        return tuple(map(_at_home, value))
    if isinstance(value, Mapping):
        return {name: _at_home(each) for name, each in value.items()}
    return value


def of_class(
    config_class: type, defaults: Any = None, hidden: Collection[str] = ()
) -> list[Flag]:
    """Return a flag for each field of a frozen dataclass; those that are required come first.

    Args:
        config_class: a field whose metadata has `is_flag: False` is no flag; "flag" there is the
            name of one whose field cannot be called so ("from").
        defaults: an instance whose values are the defaults; those of the class if not given.
        hidden: names of fields that are no flags.
    """
    import tyro

    docs = field_docs(config_class)
    kinds = get_type_hints(config_class, include_extras=True)
    required: list[Flag] = []
    optional: list[Flag] = []
    for field in dataclasses.fields(config_class):
        if field.name in hidden or not field.metadata.get("is_flag", True):
            continue
        about = tyro.conf.arg(name=field.metadata.get("flag"), help=docs.get(field.name, ""))
        kind: Any = Annotated[kinds[field.name], about]
        default: Any = dataclasses.field(
            default=field.default, default_factory=field.default_factory
        )
        if defaults is not None:
            default = dataclasses.field(default=getattr(defaults, field.name))
        is_required = default.default is default.default_factory is dataclasses.MISSING
        (required if is_required else optional).append((field.name, kind, default))
    return [*required, *optional]


def of_groups(groups: Mapping[str, Any], hidden: Collection[str]) -> Iterator[Flag]:
    """Yield a flag for each group.

    Args:
        groups: name -> an instance of a frozen dataclass, whose values are the defaults.
        hidden: names of fields that are no flags.
    """
    for name, defaults in groups.items():
        flags = of_class(type(defaults), defaults, hidden)
        group = dataclasses.make_dataclass(GROUP, flags, frozen=True, kw_only=True)
        yield name, group, dataclasses.field(default=group())


def field_docs(config_class: type) -> dict[str, str]:
    """Return the docs of a dataclass's fields: the strings after them in its source, in one line.

    A field that a subclass repeats keeps the doc of its parent. tyro finds them, too, but breaks
    its help where they are wrapped in the source.
    """
    docs = {}
    for parent in reversed(config_class.__mro__):
        if not dataclasses.is_dataclass(parent):
            continue
        (definition,) = ast.parse(dedent(inspect.getsource(parent))).body
        assert isinstance(definition, ast.ClassDef)
        for field, doc in pairwise(definition.body):
            if isinstance(field, ast.AnnAssign) and isinstance(doc, ast.Expr):
                text = str(ast.literal_eval(doc.value))
                docs[ast.unparse(field.target)] = " ".join(text.split())
    return docs
