"""What axe-core finds wrong with a page: barriers for people who cannot see, or not point."""

from importlib.util import find_spec
from pathlib import Path

import pytest

GRAVE = ("serious", "critical")
AXE = """async (within) => {
  const found = await axe.run(within ?? document, {resultTypes: ["violations"]});
  return found.violations.flatMap(rule => rule.nodes.map(node => (
    {rule: rule.id, impact: rule.impact, where: node.target.join(" "), why: node.failureSummary}
  )));
}"""


def barriers(page, within=None):
    """Return what is serious or critical: one line for each element.

    Args:
        page: to look at.
        within: selector of the part that counts; None: all of it.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(_script())
    found = page.evaluate(AXE, within)
    return [
        f"{one['rule']} at {one['where']}: {one['why']}"
        for one in found
        if one["impact"] in GRAVE
    ]


def _script():
    package = find_spec("axe_playwright_python")
    if package is None or package.origin is None:
        pytest.skip("axe-core is not installed: pip install axe-playwright-python")
    return Path(package.origin).with_name("axe.min.js").read_text(encoding="utf-8")
