"""The pages of `docs/extend` show files of `examples/plugin` as they are.

A page says where: a line `<!-- file: examples/plugin/vf_example/cost.py -->` before a block of
code. What is in the block is written anew, so it cannot go out of date.
"""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHOWN = re.compile(r"^(<!-- file: (\S+) -->\n```\w+\n).*?^```$", re.MULTILINE | re.DOTALL)


def pages() -> dict[str, str]:
    """Return the text of every page that shows a file, by its path below `docs/`."""
    found = {}
    for path in sorted((ROOT / "docs" / "extend").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        if SHOWN.search(text):
            found[f"extend/{path.name}"] = SHOWN.sub(_shown, text)
    return found


def _shown(match: re.Match[str]) -> str:
    return f"{match[1]}{(ROOT / match[2]).read_text(encoding='utf-8')}```"
