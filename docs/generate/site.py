"""A hook of mkdocs: pages may link to files of the repository that are not below `docs/`.

Such a link is right where the repository is browsed. In the site it leads to a copy of the file
below `repository/`, and a copy of a document is a page.
"""

import os
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent
COPIES = "repository"
LINK = re.compile(r"(\]\()(?!https?:|#)([^)#\s]+)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: Any) -> Files:
    """Add a copy of every file that a page links to outside of `docs/`."""
    waiting = sorted(DOCS.rglob("*.md"))
    added: set[Path] = set()
    while waiting:
        page = waiting.pop()
        for _, target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
            path = _absolute(page, target)
            if _is_outside(path) and path.is_file() and path not in added:
                added.add(path)
                files.append(File.generated(config, _place(path), abs_src_path=os.fspath(path)))
                waiting += [path] if path.suffix == ".md" else []
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Let links that leave `docs/` lead to the copies."""
    place = page.file.src_uri
    own = ROOT / Path(place).relative_to(COPIES) if place.startswith(COPIES) else DOCS / place

    def moved(match: re.Match[str]) -> str:
        path = _absolute(own, match[2])
        target = _place(path) if _is_outside(path) else path.relative_to(DOCS).as_posix()
        return match[1] + posixpath.relpath(target, posixpath.dirname(place) or ".")

    return LINK.sub(moved, markdown)


def _absolute(page: Path, target: str) -> Path:
    return Path(os.path.normpath(page.parent / target))


def _is_outside(path: Path) -> bool:
    return path.is_relative_to(ROOT) and not path.is_relative_to(DOCS)


def _place(path: Path) -> str:
    return f"{COPIES}/{path.relative_to(ROOT).as_posix()}"
