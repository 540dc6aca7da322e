"""What pip does for a package that brings alternatives by entry points."""

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest


def install(folder: Path, package: str, entries: Mapping[str, Mapping[str, str]]) -> None:
    """Install a package into a folder of `sys.path`.

    Args:
        folder: where its metadata go.
        package: its name.
        entries: group -> name of an alternative -> `module:object`.
    """
    # With dashes, all packages would have the name before the first dash.
    info = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = []
    for group, alternatives in entries.items():
        lines.append(f"[visual_foresight.{group}]")
        lines += [f"{name} = {value}" for name, value in alternatives.items()]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


def bring(
    monkeypatch: pytest.MonkeyPatch, folder: Path, group: str, name: str, alternative: object
) -> None:
    """Let a package bring one alternative, for the rest of a test.

    Args:
        monkeypatch: of the test.
        folder: an empty one, which is put on `sys.path`.
        group: "costs", for example.
        name: of the alternative.
        alternative: the object itself.
    """
    module = ModuleType(f"brought_{group}_{name}")
    monkeypatch.setattr(module, "ALTERNATIVE", alternative, raising=False)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    install(folder, f"package-of-{name}", {group: {name: f"{module.__name__}:ALTERNATIVE"}})
    monkeypatch.syspath_prepend(str(folder))
