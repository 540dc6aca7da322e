"""The page "When something goes wrong": every sentence that the program can say to its user.

They are read from the sources: what a `UserError` is made of, and what the command line says before
it exits. A hole is shown by the name of what is put there.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from docs.generate.architecture import NOTICE, PACKAGE, PLACES, floors

SPEAKERS = ("UserError", "_stop")
"""Names of the calls whose first argument is a sentence."""
REFUSAL = "Refusal"
"""What the guard of the page builds of a status and a sentence."""
PROBLEM = "Problem"
"""Name of the class of what `validate` finds: where, what, and what to do."""
ANSWERS = ("remedy", "complain_of_problems", "_refusal")
"""Names of the functions that return a sentence, perhaps after a number."""


def page() -> str:
    """Return the text of the page."""
    lines = [
        NOTICE,
        "# When something goes wrong\n",
        "Bad input is answered with one sentence and exit code 2. It says what was expected,",
        "what came, and, mostly after its colon, what to do. These are all such sentences, by the",
        "room of the code that says them. *Slanted* words stand for what is put there. For what",
        "shows itself in other ways, see [troubleshooting](../guides/troubleshooting.md).\n",
        "A traceback, exit code 1, is a bug of ours: please report it, with the command.\n",
    ]
    for room in (room for floor in floors() for room in floor):
        found = sorted(set(sentences(room)), key=lambda each: re.sub(r"\W", "", each).lower())
        if found:
            lines += [f"## {room}\n", f"{PLACES[room][1].capitalize()}.\n"]
            lines += [f"- {sentence}" for sentence in found]
            lines.append("")
    return "\n".join(lines)


def sentences(room: str, package: Path = PACKAGE) -> Iterator[str]:
    """Yield the sentences of a room, as Markdown."""
    place = package / room
    for path in sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]:
        yield from sentences_of(path.read_text(encoding="utf-8"))


def sentences_of(source: str) -> Iterator[str]:
    """Yield the sentences of a module, as Markdown."""
    for function in _functions(ast.parse(source)):
        named = dict(_named_texts(function))
        for node in ast.walk(function):
            for spoken in _spoken(function, node):
                for text in _texts(spoken, named):
                    if _says_something(text):
                        yield " ".join(text.split())


def _spoken(function: ast.FunctionDef, node: ast.AST) -> Iterator[ast.expr]:
    """Yield what a call or a return says to the user, if it does."""
    if isinstance(node, ast.Call) and _name(node.func) in SPEAKERS and node.args:
        yield node.args[0]
    elif isinstance(node, ast.Call) and _name(node.func) == PROBLEM and len(node.args) > 2:
        what_to_do = ast.BinOp(ast.Constant(": "), ast.Add(), node.args[2])
        yield ast.BinOp(node.args[1], ast.Add(), what_to_do)
    elif isinstance(node, ast.Call) and _name(node.func) == REFUSAL and len(node.args) > 1:
        yield node.args[1]
    elif isinstance(node, ast.Return) and _name(function) in ANSWERS:
        parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        yield from (part for part in parts if part is not None)


def _functions(module: ast.Module) -> Iterator[ast.FunctionDef]:
    """Yield the functions and methods of a module, but not those within others."""
    for node in module.body:
        parts = node.body if isinstance(node, ast.ClassDef) else [node]
        yield from (part for part in parts if isinstance(part, ast.FunctionDef))


def _named_texts(function: ast.FunctionDef) -> Iterator[tuple[str, ast.expr]]:
    """Yield the variables to which a function assigns text, with their values."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value


def _texts(node: ast.expr, named: Mapping[str, ast.expr]) -> list[str]:
    """Return what an expression can be: a text for each way it can turn out."""
    if isinstance(node, ast.Constant):
        return [_escaped(str(node.value))] if isinstance(node.value, str) else []
    if isinstance(node, ast.JoinedStr):
        return ["".join(map(_part, node.values))]
    if isinstance(node, ast.IfExp):
        return [*_texts(node.body, named), *_texts(node.orelse, named)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left = _texts(node.left, named) or [_hole(node.left)]
        right = _texts(node.right, named) or [_hole(node.right)]
        return [a + b for a in left for b in right]
    if isinstance(node, ast.Name) and node.id in named:
        return _texts(named[node.id], {})
    return []


def _part(node: ast.expr) -> str:
    """Return a part of an f-string as Markdown."""
    if isinstance(node, ast.Constant):
        return _escaped(str(node.value))
    assert isinstance(node, ast.FormattedValue)
    return _hole(node.value)


def _hole(node: ast.expr) -> str:
    """Return the name of what is put there: the last word of what it is called."""
    words = re.findall(r"[A-Za-z]\w*", ast.unparse(_innermost(node)))
    named = [word for word in words if not word.isupper()] or words or ["value"]
    return f"*{named[-1].strip('_').replace('_', ' ').lower()}*"


def _innermost(node: ast.expr) -> ast.expr:
    """Return what a call is about: `directory` of `str(config.directory)`."""
    while isinstance(node, ast.Call):
        if node.args:
            node = node.args[-1]
        elif isinstance(node.func, ast.Attribute):
            node = node.func.value
        else:
            return node.func
    if isinstance(node, ast.Subscript):
        return _innermost(node.value)
    if isinstance(node, ast.IfExp | ast.BoolOp):
        return _innermost(node.body if isinstance(node, ast.IfExp) else node.values[0])
    if isinstance(node, ast.GeneratorExp | ast.ListComp):
        return _innermost(node.generators[0].iter)
    return node


def _name(node: ast.AST) -> str:
    """Return what a function or its call is called."""
    if isinstance(node, ast.FunctionDef):
        return node.name
    return node.id if isinstance(node, ast.Name) else ""


def _says_something(text: str) -> bool:
    """Tell whether there is more than a hole."""
    return len(re.sub(r"\*[^*]+\*", "", text).split()) > 2


def _escaped(text: str) -> str:
    """Return plain text as Markdown; what stands between backticks is code, and stays."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        parts = [text.replace("`", "'")]
    plain = [re.sub(r"([\\*_<>\[\]])", r"\\\1", part) for part in parts]
    return "`".join(part if index % 2 else plain[index] for index, part in enumerate(parts))
