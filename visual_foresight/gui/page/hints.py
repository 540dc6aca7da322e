"""What each field of the page is for: the sentences that stand in the code beside the settings."""

import ast
import inspect
import textwrap
from collections.abc import Mapping
from itertools import pairwise

from nicegui import ui


def field_hints(config: type) -> dict[str, str]:
    """Return the docstring of each field of a dataclass that has one, as one line.

    Args:
        config: a dataclass whose source can be read.
    """
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(config))).body
    assert isinstance(definition, ast.ClassDef)
    hints = {}
    for field, text in pairwise(definition.body):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            hints[field.target.id] = " ".join(str(text.value.value).split())
    return hints


def explain(fields: Mapping[str, ui.element], hints: Mapping[str, str]) -> None:
    """Say what fields are for: under the pointer, and to those who hear the page.

    Args:
        fields: name -> its element.
        hints: name -> what is said.
    """
    for name, field in fields.items():
        if name in hints:
            text = hints[name].replace("`", "")
            field.tooltip(text)
            field.props["aria-description"] = text
