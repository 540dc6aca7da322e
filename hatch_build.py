"""Puts the shipped checkpoints and sample episodes, where they exist, into the wheel as
`visual_foresight/shipped`.

An editable install reads them from `models/` and `data/sample/` themselves (see
`docs/decisions/0003-shipped-checkpoints.md`).
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHIPPED = ("models", "data/sample")


class ShippedFilesHook(BuildHookInterface):
    """Adds `SHIPPED` to a wheel.

    Does nothing to an editable install, or where a folder is not there.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the folders to include (called by hatchling.

        `version` is "standard" or "editable").
        """
        if version != "standard":
            return
        for folder in SHIPPED:
            path = Path(self.root) / folder
            if path.is_dir() and any(path.iterdir()):
                build_data["force_include"][str(path)] = f"visual_foresight/shipped/{folder}"
